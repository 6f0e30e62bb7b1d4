# surroundings.sh - what surrounds a script of this folder and must not change what the
# script does: options and functions of other shells, variables that other programs read.
# shellcheck shell=bash
#
# A script sources this file before it defines its own functions, and with CDPATH unset,
# because it has to find this file.

# --- the shell --------------------------------------------------------------------
# BASH_ENV, SHELLOPTS and BASHOPTS set options, and "export -f" replaces commands. A
# script sets its own options after this.
forget_other_shells() {
	local name
	set +o allexport +o ignoreeof +o keyword +o noclobber +o noexec +o noglob +o posix \
		+o physical +o verbose +o xtrace
	shopt -u dotglob failglob nocaseglob nocasematch nullglob xpg_echo
	shopt -s extquote sourcepath
	while read -r _ _ name; do
		[[ $name == forget_other_shells ]] || unset -f "$name"
	done < <(builtin declare -F)
	unset -f forget_other_shells
	unalias -a
	export -n SHELLOPTS BASHOPTS
	IFS=$' \t\n'
}
forget_other_shells

unset BASH_ENV ENV POSIXLY_CORRECT
# What the programs that a script calls read, beside what the script tells them.
unset GREP_OPTIONS BLOCK_SIZE BLOCKSIZE DF_BLOCK_SIZE \
	PS_FORMAT PS_PERSONALITY CMD_ENV I_WANT_A_BROKEN_PS \
	PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONINSPECT \
	KCAT_CONFIG REDISCLI_AUTH MYSQL_PWD MYSQL_TEST_LOGIN_FILE UMASK UMASK_DIR
export LC_ALL=C
[[ -z ${TMPDIR-} || (-d $TMPDIR && -w $TMPDIR) ]] || unset TMPDIR

# --- Java -------------------------------------------------------------------------
# Kafka 3.9 needs Java 17. A JVM may print lines of its own before its version.
java_version() {
	"$1" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p;T;q'
}

# find_java prints the path of a Java that can run Kafka: the one in PATH if it can.
find_java() {
	local java version
	for java in "$(type -P java || true)" "${JAVA_HOME:+$JAVA_HOME/bin/java}" \
		/usr/bin/java /usr/lib/jvm/*/bin/java; do
		[[ -n $java && -x $java ]] || continue
		version=$(java_version "$java") || continue
		[[ -n $version && $version -ge 17 ]] || continue
		echo "$java"
		return
	done
	return 1
}
