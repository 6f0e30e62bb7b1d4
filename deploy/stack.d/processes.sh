# processes.sh - supervisord and everything below it: start, find, stop.
#
# The stack is one session, which supervisord leads. A process belongs to the stack
# if it is in that session and its working directory is in the run directory. Both
# together match no other process, even if the kernel has reused a number.
# shellcheck shell=bash

# How long Ctrl-C may take; after that the launcher kills the rest.
STOP_LIMIT_MS=14500

# Background jobs of the launcher itself.
SUPERVISOR=''
TOPICS_MAKER=''

# What a killed launcher has started may hold its lock for a moment: a readiness check.
LOCK_WAIT_S=15

# One launcher at a time works on a run directory. The kernel releases the lock when the
# launcher and the commands that it was running have ended, however they end.
take_lock() {
	make_run_dir
	exec {LOCK}>>"$RUN/lock"
	flock -n "$LOCK" || wait_for_lock
	launcher_id "$$" 2>/dev/null >"$RUN/launcher" || true # the disk may be full
}

wait_for_lock() {
	local owner=''
	[[ ! -s $RUN/launcher ]] || owner=$(<"$RUN/launcher")
	if [[ -z $owner || $owner != "$(launcher_id "${owner%% *}")" ]]; then
		flock -w "$LOCK_WAIT_S" "$LOCK" && return
	fi
	fail 111 "another launcher${owner:+ (pid ${owner%% *})} is at work in $(short "$RUN");" \
		"Ctrl-C it, or set PARLEY_RUN_DIR and PARLEY_PORT_SHIFT for a second stack"
}

# launcher_id PID prints the pid and when that process started, which together name one
# process; nothing for a process that has ended.
launcher_id() {
	local stat
	alive "$1" || return 0
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	# The second field is the command's name in brackets, which may hold blanks.
	read -r -a stat <<<"${stat##*) }"
	echo "$1 ${stat[19]}"
}

make_run_dir() {
	mkdir -p -- "$RUN" 2>/dev/null || true
	[[ -d $RUN && -w $RUN ]] ||
		fail 111 "$RUN is not a folder that $(id -un) can write: set PARLEY_RUN_DIR to a" \
			"folder for the data, for example PARLEY_RUN_DIR=$(plain_home)/parley-run"
}

# start_supervisor up|run. supervisord gets a session of its own: Ctrl-C reaches only
# the launcher, which then stops the programs in order. With run the kernel ends
# supervisord when the launcher ends, even if the launcher is killed.
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

# A zombie is not alive.
alive() {
	[[ -n $(readlink -- "/proc/$1/cwd" 2>/dev/null) ]]
}

# When a launcher is killed, its supervisord stops the programs in order, which
# takes a moment. supervisord may have been killed, too.
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

# stop_stack stops the processes of this stack and no others. supervisord stops its
# programs in order; the launcher kills what still runs after the limit.
stop_stack() {
	local members session started
	[[ -z $TOPICS_MAKER ]] || kill "$TOPICS_MAKER" 2>/dev/null || true
	members=$(stack_members)
	[[ -n $members ]] || return 0
	say "stopping; the data stays in $(short "$RUN")"
	started=$(now_ms)
	session=$(<"$RUN/pid/session")
	if [[ " ${members//$'\n'/ } " == *" $session "* ]]; then
		kill -TERM "$session" 2>/dev/null || true
	else
		signal_members TERM
	fi
	wait_until_gone "$((started + STOP_LIMIT_MS))" || kill_rest
	say "stopped in $((($(now_ms) - started + 50) / 100 * 100)) ms"
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
		say "$(cat "/proc/$pid/comm" 2>/dev/null || echo a process) (pid $pid) did not" \
			"stop in time and is killed"
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
	# supervisorctl waits a second for each service to stay up. The launcher polls
	# their readiness meanwhile.
	supervisorctl -c "$RUN/conf/supervisord.conf" start 'services:*' \
		>/dev/null 2>&1 {LOCK}>&- {SCREEN}>&- &
}

# report_deaths SUPERVISOR follows supervisord's log, and prints a line when a
# program died and was started again. It ends when supervisord ends.
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

# watch_terminal LAUNCHER sends the launcher a SIGHUP when its terminal is closed. The
# kernel signals only the terminal's first process, which may be a waiting make.
watch_terminal() {
	local never
	[[ -t 0 ]] || return 0
	exec {never}<> <(:)
	while alive "$1"; do
		{ : </dev/tty; } 2>/dev/null || kill -HUP "$1" 2>/dev/null || return 0
		read -r -t 1 -u "$never" || true
	done
}
