# readiness.sh - when is a program ready; waiting for it, never for ever.
# shellcheck shell=bash

wait_for_servers() {
	wait_all "${SERVERS[@]}" nginx
}

wait_for_services() {
	wait_all "${SERVICES[@]}"
	wait_all public_door
}

wait_until_ready() {
	wait_all "$1"
}

# wait_all NAME... polls each until it is ready, all against one deadline.
wait_all() {
	local waiting=("$@") still name deadline
	deadline=$(($(now_ms) + PARLEY_START_TIMEOUT_S * 1000))
	while [[ ${#waiting[@]} -gt 0 ]]; do
		still=()
		for name in "${waiting[@]}"; do
			is_ready "$name" || still+=("$name")
		done
		waiting=("${still[@]}")
		[[ ${#waiting[@]} -gt 0 ]] || break
		supervisor_alive || not_ready "${waiting[@]}"
		(($(now_ms) < deadline)) || not_ready "${waiting[@]}"
		sleep 0.05
	done
}

supervisor_alive() {
	[[ -z $SUPERVISOR ]] || alive "$SUPERVISOR"
}

not_ready() {
	local name
	if ! supervisor_alive; then
		echo "parley: supervisord ended; the last lines of $(short "$RUN")/log:" >&2
		last_lines "$RUN/log/supervisord.log"
		last_lines "$RUN/log/supervisord.out"
		exit 111
	fi
	for name; do
		[[ $name != public_door ]] || name=nginx
		echo "parley: $name is not ready after $PARLEY_START_TIMEOUT_S s" \
			"(PARLEY_START_TIMEOUT_S); the last lines of $(short "$RUN")/log/$name.log:" >&2
		last_lines "$RUN/log/$name.log"
	done
	exit 111
}

# --- what ready means ------------------------------------------------------------

is_ready() {
	"ready_${1//-/_}" >/dev/null 2>&1
}

ready_mariadb() {
	mysql_ask "$IDENTITY_DATABASE" && mysql_ask "$PERSISTENCE_DATABASE"
}

mysql_ask() {
	mariadb --defaults-file="$RUN/conf/mariadb-client.cnf" -N -e 'SELECT 1' "$1"
}

ready_redis() {
	[[ $(redis_ping 2>&1) == PONG ]]
}

redis_ping() {
	local password=${REDIS_PASSWORD-}
	[[ -z ${REDIS_PASSWORD_FILE-} ]] || password=$(<"$REDIS_PASSWORD_FILE")
	if [[ -n $password ]]; then
		export REDISCLI_AUTH=$password
	fi
	timeout 5 redis-cli -h "$REDIS_HOST" -p "$REDIS_PORT" ping
}

ready_kafka() {
	kcat -b "$KAFKA_BROKERS" -L -m 2 -X log_level=0
}

ready_nginx() {
	[[ $(http_status "http://$REACH:$PARLEY_PORT/") == 404 ]]
}

ready_identity_service() {
	[[ $(http_status "http://$REACH:$IDENTITY_ADMIN_PORT/readyz") == 200 ]]
}

ready_websocket_service() {
	[[ $(http_status "http://$REACH:$WEBSOCKET_ADMIN_PORT/readyz") == 200 ]]
}

ready_persistence_service() {
	[[ $(http_status "http://$REACH:$PERSISTENCE_ADMIN_PORT/readyz") == 200 ]]
}

ready_public_door() {
	[[ $(http_status "http://$REACH:$PARLEY_PORT/readyz") == 200 ]]
}

http_status() {
	curl -s -o /dev/null -m 3 --noproxy '*' -w '%{http_code}' "$1" || true
}

# --- topics ------------------------------------------------------------------------

# In the background, because bash looks at a signal only once the program in the
# foreground has ended.
make_topics() {
	local log=$RUN/log/init-topics.log
	timeout "$PARLEY_START_TIMEOUT_S" \
		"$PARLEY_BUILD/persistence-service/persistence-service" --init-topics \
		>"$log" 2>&1 </dev/null {LOCK}>&- &
	TOPICS_MAKER=$!
	if wait "$TOPICS_MAKER"; then
		TOPICS_MAKER=''
		return
	fi
	echo "parley: the topics could not be made; the last lines of $(short "$log"):" >&2
	last_lines "$log"
	exit 111
}
