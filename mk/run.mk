# Starts and stops the stack on this machine, without Docker.
#
#	make reset      wipes the data, logs and secrets of make run
#	make deps       installs the Debian packages that are missing
#	make kafka-jars fetches Apache Kafka into the cache folder

.PHONY: run reset deps kafka-jars line-ends writable

# The build is a second make, because it uses all cores. With exec the launcher is
# make's own child, so signals reach it directly.
run: deps writable
	@$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) all
	@deploy/kafka/fetch-jars
	@PARLEY_BUILD="$${PARLEY_BUILD:-$(BUILD)}" exec deploy/stack run

reset:
	@exec deploy/stack reset

deps: line-ends
	@deploy/install-packages

# No script starts when its first line ends with CR LF, as after a clone by a Git that
# changes line ends.
line-ends:
	@! grep -q $$'\r$$' deploy/stack || { echo "parley: the lines of these files end with \
	CR LF, so no script starts: clone again with git clone -c core.autocrlf=false" >&2; exit 100; }

# A checkout that cannot be written is good enough when it is built already.
writable:
	@[[ -w build || (! -e build && -w .) ]] || $(MAKE) -q --no-print-directory all || { \
	echo "parley: $$(id -un) cannot write this folder, and build/ belongs into it: copy the \
	checkout to a folder of yours" >&2; exit 111; }

kafka-jars:
	@deploy/kafka/fetch-jars
