# say.sh - what the scripts of this folder tell a person: one line per fact.
# shellcheck shell=bash
#
# A step that takes long shows how far it is in one line, which it rewrites. That
# line leaves the cursor at its beginning, so the next message overwrites it. An
# output that is no terminal gets the first and the last line of a step only.

# The terminal may be closed by now; the work goes on all the same.
say() {
	{ [[ ! -t 1 ]] || printf '\033[K'; echo "parley: $*"; } 2>/dev/null || true
}

# begin TEXT starts a step; say ends it.
begin() {
	if [[ -t 1 ]]; then progress "$1"; else say "$1"; fi
}

# progress TEXT tells how far the step is.
progress() {
	[[ ! -t 1 ]] || printf 'parley: %.70s\033[K\r' "$1" 2>/dev/null || true
}

complain() {
	{ [[ ! -t 2 ]] || printf '\033[K'; echo "parley: $*"; } >&2 || true
}

# fail CODE TEXT... ends the script.
fail() {
	local code=$1
	shift
	complain "$@"
	exit "$code"
}
