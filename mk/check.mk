# Everything that is checked.
#
#	make test          all of it, on servers and ports of its own
#	make layers        who includes whom
#	make lint          banned calls, shell scripts, machine paths
#	make tidy          clang-tidy
#	make format-check  clang-format
#	make build-all     gcc, clang, sanitizers and fuzzers
#	make hardening     what the linker made of the hardening flags
#	make unit          cmocka tests; unit-asan, unit-tsan, unit-valgrind
#	make integration   our modules against the real servers; integration-tsan
#	make blackbox      the running services, through foreign clients;
#	                   blackbox-asan, blackbox-tsan
#	make conformance   Autobahn's cases against the gateway, over raw sockets
#	make test-steps    each step of a message is killed, under the ledger
#	make test-mutants  planted bugs: does the ledger catch each of them?
#	make test-faults   everything dies and nothing is lost: SEED=n MINUTES=2 RATE=200
#	make test-compose  docker compose: images, scaling, restarts, bad set-ups
#	make accept        client-test's acceptance run; accept-valgrind
#	make fuzz          corpora replayed, then FUZZ_SECONDS=5 each
#	make papers        the protocol descriptions
TEST_STAGES := layers lint format-check papers \
	build-gcc build-clang build-asan build-fuzz \
	hardening tidy unit unit-asan unit-tsan unit-valgrind fuzz \
	integration integration-tsan accept accept-valgrind \
	conformance blackbox blackbox-asan blackbox-tsan \
	test-steps test-mutants test-faults test-compose

VENV         := $(or $(PARLEY_CACHE_DIR),.cache)/venv
VENV_READY   := $(VENV)/.installed
PYTHON3      := $(or $(wildcard /usr/bin/python3),python3)
# The programs that the black-box tests run: build/asan for a stricter look.
BLACKBOX_BUILD ?= build/release
PYTEST_FLAGS   ?=
FUZZ_SECONDS   ?= 5
MAKE_AGAIN   := $(MAKE) --no-print-directory
RUN_TESTS     = PARLEY_BUILD=$(BLACKBOX_BUILD) PYTHONDONTWRITEBYTECODE=1 \
	PYTHONPATH=tests/blackbox
PYTEST        = $(RUN_TESTS) $(VENV)/bin/python -m pytest -c tests/blackbox/pytest.ini \
	$(PYTEST_FLAGS)

.PHONY: test test-stages layers lint tidy format-check papers fuzz fuzz-run \
	unit unit-asan unit-tsan unit-valgrind \
	integration integration-asan integration-tsan \
	accept accept-valgrind valgrind-programs conformance \
	blackbox blackbox-asan blackbox-tsan everything \
	test-steps test-mutants test-faults test-compose \
	build-all build-gcc build-clang build-asan build-fuzz build-faults hardening

# A second make, because pkg-config is asked about what was only just installed.
test:
	@deploy/install-packages --test
	@$(MAKE_AGAIN) test-stages

test-stages:
	@tests/check/run $(TEST_STAGES)

REQUIREMENTS := tests/requirements.txt tests/docs/requirements.txt
$(VENV_READY): $(REQUIREMENTS)
	@$(PYTHON3) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		$(addprefix -r ,$(REQUIREMENTS))
	@touch $@

# --- sources ---------------------------------------------------------------
layers:
	@tests/check/layers

lint:
	@tests/check/lint

TIDY_PACKAGES := rdkafka libmicrohttpd libmariadb libcjson libcurl libuv libjwt \
	libcrypto hiredis libwebsockets libargon2
tidy:
	@TIDY_FLAGS="-std=gnu17 -D_FORTIFY_SOURCE=0 -I. \
		-DPARLEY_VERSION=\"tidy\" $(call pkg,$(TIDY_PACKAGES),--cflags)" \
		tests/check/tidy $(sort $(foreach s,$(SOURCES),$(if $(findstring /tests/,$(s))$(filter tests/support/% tests/fuzz/%,$(s)),,$(s))))

format-check: $(VENV_READY)
	@tests/check/format $(VENV)/bin/clang-format

papers: $(VENV_READY)
	@$(VENV)/bin/python tests/docs/validate

