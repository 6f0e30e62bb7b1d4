# What measures speed.
#
#	make bench          speed and memory beside the targets; PARTS="connect room" for some
#	make bench-hostile  what attackers do to the latency of everybody else
.PHONY: bench bench-run bench-hostile

PARTS ?=

# A second make, because pkg-config is asked about what was only just installed.
bench:
	@deploy/install-packages --test
	@$(MAKE_AGAIN) VARIANT=release bench-run

bench-run: $(PROGRAMS) $(VENV_READY)
	@deploy/kafka/fetch-jars
	@exec $(VENV)/bin/python bench/run $(PARTS)

bench-hostile: deps
	@$(MAKE) --no-print-directory VARIANT=release all
	@deploy/kafka/fetch-jars
	@exec bench/hostile
