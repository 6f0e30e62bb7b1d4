# settings.sh - the settings of one stack, from .env and the environment.
#
# load_settings exports every name of .env to the services. It unsets an empty one,
# so a service need not tell an empty setting from a missing one.
# shellcheck shell=bash

SERVERS_KNOWN=(mariadb redis kafka)
SERVICES=(identity-service websocket-service persistence-service)

# Ports that this stack listens on: the setting and the program.
OWN_PORTS=(
	PARLEY_PORT:nginx
	IDENTITY_PORT:identity-service IDENTITY_ADMIN_PORT:identity-service
	WEBSOCKET_PORT:websocket-service WEBSOCKET_ADMIN_PORT:websocket-service
	PERSISTENCE_PORT:persistence-service PERSISTENCE_ADMIN_PORT:persistence-service
)

# Settings that the launcher itself uses. The services have defaults of their own.
NEEDED=(
	BIND_ADDRESS PARLEY_PORT IDENTITY_PORT WEBSOCKET_PORT PERSISTENCE_PORT
	IDENTITY_ADMIN_PORT WEBSOCKET_ADMIN_PORT PERSISTENCE_ADMIN_PORT
	KAFKA_PORT KAFKA_CONTROLLER_PORT KAFKA_PARTITIONS KAFKA_REPLICATION
	MYSQL_PORT MYSQL_USER MYSQL_BUFFER_POOL IDENTITY_DATABASE PERSISTENCE_DATABASE
	REDIS_PORT IDENTITY_URL IDENTITY_ISSUER IDENTITY_TRUSTED_PROXIES
	PARLEY_OPEN_FILES PARLEY_RUN_DIR PARLEY_BUILD PARLEY_CACHE_DIR PARLEY_PORT_SHIFT
	PARLEY_START_TIMEOUT_S PARLEY_MIN_FREE_MB PARLEY_LOG_LIMIT_MB
)

SETTINGS=()
SERVERS=()

load_settings() {
	read_settings "$ROOT/.env"
	choose_servers
	derive_settings
	check_settings
	report_faults 100
	export_settings
}

# load_run_dir reads enough to find a stack that is running.
load_run_dir() {
	read_settings "$ROOT/.env"
	RUN=$(absolute "$PARLEY_RUN_DIR")
}

# load_running_settings reads the settings that the running stack was started with;
# the environment of this command does not matter.
load_running_settings() {
	load_run_dir
	[[ -f $RUN/conf/env ]] || fail 111 "nothing was started from $(short "$RUN") yet"
	local line run=$RUN
	while IFS= read -r line; do
		declare -gx "$line"
	done <"$RUN/conf/env"
	RUN=$run
	REACH=$(reach_of "$BIND_ADDRESS")
	SOCKETS=$(readlink -f -- "$RUN/sockets")
	read -r -a SERVERS <"$RUN/conf/servers" || true
}

read_settings() {
	local file=$1 line number=0 place name
	local -A seen=() # read_setting fills it
	place=$(short "$file")
	[[ -r $file ]] || fail 100 "$file cannot be read; it holds the default settings"
	while IFS= read -r line || [[ -n $line ]]; do
		number=$((number + 1))
		case "$line" in
		$'\xef\xbb\xbf'*) fault "$place begins with a byte order mark; save it without" ;;
		*$'\r')
			fault "$place, line $number ends with CR LF; convert the file:" \
				"sed -i 's/\\r\$//' $place"
			break
			;;
		'' | '#'*) ;;
		*) read_setting "$line" "$place, line $number" ;;
		esac
	done <"$file"
	report_faults 100
	for name in "${NEEDED[@]}"; do
		[[ -v $name ]] || fault "$place has no line $name=VALUE; put it back"
	done
	report_faults 100
}

# docker compose reads the file, too, and for it quotes and $ are syntax. Only lines
# that both read the same way are allowed.
read_setting() {
	local line=$1 place=$2 name=${1%%=*}
	if [[ ! $line =~ ^[A-Z][A-Z0-9_]*=[A-Za-z0-9_.,:/@%+=-]*$ ]]; then
		fault "$place is not a plain NAME=value line (it begins '${name:0:30}')"
		return
	fi
	[[ -z ${seen[$name]-} ]] || fault "$place sets $name a second time"
	seen[$name]=1
	SETTINGS+=("$name")
	[[ -v $name ]] || printf -v "$name" '%s' "${line#*=}"
}