# --- builds ------------------------------------------------------------------
programs: $(PROGRAMS) $(TEST_PROGRAMS)
.PHONY: programs

everything: $(PROGRAMS) $(TEST_PROGRAMS) $(UNIT_TESTS) $(INTEGRATION_TESTS)

build-gcc:
	@$(MAKE_AGAIN) -j2 CC=gcc VARIANT=release everything

build-clang:
	@$(MAKE_AGAIN) -j2 CC=clang VARIANT=release everything

build-asan:
	@$(MAKE_AGAIN) -j2 CC=gcc VARIANT=asan everything

build-fuzz:
	@$(MAKE_AGAIN) -j2 CC=clang VARIANT=fuzz fuzzers

build-all: build-gcc build-clang build-asan build-fuzz

hardening: build-gcc build-clang
	@HARDENING_CC="$(CC)" HARDENING_CFLAGS="$(OPTIMISE_$(VARIANT)) $(HARDENING)" \
		HARDENING_LDFLAGS="$(HARDENING_LINK)" tests/check/hardening \
		$(PROGRAMS) $(TEST_PROGRAMS) \
		$(patsubst build/release/%,build/release-clang/%,$(PROGRAMS) $(TEST_PROGRAMS))

FUZZED := event frame identity json save_record settings utf8 websocket
$(foreach f,$(FUZZED),$(eval $(call fuzzer,tests/fuzz/fuzz_$(f).c,common,libcjson)))
$(eval $(call fuzzer,tests/fuzz/fuzz_token.c,common,libcjson libjwt libcrypto))
$(eval $(call fuzzer,tests/fuzz/fuzz_credentials.c,identity common,libcjson,-lunistring))
$(eval $(call fuzzer,tests/fuzz/fuzz_answer.c,client common,libcjson libcrypto))
$(eval $(call fuzzer,tests/fuzz/fuzz_http.c,common,libmicrohttpd libcjson))
$(eval $(call fuzzer,tests/fuzz/fuzz_request.c,persistence common,libmicrohttpd libcjson,-Xlinker --wrap=MHD_lookup_connection_value_n))
$(eval $(call fuzzer,tests/fuzz/fuzz_sync_cursor.c,persistence common,libcjson))
$(eval $(call fuzzer,tests/fuzz/fuzz_conversation_body.c,persistence common,libcjson libmariadb,-lunistring))
$(eval $(call fuzzer,tests/fuzz/fuzz_session.c,websocket common,libcrypto libcjson,$(addprefix -Xlinker --wrap=,clock_mono_ms clock_unix_ms random_u64)))

fuzzers: $(FUZZERS)
.PHONY: fuzzers

# --- runs ----------------------------------------------------------------------
unit: $(UNIT_TESTS)
	@tests/check/unit $(UNIT_TESTS)

# The same on another variant's build: unit-asan, integration-tsan, …
unit-asan unit-tsan: unit-%:
	@$(MAKE_AGAIN) -j2 VARIANT=$* unit

integration-asan integration-tsan: integration-%:
	@$(MAKE_AGAIN) -j2 VARIANT=$* BLACKBOX_BUILD=build/$* integration

# Threads meet on the main path, at start and stop and at limits; the rest asks
# one thread many things. Who is watched is not quick, and not small.
PYTEST_FLAGS_asan := -k 'not quick and not slow_readers'
PYTEST_FLAGS_tsan := -k '(main_path or services or limits) and not quick'

blackbox-asan blackbox-tsan: blackbox-%:
	@$(MAKE_AGAIN) -j2 VARIANT=$* BLACKBOX_BUILD=build/$* \
		PYTEST_FLAGS="$(or $(PYTEST_FLAGS),$(PYTEST_FLAGS_$*))" blackbox

# Valgrind's memcheck. The programs in build/valgrind start those of build/debug
# under it.
MEMCHECK := valgrind --leak-check=full --show-leak-kinds=definite \
	--errors-for-leak-kinds=definite --error-exitcode=66
REPORTS  := $(CURDIR)/build/test-logs/reports

unit-valgrind:
	@UNIT_TIMEOUT_S=300 UNIT_UNDER="$(MEMCHECK) --quiet" \
		$(MAKE_AGAIN) -j2 VARIANT=debug unit

