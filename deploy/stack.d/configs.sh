# configs.sh - the run directory: folders, secrets, generated configuration.
#
# Each start writes the configuration again and keeps data, logs and secrets. By the
# launcher's umask only the owner can read the run directory.
# shellcheck shell=bash


# supervisord adds about 20 characters to a socket's name; the kernel allows 107.
SOCKET_FOLDER_LIMIT=70

write_configs() {
	local name
	mkdir -p -- "$RUN"/{conf,data,log,pid,secrets}
	for name in "${SERVERS[@]}" nginx "${SERVICES[@]}"; do
		mkdir -p -- "$RUN/data/$name"
	done
	: >"$RUN/.parley"
	# Copies: the path of the checkout may hold what a configuration cannot quote.
	cp -- "$PARTS/program" "$RUN/conf/program"
	printf '%s\n' "${SERVERS[*]}" >"$RUN/conf/servers"
	make_socket_folder
	publish_pages
	bound_logs

	for name in "$IDENTITY_SERVICE_SECRET_FILE" "$IDENTITY_KEY_SECRET_FILE"; do
		[[ $name != "$RUN"/secrets/* ]] || secret "${name#"$RUN/secrets/"}" >/dev/null
	done
	write_mysql_client_conf
	! is_own mariadb || write_mariadb_conf
	! is_own redis || write_redis_conf
	! is_own kafka || write_kafka_conf
	write_nginx_conf
	write_supervisor_conf
	write_env
}

# The path of a Unix socket must be short. If the run directory's path is long, the
# sockets are in a temporary folder, and the run directory has a link to it.
make_socket_folder() {
	if [[ ! -d $RUN/sockets ]]; then
		rm -f -- "$RUN/sockets"
		if ((${#RUN} < SOCKET_FOLDER_LIMIT)); then
			mkdir -- "$RUN/sockets"
		else
			ln -s -- "$(mktemp -d "${TMPDIR:-/tmp}/parley.XXXXXX")" "$RUN/sockets"
		fi
	fi
	SOCKETS=$(readlink -f -- "$RUN/sockets")
}

# The pages. Workers of nginx with another user than ours cannot read the run directory: then
# the pages are in a folder that they can read, and the run directory has a link to it.
publish_pages() {
	if [[ ! -d $RUN/web ]]; then
		rm -f -- "$RUN/web"
		if [[ $EUID -ne 0 ]]; then
			mkdir -- "$RUN/web"
		else
			ln -s -- "$(make_public_folder)" "$RUN/web"
		fi
	fi
	WEB_ROOT=$(readlink -f -- "$RUN/web")
	python3 "$ROOT/web/publish" "$WEB_ROOT" || fail 111 "the pages could not be published"
}

# make_public_folder prints the path of a new folder. No program cleans /run while the
# machine runs.
make_public_folder() {
	local folder
	folder=$(mktemp -d /run/parley.XXXXXX 2>/dev/null || mktemp -d "${TMPDIR:-/tmp}/parley.XXXXXX")
	chmod 755 -- "$folder"
	echo "$folder"
}

# supervisord bounds the logs of the programs, but not its own log; and the access log
# that nginx writes is bounded while nginx runs.
bound_logs() {
	local file
	for file in "$RUN"/log/nginx-access.log "$RUN"/log/supervisord.log; do
		[[ -e $file ]] || continue
		(($(stat -c %s -- "$file") < PARLEY_LOG_LIMIT_MB << 20)) || mv -- "$file" "$file.1"
	done
}

# render TEMPLATE FILE VARIABLE... replaces only the variables that are named.
render() {
	local template=$1 file=$2
	shift 2
	envsubst "${*/#/\$}" <"$ROOT/deploy/$template" >"$RUN/conf/$file"
}

# secret NAME prints a password; the first call makes it.
secret() {
	local file=$RUN/secrets/$1
	if [[ ! -s $file ]]; then
		od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$file.new"
		mv -- "$file.new" "$file"
	fi
	cat -- "$file"
}

# --- one configuration for each program --------------------------------------------
#
# These functions run in subshells: what they export for envsubst is no setting of
# the services.

write_mariadb_conf() (
	cp -- "$ROOT/deploy/mariadb/parley.cnf" "$RUN/conf/mariadb-parley.cnf"
	export PARLEY_SOCKETS=$SOCKETS MYSQL_USER_HOST=127.0.0.1
	export IDENTITY_DATABASE_PATTERN=${IDENTITY_DATABASE//_/\\_}
	export PERSISTENCE_DATABASE_PATTERN=${PERSISTENCE_DATABASE//_/\\_}
	export MARIADB_USER_LINE='' PRIVATE_MYSQL_PASSWORD
	[[ $EUID -ne 0 ]] || MARIADB_USER_LINE='user = root'
	PRIVATE_MYSQL_PASSWORD=$(secret mysql)
	render mariadb/private.cnf.template mariadb.cnf PARLEY_RUN_DIR \
		PARLEY_SOCKETS MYSQL_PORT MYSQL_BUFFER_POOL MARIADB_USER_LINE
	render mariadb/init.sql.template mariadb-init.sql MYSQL_USER MYSQL_USER_HOST \
		PRIVATE_MYSQL_PASSWORD IDENTITY_DATABASE PERSISTENCE_DATABASE \
		IDENTITY_DATABASE_PATTERN PERSISTENCE_DATABASE_PATTERN
)

# For the readiness check, and for a person who wants to look into the database.
write_mysql_client_conf() {
	local password
	if is_own mariadb; then
		mkdir -p -- "$RUN/secrets"
		password=$(secret mysql)
	elif [[ -n ${MYSQL_PASSWORD_FILE-} ]]; then
		password=$(<"$MYSQL_PASSWORD_FILE")
	else
		password=$MYSQL_PASSWORD
	fi
	password=${password//\\/\\\\}
	password=${password//\"/\\\"}
	mkdir -p -- "$RUN/conf"
	cat >"$RUN/conf/mariadb-client.cnf" <<-END
		[client]
		host = "$MYSQL_HOST"
		port = $MYSQL_PORT
		user = "$MYSQL_USER"
		password = "$password"
		protocol = tcp
		connect-timeout = 5
		default-character-set = utf8mb4
	END
}

write_redis_conf() (
	cp -- "$ROOT/deploy/redis/parley.conf" "$RUN/conf/redis-parley.conf"
	export PRIVATE_REDIS_PASSWORD
	PRIVATE_REDIS_PASSWORD=$(secret redis)
	render redis/private.conf.template redis.conf PARLEY_RUN_DIR REDIS_PORT \
		PRIVATE_REDIS_PASSWORD
)

write_kafka_conf() {
	render kafka/private.properties.template kafka.properties PARLEY_RUN_DIR KAFKA_PORT \
		KAFKA_CONTROLLER_PORT
	cat -- "$ROOT/deploy/kafka/parley.properties" >>"$RUN/conf/kafka.properties"
	cp -- "$ROOT/deploy/kafka/log4j.properties" "$RUN/conf/kafka-log4j.properties"
}

write_nginx_conf() (
	export NGINX_LISTEN=$BIND_ADDRESS:$PARLEY_PORT
	export NGINX_ACCESS_LOG=$RUN/log/nginx-access.log WEB_ROOT
	export IDENTITY_UPSTREAM=$REACH:$IDENTITY_PORT
	export WEBSOCKET_UPSTREAM=$REACH:$WEBSOCKET_PORT WEBSOCKET_ROUTE=websocket
	export PERSISTENCE_UPSTREAM=$REACH:$PERSISTENCE_PORT
	export IDENTITY_ADMIN_UPSTREAM=$REACH:$IDENTITY_ADMIN_PORT
	export WEBSOCKET_ADMIN_UPSTREAM=$REACH:$WEBSOCKET_ADMIN_PORT
	export PERSISTENCE_ADMIN_UPSTREAM=$REACH:$PERSISTENCE_ADMIN_PORT
	export NGINX_USER_LINE='' NGINX_OPEN_FILES
	NGINX_OPEN_FILES=$(ulimit -Sn)
	[[ $NGINX_OPEN_FILES != unlimited ]] || NGINX_OPEN_FILES=$PARLEY_OPEN_FILES
	[[ $EUID -ne 0 ]] || NGINX_USER_LINE='user www-data;'
	render nginx/nginx.conf.template nginx.conf PARLEY_RUN_DIR NGINX_USER_LINE \
		NGINX_OPEN_FILES
	render nginx/parley.conf.template parley.conf NGINX_LISTEN NGINX_ACCESS_LOG WEB_ROOT \
		{IDENTITY,WEBSOCKET,PERSISTENCE}_UPSTREAM WEBSOCKET_ROUTE \
		{IDENTITY,WEBSOCKET,PERSISTENCE}_ADMIN_UPSTREAM
)

# The settings of the services, for tests and for later commands; it holds no secret.
write_env() {
	local name
	for name in "${SETTINGS[@]}"; do
		[[ -z ${!name-} || $name =~ _PASSWORD$ ]] || echo "$name=${!name}"
	done >"$RUN/conf/env"
}

# --- supervisord ------------------------------------------------------------------

# supervisord stops one group after the other, the highest priority first: the
# services drain while their servers still run. In the worst case both times together
# exceed the launcher's own limit (STOP_LIMIT_MS); usually both take a second.
write_supervisor_conf() {
	local name servers services
	printf -v servers '%s,' "${SERVERS[@]}" nginx
	printf -v services '%s,' "${SERVICES[@]}"
	{
		cat <<-END
			[supervisord]
			nodaemon=true
			silent=true
			logfile=$RUN/log/supervisord.log
			logfile_maxbytes=0
			pidfile=$RUN/pid/supervisord.pid
			childlogdir=$RUN/log
			minfds=1024
			$([[ $EUID -ne 0 ]] || echo user=root)

			[unix_http_server]
			file=$SOCKETS/supervisor.sock
			chmod=0700

			[supervisorctl]
			serverurl=unix://$SOCKETS/supervisor.sock

			[rpcinterface:supervisor]
			supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

			[group:servers]
			programs=${servers%,}
			priority=10

			[group:services]
			programs=${services%,}
			priority=20

		END
		for name in "${SERVERS[@]}" nginx; do
			supervisor_program "$name" true 13
		done
		for name in "${SERVICES[@]}"; do
			supervisor_program "$name" false 10
		done
	} >"$RUN/conf/supervisord.conf"
}

# The kernel signals a program when its supervisord has ended (--pdeathsig), so nothing
# outlives a killed launcher.
supervisor_program() {
	local name=$1 autostart=$2 stop_s=$3
	cat <<-END
		[program:$name]
		command=setpriv --pdeathsig TERM bash $RUN/conf/program $name
		directory=$RUN/data/$name
		autostart=$autostart
		autorestart=true
		startsecs=1
		startretries=1000000
		stopwaitsecs=$stop_s
		stopasgroup=true
		killasgroup=true
		redirect_stderr=true
		stdout_logfile=$RUN/log/$name.log
		stdout_logfile_maxbytes=${PARLEY_LOG_LIMIT_MB}MB
		stdout_logfile_backups=1

	END
}
