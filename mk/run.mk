# Starts and stops the stack on this machine, without Docker.
#
#	make reset      wipes the data, logs and secrets of make run
#	make deps       installs the Debian packages that are missing
#	make kafka-jars fetches Apache Kafka into the cache folder

.PHONY: run reset deps kafka-jars

# The build is a second make, because it uses all cores. With exec the launcher is
# make's own child, so signals reach it directly.
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