accept-valgrind:
	@$(MAKE_AGAIN) -j2 VARIANT=debug valgrind-programs
	@$(MAKE_AGAIN) VARIANT=debug BLACKBOX_BUILD=build/valgrind accept

valgrind-programs: $(PROGRAMS) $(TEST_PROGRAMS)
	@for program in $(PROGRAMS) $(TEST_PROGRAMS); do \
		script=build/valgrind/$${program#$(BUILD)/}; \
		mkdir -p $${script%/*} && \
		printf '#!/bin/sh\nexec %s --log-file=%s %s "$$@"\n' "$(MEMCHECK)" \
			"$(REPORTS)/valgrind.%p" "$(CURDIR)/$$program" >$$script && \
		chmod +x $$script || exit; \
	done

fuzz:
	@$(MAKE_AGAIN) CC=clang VARIANT=fuzz fuzz-run

fuzz-run: $(FUZZERS)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/check/fuzz $(FUZZERS)

integration: $(INTEGRATION_TESTS) $(PROGRAMS) $(TEST_PROGRAMS) $(VENV_READY)
	@deploy/kafka/fetch-jars
	@$(RUN_TESTS) $(VENV)/bin/python -m support.with_stack \
		tests/check/unit $(INTEGRATION_TESTS)

accept: $(PROGRAMS) $(TEST_PROGRAMS) $(VENV_READY)
	@deploy/kafka/fetch-jars
	@$(RUN_TESTS) $(VENV)/bin/python -m support.with_stack \
		tests/check/accept $(BLACKBOX_BUILD)/client-test/client-test

blackbox: $(PROGRAMS) $(TEST_PROGRAMS) $(VENV_READY)
	@deploy/kafka/fetch-jars
	@$(PYTEST) tests/blackbox

# Builds in which a test may kill a service at each step of a message.
build-faults:
	@$(MAKE_AGAIN) -j2 CC=gcc VARIANT=faults programs

test-steps test-mutants: BLACKBOX_BUILD := build/faults
test-steps: build-faults $(VENV_READY)
	@deploy/kafka/fetch-jars
	@$(PYTEST) tests/steps

test-mutants: build-faults $(VENV_READY)
	@deploy/kafka/fetch-jars
	@$(PYTEST) tests/mutants

conformance: $(PROGRAMS) $(TEST_PROGRAMS) $(VENV_READY)
	@deploy/kafka/fetch-jars
	@$(PYTEST) -c tests/conformance/pytest.ini tests/conformance

# A run that fails is kept in build/test-logs/faults-SEED, and SEED belongs into
# tests/faults/seeds.txt. From ten minutes on servers are away for longer, too.
SEED    ?=
MINUTES ?= 2
RATE    ?= 200
FAULTS_PYTHON = PARLEY_BUILD=$(BLACKBOX_BUILD) PYTHONDONTWRITEBYTECODE=1 \
	PYTHONPATH=tests/blackbox:tests/faults $(VENV)/bin/python
CLOCK_SHIM := build/preload/clock.so

$(CLOCK_SHIM): tests/faults/clock.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu17 $(WARNINGS) -O2 -fPIC -shared -o $@ $<

test-faults: $(PROGRAMS) $(TEST_PROGRAMS) $(CLOCK_SHIM) $(VENV_READY)
	@deploy/kafka/fetch-jars
	@$(FAULTS_PYTHON) -m pytest -q -c tests/blackbox/pytest.ini $(PYTEST_FLAGS) tests/faults
	@exec env $(FAULTS_PYTHON) -m nemesis.main $(if $(SEED),--seed $(SEED)) \
		--minutes $(MINUTES) --rate $(RATE)

# Needs root where no engine runs: it starts one of its own. PARLEY_ENGINE_DIR keeps
# that one's images from one run to the next.
test-compose: $(TEST_PROGRAMS) $(VENV_READY)
	@deploy/install-packages --compose
	@deploy/kafka/fetch-jars
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/blackbox:tests/compose $(VENV)/bin/python \
		-m pytest -c tests/blackbox/pytest.ini -o timeout=1200 -s -v $(PYTEST_FLAGS) \
		tests/compose
