# readiness.sh - when a program is ready, and waiting for it until a deadline.
# shellcheck shell=bash

# wait_all NAME... polls the programs until all are ready; they share one deadline.
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
		progress "starting; not ready yet: ${waiting[*]//_/ }"
		sleep 0.05
	done
	[[ ! -t 1 ]] || printf '\033[K'
}

supervisor_alive() {
	[[ -z $SUPERVISOR ]] || alive "$SUPERVISOR"
}

not_ready() {
	local name
	if ! supervisor_alive; then
		show_log "$RUN/log/supervisord.log" "supervisord ended"
		show_log "$RUN/log/supervisord.out" "supervisord ended"
		exit 111
	fi
	for name; do
		[[ $name != public_door ]] || name=nginx
		show_log "$RUN/log/$name.log" \
			"$name is not ready after $PARLEY_START_TIMEOUT_S s (PARLEY_START_TIMEOUT_S)"
	done
	exit 111
}

# --- checks ----------------------------------------------------------------------

is_ready() {
	case "$1" in
	mariadb) mysql_ask "$IDENTITY_DATABASE" && mysql_ask "$PERSISTENCE_DATABASE" ;;
	redis) [[ $(redis_ping) == PONG ]] ;;
	kafka) kcat -F /dev/null -b "$KAFKA_BROKERS" -L -m 2 -X log_level=0 ;;
	nginx) answers 200 "$PARLEY_PORT" / ;;
	public_door) answers 200 "$PARLEY_PORT" /readyz ;;
	identity-service) answers 200 "$IDENTITY_ADMIN_PORT" /readyz ;;
	websocket-service) answers 200 "$WEBSOCKET_ADMIN_PORT" /readyz ;;
	persistence-service) answers 200 "$PERSISTENCE_ADMIN_PORT" /readyz ;;
	esac >/dev/null 2>&1
}

# answers STATUS PORT PATH
answers() {
	[[ $(curl -q -s -o /dev/null -m 3 --noproxy '*' -w '%{http_code}' \
		"http://$REACH:$2$3") == "$1" ]]
}

mysql_ask() {
	mariadb --defaults-file="$RUN/conf/mariadb-client.cnf" -N -e 'SELECT 1' "$1"
}

redis_ping() {
	local password=${REDIS_PASSWORD-}
	[[ -z ${REDIS_PASSWORD_FILE-} ]] || password=$(<"$REDIS_PASSWORD_FILE")
	if [[ -n $password ]]; then
		export REDISCLI_AUTH=$password
	fi
	timeout 5 redis-cli -h "$REDIS_HOST" -p "$REDIS_PORT" ping
}

# --- topics ------------------------------------------------------------------------

# In the background, because bash handles a signal only after the program in the
# foreground has ended.
#
# A broker on a busy machine may answer and still be fenced: it sends its first
# heartbeats too late. It makes no topics until the controller has it back.
make_topics() {
	local log=$RUN/log/init-topics.log deadline
	deadline=$(($(now_ms) + PARLEY_START_TIMEOUT_S * 1000))
	while true; do
		timeout "$PARLEY_START_TIMEOUT_S" \
			"$PARLEY_BUILD/persistence-service/persistence-service" --init-topics \
			>"$log" 2>&1 </dev/null {LOCK}>&- &
		TOPICS_MAKER=$!
		! wait "$TOPICS_MAKER" || break
		if ! grep -q 'brokers are currently fenced' "$log" ||
			(($(now_ms) >= deadline)); then
			show_log "$log" "the topics could not be made"
			exit 111
		fi
		sleep 0.2
	done
	TOPICS_MAKER=''
}
