# say.sh - how the launcher speaks: one line per fact, faults on stderr.
# shellcheck shell=bash

# The terminal may be gone; what is being done must be done all the same.
say() {
	echo "parley: $*" 2>/dev/null || true
}

# fail CODE TEXT... ends the launcher.
fail() {
	local code=$1
	shift
	echo "parley: $*" >&2 || true
	exit "$code"
}

# A path as it is shown: relative where it lies in the checkout.
short() {
	echo "${1#"$ROOT"/}"
}

last_lines() {
	[[ ! -s $1 ]] || tail -n 5 -- "$1" | sed 's/^/    /' >&2
}

now_ms() {
	echo "$((${EPOCHREALTIME/./} / 1000))"
}

# --- faults are gathered, so that all are told at once ------------------------

FAULTS=()

fault() {
	FAULTS+=("$*")
}

# report_faults CODE ends the launcher if there are any.
report_faults() {
	[[ ${#FAULTS[@]} -gt 0 ]] || return 0
	printf 'parley: %s\n' "${FAULTS[@]}" >&2
	exit "$1"
}
