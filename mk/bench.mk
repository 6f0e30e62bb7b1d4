# What measures speed.
#
#	make bench          speed and memory on a stack of its own, beside the targets
#	make bench-hostile  what attackers do to the latency of everybody else
.PHONY: bench bench-hostile

bench: deps
	@$(MAKE) --no-print-directory VARIANT=release all
	@deploy/kafka/fetch-jars
	@exec bench/run

bench-hostile: deps
	@$(MAKE) --no-print-directory VARIANT=release all
	@deploy/kafka/fetch-jars
	@exec bench/hostile
