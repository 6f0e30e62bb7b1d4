# What measures speed.
#
#	make bench      speed and memory on a stack of its own, beside the targets
.PHONY: bench

bench: deps
	@$(MAKE) --no-print-directory VARIANT=release all
	@deploy/kafka/fetch-jars
	@exec bench/run
