# What measures speed.
#
#	make bench          speed and memory beside the targets; PARTS="connect room" for some
#	make bench-hostile  what attackers do to the latency of other users
#	make bench-curves   the same with more stored messages; draws docs/performance/*.svg
#	make bench-soak     does anything grow? SOAK_MINUTES=20
.PHONY: bench bench-run bench-hostile bench-curves bench-soak

PARTS ?=

# A second make, because the figures are those of a release build.
bench:
	@deploy/install-packages --test
	@$(MAKE_AGAIN) VARIANT=release bench-run

bench-run: $(PROGRAMS) $(TEST_PROGRAMS) $(VENV_READY)
	@deploy/kafka/fetch-jars
	@exec $(VENV)/bin/python bench/run $(PARTS)

bench-hostile: deps
	@$(MAKE) --no-print-directory VARIANT=release programs
	@deploy/kafka/fetch-jars
	@exec bench/hostile $(PARTS)

bench-soak: deps
	@$(MAKE) --no-print-directory VARIANT=release programs
	@deploy/kafka/fetch-jars
	@exec bench/soak

PLOT_VENV       := $(or $(PARLEY_CACHE_DIR),.cache)/venv-bench
PLOT_VENV_READY := $(PLOT_VENV)/.installed

bench-curves: deps $(PLOT_VENV_READY)
	@$(MAKE) --no-print-directory VARIANT=release programs
	@deploy/kafka/fetch-jars
	@exec $(PLOT_VENV)/bin/python bench/curves

$(PLOT_VENV_READY): bench/requirements.txt
	@$(PYTHON3) -m venv --clear $(PLOT_VENV)
	@$(PLOT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
