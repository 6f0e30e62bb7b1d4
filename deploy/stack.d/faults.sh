# faults.sh - what the launcher says when something is wrong.
# shellcheck shell=bash

# Settings and the machine are checked as a whole, so that a person reads all
# faults at once.
FAULTS=()

fault() {
	FAULTS+=("$*")
}

# report_faults CODE ends the launcher if there are any.
report_faults() {
	[[ ${#FAULTS[@]} -gt 0 ]] || return 0
	local text
	for text in "${FAULTS[@]}"; do
		complain "$text"
	done
	exit "$1"
}

# show_log FILE TEXT prints TEXT and the last lines of a log.
show_log() {
	complain "$2; the last lines of $(short "$1"):"
	[[ ! -s $1 ]] || tail -n 5 -- "$1" | sed 's/^/    /' >&2
}

# A path as the launcher shows it: relative if it is in the checkout.
short() {
	echo "${1#"$ROOT"/}"
}

now_ms() {
	echo "$((${EPOCHREALTIME/./} / 1000))"
}