choose_servers() {
	if [[ -z ${MYSQL_HOST-} ]]; then
		SERVERS+=(mariadb)
		OWN_PORTS+=(MYSQL_PORT:mariadb)
	fi
	if [[ -z ${REDIS_HOST-} ]]; then
		SERVERS+=(redis)
		OWN_PORTS+=(REDIS_PORT:redis)
	fi
	if [[ -z ${KAFKA_BROKERS-} ]]; then
		SERVERS+=(kafka)
		OWN_PORTS+=(KAFKA_PORT:kafka KAFKA_CONTROLLER_PORT:kafka)
	fi
}

is_own() {
	[[ " ${SERVERS[*]} " == *" $1 "* ]]
}

# --- settings that follow from others -------------------------------------------

derive_settings() {
	RUN=$(absolute "$PARLEY_RUN_DIR")
	PARLEY_RUN_DIR=$RUN
	PARLEY_BUILD=$(absolute "$PARLEY_BUILD")
	PARLEY_CACHE_DIR=$(absolute "$PARLEY_CACHE_DIR")
	# Each service has a working directory of its own.
	[[ -z ${MYSQL_PASSWORD_FILE-} ]] || MYSQL_PASSWORD_FILE=$(realpath -m -- "$MYSQL_PASSWORD_FILE")
	[[ -z ${REDIS_PASSWORD_FILE-} ]] || REDIS_PASSWORD_FILE=$(realpath -m -- "$REDIS_PASSWORD_FILE")
	REACH=$(reach_of "$BIND_ADDRESS")
	shift_ports
	if [[ $IDENTITY_URL == http://127.0.0.1:8081 ]]; then
		IDENTITY_URL=http://$REACH:$IDENTITY_PORT
	fi
	if [[ $IDENTITY_ISSUER == http://127.0.0.1:8080 ]]; then
		IDENTITY_ISSUER=http://$REACH:$PARLEY_PORT
	fi
	# nginx reaches the identity service from this address of the machine.
	if [[ $IDENTITY_TRUSTED_PROXIES == 127.0.0.0/8,::1 && $REACH != 127.* ]]; then
		IDENTITY_TRUSTED_PROXIES+=,$REACH
	fi
	# The static member name in the Kafka group stays the same after a restart. Two
	# stacks may share a Kafka, so no other stack has this name.
	PERSISTENCE_INSTANCE=${PERSISTENCE_INSTANCE:-$(uname -n)-$(cksum <<<"$RUN" | cut -d' ' -f1)}
	SMS_PROVIDER=${SMS_PROVIDER:-log}
	[[ -z ${SMS_SECRET_FILE-} ]] || SMS_SECRET_FILE=$(realpath -m -- "$SMS_SECRET_FILE")
	own_secret IDENTITY_SERVICE_SECRET_FILE identity-service
	own_secret IDENTITY_KEY_SECRET_FILE identity-keys
	[[ -z ${IDENTITY_KEY_SECRET_BEFORE_FILE-} ]] ||
		IDENTITY_KEY_SECRET_BEFORE_FILE=$(realpath -m -- "$IDENTITY_KEY_SECRET_BEFORE_FILE")
	use_private_servers
}

# own_secret SETTING NAME: a secret file of the run directory, unless there is another.
own_secret() {
	if [[ -z ${!1-} ]]; then
		printf -v "$1" '%s' "$RUN/secrets/$2"
	else
		printf -v "$1" '%s' "$(realpath -m -- "${!1}")"
	fi
}

absolute() {
	local path=$1
	[[ $path == /* ]] || path=$ROOT/$path
	realpath -m -- "$path"
}

# reach_of ADDRESS prints the address by which this machine reaches a program that
# listens on ADDRESS.
reach_of() {
	echo "${1/#0.0.0.0/127.0.0.1}"
}

shift_ports() {
	local entry name
	is_number "$PARLEY_PORT_SHIFT" || return 0
	for entry in "${OWN_PORTS[@]}"; do
		name=${entry%:*}
		is_number "${!name}" || continue
		printf -v "$name" '%d' "$((${!name} + PARLEY_PORT_SHIFT))"
	done
	# A program started from here must not shift the ports again.
	PARLEY_PORT_SHIFT=0
}

use_private_servers() {
	if is_own mariadb; then
		[[ -z ${MYSQL_PASSWORD-}${MYSQL_PASSWORD_FILE-} ]] ||
			say "note: the private MariaDB makes its own password and ignores yours"
		MYSQL_HOST=127.0.0.1 MYSQL_PASSWORD='' MYSQL_PASSWORD_FILE=$RUN/secrets/mysql
	fi
	if is_own redis; then
		REDIS_HOST=127.0.0.1 REDIS_PASSWORD='' REDIS_PASSWORD_FILE=$RUN/secrets/redis
	fi
	if is_own kafka; then
		KAFKA_BROKERS=127.0.0.1:$KAFKA_PORT
	fi
}

export_settings() {
	local name
	for name in "${SETTINGS[@]}"; do
		if [[ -n ${!name-} ]]; then
			export "${name?}"
		else
			unset "$name"
		fi
	done
}

# --- checks ----------------------------------------------------------------------

check_settings() {
	local name
	check_ports
	for name in KAFKA_PARTITIONS KAFKA_REPLICATION \
		PARLEY_OPEN_FILES PARLEY_PORT_SHIFT PARLEY_START_TIMEOUT_S PARLEY_MIN_FREE_MB \
		PARLEY_LOG_LIMIT_MB; do
		is_number "${!name}" || fault "$name must be a number, not '${!name}'"
	done
	# SQL statements and configuration files contain these unquoted.
	for name in MYSQL_USER IDENTITY_DATABASE PERSISTENCE_DATABASE MYSQL_BUFFER_POOL; do
		[[ ${!name} =~ ^[A-Za-z0-9_]{1,60}$ ]] ||
			fault "$name must be letters, digits and _, not '${!name}'"
	done
	[[ $BIND_ADDRESS =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ ]] ||
		fault "BIND_ADDRESS must be an IPv4 address, not '$BIND_ADDRESS'"
	[[ $RUN =~ ^[A-Za-z0-9_./@+,=-]+$ ]] ||
		fault "the servers' configuration cannot hold the path '$RUN': set PARLEY_RUN_DIR" \
			"to a folder with a path of letters, digits and _./@+,=- alone," \
			"for example PARLEY_RUN_DIR=$(plain_home)/parley-run"
	check_external_secrets
}

# A folder for the advice: the home folder, unless its path is the problem.
plain_home() {
	if [[ ${HOME-} =~ ^/[A-Za-z0-9_./@+,=-]+$ && -w $HOME ]]; then
		echo "$HOME"
	else
		echo /var/tmp
	fi
}

check_ports() {
	local entry name port
	local -A seen=()
	for entry in "${OWN_PORTS[@]}"; do
		name=${entry%:*}
		port=${!name}
		if ! is_number "$port" || ((port < 1 || port > 65535)); then
			fault "$name must be a port from 1 to 65535, not '$port'"
		elif [[ -n ${seen[$port]-} ]]; then
			fault "$name and ${seen[$port]} are both $port"
		else
			seen[$port]=$name
		fi
	done
}

check_external_secrets() {
	local name
	if ! is_own mariadb && [[ -z ${MYSQL_PASSWORD-}${MYSQL_PASSWORD_FILE-} ]]; then
		fault "MYSQL_HOST is set, so MYSQL_PASSWORD or MYSQL_PASSWORD_FILE is needed"
	fi
	for name in MYSQL_PASSWORD_FILE REDIS_PASSWORD_FILE IDENTITY_SERVICE_SECRET_FILE \
		IDENTITY_KEY_SECRET_FILE IDENTITY_KEY_SECRET_BEFORE_FILE SMS_SECRET_FILE; do
		[[ -z ${!name-} || ${!name} == "$RUN"/* || -r ${!name} ]] ||
			fault "$name names '${!name}', which is not readable"
	done
}

# At most nine digits, because bash counts in 64 bits. No leading zero, because bash
# reads 010 as eight.
is_number() {
	[[ $1 =~ ^(0|[1-9][0-9]{0,8})$ ]]
}
