# checks.sh - what the machine must offer; checked before any program starts.
# shellcheck shell=bash

check_machine() {
	check_tools
	check_built
	check_disk
	check_ports_free
	check_external_servers
	report_faults 111
}

check_tools() {
	need supervisord supervisor
	need supervisorctl supervisor
	need nginx nginx-light
	need python3 python3
	need envsubst gettext-base
	need curl curl
	need ps procps
	need kcat kcat
	need mariadb mariadb-server
	need redis-cli redis-server
	need setpriv util-linux
	need flock util-linux
	if is_own mariadb; then
		need mariadbd mariadb-server
		need mariadb-install-db mariadb-server
	fi
	! is_own redis || need redis-server redis-server
	! is_own kafka || need_java
	# The other checks use these tools.
	report_faults 111
}

need() {
	command -v "$1" >/dev/null ||
		fault "$1 is missing (Debian package $2); deploy/install-packages installs it"
}

need_java() {
	PARLEY_JAVA=$(find_java) ||
		fault "there is no Java 17 or later, which Kafka needs (Debian package" \
			"default-jdk-headless; deploy/install-packages installs it)"
	export PARLEY_JAVA
}

check_built() {
	local name
	for name in "${SERVICES[@]}"; do
		[[ -x $PARLEY_BUILD/$name/$name ]] ||
			fault "$(short "$PARLEY_BUILD/$name/$name") is not built; run: make"
	done
	if is_own kafka && [[ ! -e $PARLEY_CACHE_DIR/kafka/libs/pom.xml ]]; then
		fault "Kafka's jars are not in $(short "$PARLEY_CACHE_DIR"); run: make kafka-jars"
	fi
}

check_disk() {
	local free_mb
	free_mb=$(df -Pm -- "$RUN" | awk 'NR == 2 { print $4 }')
	((free_mb >= PARLEY_MIN_FREE_MB)) ||
		fault "the disk of $(short "$RUN") has $free_mb MiB free, but Parley needs" \
			"$PARLEY_MIN_FREE_MB: free some space, set PARLEY_RUN_DIR to a folder" \
			"on another disk, or lower PARLEY_MIN_FREE_MB"
}

check_ports_free() {
	local entry name port
	local -A taken=()
	while read -r port; do
		taken[$((16#$port))]=yes
	done < <(awk '$4 == "0A" { n = split($2, a, ":"); print a[n] }' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null)
	for entry in "${OWN_PORTS[@]}"; do
		name=${entry%:*}
		[[ -z ${taken[${!name}]-} ]] ||
			fault "port ${!name} of ${entry#*:} is in use$(port_user "${!name}"); set $name" \
				"to another port, or PARLEY_PORT_SHIFT to move all ports"
	done
}

# port_user PORT prints which program uses a port, if ss can tell.
port_user() {
	command -v ss >/dev/null || return 0
	ss -Hltnp "sport = :$1" 2>/dev/null |
		sed -n 's/.*(("\([^"]*\)",pid=\([0-9]*\).*/ by \1, pid \2/p;T;q' || true
}

# --- servers that Parley does not start -----------------------------------------

check_external_servers() {
	local why
	if ! is_own kafka; then
		why=$(kcat -F /dev/null -b "$KAFKA_BROKERS" -L -m 5 2>&1 >/dev/null) ||
			fault "KAFKA_BROKERS=$KAFKA_BROKERS cannot be reached: ${why##*$'\n'}"
	fi
	if ! is_own redis; then
		why=$(redis_ping 2>&1) || true
		[[ ${why##*$'\n'} == PONG ]] ||
			fault "REDIS_HOST=$REDIS_HOST port $REDIS_PORT does not answer: $why"
	fi
	if ! is_own mariadb; then
		write_mysql_client_conf
		check_external_database "$IDENTITY_DATABASE" IDENTITY_DATABASE
		check_external_database "$PERSISTENCE_DATABASE" PERSISTENCE_DATABASE
	fi
}

check_external_database() {
	local why
	why=$(mysql_ask "$1" 2>&1 >/dev/null) ||
		fault "MYSQL_HOST=$MYSQL_HOST port $MYSQL_PORT, user $MYSQL_USER, database $1" \
			"($2) cannot be used: $why"
}
