# What brings the stack up and down on this machine, without Docker.
#
#	make reset      wipes the data, logs and secrets of make run
#	make deps       installs the Debian packages that are missing
#	make kafka-jars fetches Apache Kafka into the cache folder

.PHONY: run reset deps kafka-jars

# deps comes first and the build is a second make, because the build asks
# pkg-config for libraries that may have been installed only a moment ago.
# The exec leaves the launcher as make's own child: signals reach it directly.
run: deps
	@$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc)) all
	@deploy/kafka/fetch-jars
	@exec deploy/stack run

reset:
	@exec deploy/stack reset

deps:
	@deploy/install-packages

kafka-jars:
	@deploy/kafka/fetch-jars
