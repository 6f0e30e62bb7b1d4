# processes.sh - supervisord and everything below it: start, find, stop.
#
# The stack is one session, led by supervisord. Its processes are those of that
# session whose working directory is in the run directory; both together fit
# nothing else, even if a number was given out again.
# shellcheck shell=bash

# What a person may wait for Ctrl-C; after that the rest is killed.
STOP_LIMIT_MS=14500

# Background jobs of the launcher itself.
SUPERVISOR=''
TOPICS_MAKER=''

# One launcher at a time works on a run directory; the kernel lets go of the
# lock when the launcher ends, in whichever way.
take_lock() {
	mkdir -p -- "$RUN"
	exec {LOCK}>>"$RUN/lock"
	flock -n "$LOCK" ||
		fail 111 "another launcher is at work in $(short "$RUN"); Ctrl-C it, or set" \
			"PARLEY_RUN_DIR and PARLEY_PORT_SHIFT for a second stack"
}

# start_supervisor up|run. In a session of its own, so that a Ctrl-C at the
# terminal reaches the launcher alone and the order of stopping stays ours. With
# run it ends when the launcher does, even when that is killed.
start_supervisor() {
	local wrap=()
	echo "$1" >"$RUN/conf/mode"
	[[ $1 == up ]] || wrap=(setpriv --pdeathsig TERM)
	(
		cd -- "$RUN" || exit
		exec {LOCK}>&- {SCREEN}>&-
		exec setsid "${wrap[@]}" supervisord -c "$RUN/conf/supervisord.conf" \
			</dev/null >>"$RUN/log/supervisord.out" 2>&1
	) &
	SUPERVISOR=$!
	echo "$SUPERVISOR" >"$RUN/pid/session"
}

# As many as wanted, or as many as this user may have.
raise_file_limit() {
	ulimit -n "$PARLEY_OPEN_FILES" 2>/dev/null || ulimit -Sn "$(ulimit -Hn)" || true
}

# --- finding -------------------------------------------------------------------------

# The pids of this stack's processes, supervisord's among them.
stack_members() {
	local session pid folder
	[[ -s $RUN/pid/session ]] || return 0
	session=$(<"$RUN/pid/session")
	for pid in $(ps -o pid= -s "$session"); do
		folder=$(readlink -- "/proc/$pid/cwd" 2>/dev/null) || continue
		[[ $folder != "$RUN" && $folder != "$RUN"/* ]] || echo "$pid"
	done
}

program_pid() {
	local pid
	[[ -s $RUN/pid/$1.pid ]] || return 1
	pid=$(<"$RUN/pid/$1.pid")
	[[ $(readlink -- "/proc/$pid/cwd" 2>/dev/null) == "$RUN/data/$1"* ]] || return 1
	echo "$pid"
}

# Zombies count as gone.
alive() {
	[[ -n $(readlink -- "/proc/$1/cwd" 2>/dev/null) ]]
}

# A launcher that was killed takes its stack along, in order; that takes a
# moment, and supervisord itself may have been killed too.
clear_leftovers() {
	local members mode
	members=$(stack_members)
	[[ -n $members ]] || return 0
	mode=$(cat -- "$RUN/conf/mode" 2>/dev/null) || mode=run
	[[ $mode == run ]] ||
		fail 111 "a stack runs from $(short "$RUN") already; deploy/stack down stops it"
	say "a run that was killed is still stopping (pids ${members//$'\n'/ }); waiting for it"
	stop_stack
}

# --- stopping -----------------------------------------------------------------------

# Exactly what belongs to this stack: supervisord in good order, what is left
# after the limit by force.
stop_stack() {
	local members started
	[[ -z $TOPICS_MAKER ]] || kill "$TOPICS_MAKER" 2>/dev/null || true
	members=$(stack_members)
	[[ -n $members ]] || return 0
	say "stopping; data stays in $(short "$RUN")"
	started=$(now_ms)
	ask_to_stop
	wait_until_gone "$((started + STOP_LIMIT_MS))" || kill_rest
	say "stopped in $((($(now_ms) - started + 50) / 100 * 100)) ms"
}

ask_to_stop() {
	local session
	session=$(<"$RUN/pid/session")
	if [[ " ${members//$'\n'/ } " == *" $session "* ]]; then
		kill -TERM "$session" 2>/dev/null || true
	else
		signal_members TERM
	fi
}

wait_until_gone() {
	while [[ -n $(stack_members) ]]; do
		(($(now_ms) < $1)) || return 1
		sleep 0.05
	done
}

kill_rest() {
	local pid
	for pid in $(stack_members); do
		say "$(cat "/proc/$pid/comm" 2>/dev/null || echo it) (pid $pid) did not stop; killed"
	done
	signal_members KILL
	wait_until_gone "$(($(now_ms) + 2000))" ||
		fail 111 "these processes cannot be ended: $(stack_members | tr '\n' ' ')"
}

signal_members() {
	local pid
	for pid in $(stack_members); do
		kill "-$1" "$pid" 2>/dev/null || true
	done
}

# --- one program ----------------------------------------------------------------------

# control start|stop NAME
control() {
	local group=services answer
	[[ " ${SERVICES[*]} " == *" $2 "* ]] || group=servers
	answer=$(supervisorctl -c "$RUN/conf/supervisord.conf" "$1" "$group:$2" 2>&1) ||
		[[ $answer == *"not running"* || $answer == *"already started"* ]] ||
		fail 111 "$2: ${answer#*: }"
}

start_services() {
	# It waits a second to see whether they stay; readiness is asked meanwhile.
	supervisorctl -c "$RUN/conf/supervisord.conf" start 'services:*' \
		>/dev/null 2>&1 {LOCK}>&- {SCREEN}>&- &
}

# report_deaths SUPERVISOR reads supervisord's log, and says in plain words that
# a program died and was started again. It ends with supervisord.
report_deaths() {
	local line name
	local -A reasons=()
	while IFS= read -r line; do
		if [[ $line =~ \ exited:\ ([a-z-]+)\ \((.*)\;\ (not\ )?expected\) ]]; then
			reasons[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]#terminated by }
		elif [[ $line =~ \ spawned:\ \'([a-z-]+)\'\ with\ pid\ ([0-9]+) ]]; then
			name=${BASH_REMATCH[1]}
			[[ -n ${reasons[$name]-} ]] || continue
			say "$name died (${reasons[$name]}); started again as pid ${BASH_REMATCH[2]}"
			unset "reasons[$name]"
		fi
	done < <(tail --pid="$1" -s 0.1 -n 0 -F -- "$RUN/log/supervisord.log" 2>/dev/null)
}

# watch_terminal LAUNCHER tells the launcher when its terminal is closed. The
# kernel tells only the first process on it, which may be a make that waits.
watch_terminal() {
	local never
	[[ -t 0 ]] || return 0
	exec {never}<> <(:)
	while alive "$1"; do
		{ : </dev/tty; } 2>/dev/null || kill -HUP "$1" 2>/dev/null || return 0
		read -r -t 1 -u "$never" || true
	done
}
