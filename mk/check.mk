# Everything that is checked. tests/check/stages.py is the table of all stages.
#
#	make test          what a change must pass; PARLEY_TEST_PORTS=24000 moves its ports
#	make prove         all the rest; PART="tidy steps" for some of it
#	make layers        who includes whom
#	make lint          banned calls, shell scripts, machine paths
#	make format-check  clang-format
#	make docs          documentation against the code
#	make checks        the runner's own tests
#	make mutants-check  planted bugs still have their place in the code
#	make publisher     web/publish, which copies the pages for nginx
#	make unit          cmocka tests; also unit-asan, unit-tsan, unit-valgrind
#	make corpora       the fuzz harnesses replay their corpora
#	make integration   our modules against the real servers; integration-tsan
#	make integration-errors  each statement of a transaction fails once
#	make accept        client-test's acceptance run; accept-valgrind
#	make blackbox      the running services, through independent clients;
#	                   blackbox-alone, blackbox-long, blackbox-asan, blackbox-tsan
#	make mysql8        integration and blackbox on a MySQL 8 server
#	make conformance   Autobahn's cases against the gateway, over raw sockets
#	make sms           sign-in by phone against Prism and WireMock as Twilio
#	make page          the pages of nginx in Chromium; page-quick: two people who chat
#	make sdk           clients/js: modules, types, package, and a chat on a stack; sdk-unit
#	                   without a stack, sdk-faults with kills, also under the chat page
#	make tidy          clang-tidy
#	make hardening     what the linker made of the hardening flags
#	make steps         each step of a message is killed, under the ledger
#	make mutants       planted bugs: does the ledger catch each of them?
#	make dependencies  Kafka, MariaDB, Redis and identity misbehave, in a table of ways
#	make faults        random faults, and nothing is lost: SEED=n MINUTES=2 RATE=200
#	make first-start   make run on a bare Debian, as a new user sees it
#	make compose       docker compose: images, scaling, restarts, bad set-ups
#	make soak          does anything grow? SOAK_MINUTES=5 SOAK_RATE=200
#	make fuzz          fuzz harnesses with new inputs, FUZZ_SECONDS=5 each
REQUIREMENTS := tests/requirements.txt tests/docs/requirements.txt
NODE_FILES   := $(addprefix tests/node/,package.json package-lock.json)
# Named by what is in it: clones that share a cache may want different versions.
VENV         := $(or $(PARLEY_CACHE_DIR),.cache)/venv-$(shell cat $(REQUIREMENTS) \
	$(NODE_FILES) | cksum | cut -d ' ' -f 1)
VENV_READY   := $(VENV)/.installed
PYTHON3      := $(or $(wildcard /usr/bin/python3),python3)
# The programs that the black-box tests run: build/asan for a stricter look.
BLACKBOX_BUILD ?= build/release
PYTEST_FLAGS   ?=
FUZZ_SECONDS   ?= 5
PART           ?=
MAKE_AGAIN   := $(MAKE) --no-print-directory
RUN_TESTS     = PARLEY_BUILD=$(BLACKBOX_BUILD) PYTHONDONTWRITEBYTECODE=1 \
	PYTHONPATH=tests/blackbox
PYTEST        = $(VENV)/bin/python -m pytest -c tests/blackbox/pytest.ini $(PYTEST_FLAGS)
WITH_STACK    = $(RUN_TESTS) $(VENV)/bin/python -m support.with_stack

.PHONY: test prove tools layers lint tidy format-check \
	docs checks mutants-check publisher corpora fuzz fuzz-run unit unit-asan unit-tsan unit-valgrind \
	shared-stack integration integration-errors integration-asan integration-tsan \
	accept accept-valgrind valgrind-programs conformance sms page page-quick sdk sdk-unit sdk-faults \
	blackbox blackbox-alone blackbox-long blackbox-asan blackbox-tsan \
	blackbox-alone-asan blackbox-alone-tsan blackbox-faults mysql8 everything \
	steps mutants dependencies faults compose soak first-start \
	build-all build build-clang build-asan build-tsan build-debug build-fuzz \
	build-faults hardening

test: line-ends
	@deploy/install-packages --test
	@tests/check/run test

prove: line-ends
	@deploy/install-packages --test
	@tests/check/run prove $(if $(WITHIN),--within $(WITHIN)) $(PART)

# Not made again in a fresh clone, whose files are newer: the name is the content.
$(VENV_READY):
	@$(PYTHON3) -m venv --clear $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		$(addprefix -r ,$(REQUIREMENTS))
	@mkdir -p $(VENV)/node
	@cp $(NODE_FILES) $(VENV)/node
	@PATH=$(abspath $(VENV)/bin):$$PATH npm ci --prefix $(VENV)/node --ignore-scripts \
		--no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

tools: $(VENV_READY)
	@deploy/kafka/fetch-jars

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

docs: $(VENV_READY)
	@$(VENV)/bin/python tests/docs/validate

checks:
	@tests/check/selftest

mutants-check: $(VENV_READY)
	@$(VENV)/bin/python tests/mutants/check

publisher: $(VENV_READY)
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/blackbox:web $(PYTEST) -q web/publisher/tests

# --- builds ------------------------------------------------------------------
programs: $(PROGRAMS) $(TEST_PROGRAMS)
.PHONY: programs

everything: $(PROGRAMS) $(TEST_PROGRAMS) $(UNIT_TESTS) $(INTEGRATION_TESTS)

build:
	@$(MAKE_AGAIN) -j2 CC=gcc VARIANT=release everything

build-clang:
	@$(MAKE_AGAIN) -j2 CC=clang VARIANT=release everything

build-asan:
	@$(MAKE_AGAIN) -j2 CC=gcc VARIANT=asan everything replays

build-tsan:
	@$(MAKE_AGAIN) -j2 CC=gcc VARIANT=tsan everything

build-debug:
	@$(MAKE_AGAIN) -j2 CC=gcc VARIANT=debug everything valgrind-programs

# Builds in which a test may kill a service at each step of a message.
build-faults:
	@$(MAKE_AGAIN) -j2 CC=gcc VARIANT=faults programs

build-fuzz:
	@$(MAKE_AGAIN) -j2 CC=clang VARIANT=fuzz fuzzers

build-all: build build-clang build-asan build-fuzz

hardening: build build-clang
	@HARDENING_CC="$(CC)" HARDENING_CFLAGS="$(OPTIMISE_$(VARIANT)) $(HARDENING)" \
		HARDENING_LDFLAGS="$(HARDENING_LINK)" tests/check/hardening \
		$(PROGRAMS) $(TEST_PROGRAMS) \
		$(patsubst build/release/%,build/release-clang/%,$(PROGRAMS) $(TEST_PROGRAMS))

# A harness is linked twice: with libFuzzer, which only clang has (VARIANT=fuzz), and
# with tests/fuzz/replay.c, which any compiler builds and which runs a corpus.
REPLAYS :=

$(eval $(call compile,tests/fuzz/replay.c,))
define harness
$(call fuzzer,$(1),$(2),$(3),$(4))
REPLAYS += $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/tests/fuzz/replay_%,$(1))
$(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/tests/fuzz/replay_%,$(1)): \
		$(call object,$(1) tests/fuzz/replay.c) $(patsubst %,$(BUILD)/lib%.a,$(2))
	$$(call link,$(3),$(4))
endef

$(eval $(call harness,tests/fuzz/fuzz_upgrade.c,websocket common,libcrypto libcjson))
FUZZED := event forwarded frame identity json name save_record settings utf8 websocket
$(foreach f,$(FUZZED),$(eval $(call harness,tests/fuzz/fuzz_$(f).c,common,libcjson)))
$(eval $(call harness,tests/fuzz/fuzz_seal.c,common,libcrypto))
$(eval $(call harness,tests/fuzz/fuzz_token.c,common,libcjson libjwt libcrypto))
$(eval $(call harness,tests/fuzz/fuzz_phone.c,identity common,libcjson libcurl libcrypto))
$(eval $(call harness,tests/fuzz/fuzz_cookie.c,identity common))
$(eval $(call harness,tests/fuzz/fuzz_credentials.c,identity common,libcjson))
$(eval $(call harness,tests/fuzz/fuzz_profile.c,identity common,libcjson libcurl))
$(eval $(call harness,tests/fuzz/fuzz_answer.c,client common,libcjson libcrypto))
$(eval $(call harness,tests/fuzz/fuzz_session_file.c,client common,libcjson libcrypto))
$(eval $(call harness,tests/fuzz/fuzz_http.c,common,libmicrohttpd libcjson))
$(eval $(call harness,tests/fuzz/fuzz_request.c,persistence common,libmicrohttpd libcjson,-Xlinker --wrap=MHD_lookup_connection_value_n))
$(eval $(call harness,tests/fuzz/fuzz_sync_cursor.c,persistence common,libcjson))
$(eval $(call harness,tests/fuzz/fuzz_conversation_body.c,persistence common,libcjson libmariadb))
$(eval $(call harness,tests/fuzz/fuzz_session.c,fake_clock websocket common,libcrypto libcjson,$(addprefix -Xlinker --wrap=,clock_mono_ms clock_unix_ms random_u64)))

fuzzers: $(FUZZERS)
replays: $(REPLAYS)
.PHONY: fuzzers replays

# --- runs ----------------------------------------------------------------------
UNIT_WORKERS := 4
unit: $(UNIT_TESTS)
	@UNIT_WORKERS=$(UNIT_WORKERS) tests/check/unit $(UNIT_TESTS)

# The same on another variant's build: unit-asan, integration-tsan, …
unit-asan unit-tsan: unit-%:
	@$(MAKE_AGAIN) -j2 VARIANT=$* unit

integration-asan integration-tsan: integration-%:
	@$(MAKE_AGAIN) -j2 VARIANT=$* BLACKBOX_BUILD=build/$* integration

corpora:
	@$(MAKE_AGAIN) -j2 CC=gcc VARIANT=asan corpora-run

corpora-run: $(REPLAYS)
	@tests/check/corpora $(REPLAYS)

# Kept up until the end of our input: tests/check/run shares it among stages.
shared-stack: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@exec env $(WITH_STACK) --keep

# Walks over thousands of failures, which take minutes.
ERROR_WALKS = $(filter %/test_transaction_errors %/test_rest_errors %/test_identity_errors,$(INTEGRATION_TESTS))
integration: $(INTEGRATION_TESTS) $(PROGRAMS) $(TEST_PROGRAMS) tools
	@UNIT_WORKERS=2 $(WITH_STACK) tests/check/unit $(filter-out $(ERROR_WALKS),$(INTEGRATION_TESTS))

integration-errors: $(ERROR_WALKS) $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(WITH_STACK) tests/check/unit $(ERROR_WALKS)

accept: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(WITH_STACK) tests/check/accept $(BLACKBOX_BUILD)/client-test/client-test

CLOCK_SHIM := build/preload/clock.so

$(CLOCK_SHIM): tests/faults/clock.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) -std=gnu17 $(WARNINGS) -O2 -fPIC -shared -o $@ $<

# Most of what these tests do is to wait, so more of them run than there are cores.
# Those marked `prove` take too long for make test.
BLACKBOX_WORKERS ?= 6
TOGETHER := not alone and not prove
blackbox: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(WITH_STACK) $(PYTEST) -m "$(TOGETHER)" -n $(BLACKBOX_WORKERS) --dist load \
		tests/blackbox

# Stacks of their own, much memory, long waits.
blackbox-long: $(CLOCK_SHIM)
	@$(MAKE_AGAIN) TOGETHER="not alone and prove" blackbox

# The same tests and the integration tests, on a MySQL 8 in place of MariaDB. Its stacks
# are its own. What builds and starts a stack with MariaDB is left out.
MYSQL8 := $(or $(PARLEY_CACHE_DIR),.cache)/mysql8
ON_MYSQL8 = env -u PARLEY_TEST_STACK PARLEY_TEST_MYSQL=$(MYSQL8) $(WITH_STACK)
mysql8: $(INTEGRATION_TESTS) $(PROGRAMS) $(TEST_PROGRAMS) $(CLOCK_SHIM) tools
	@tests/mysql8/fetch
	@UNIT_WORKERS=2 $(ON_MYSQL8) tests/check/unit $(INTEGRATION_TESTS)
	@$(ON_MYSQL8) $(PYTEST) -m "not alone" -n $(BLACKBOX_WORKERS) --dist load \
		$(patsubst %,--ignore=tests/blackbox/test_%.py,05_first_start 06_surroundings) \
		tests/blackbox

# Tests that stop, kill or count what all tests share.
ALONE := alone and not prove
blackbox-alone: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(WITH_STACK) $(PYTEST) -m "$(ALONE)" tests/blackbox

# One kind of death each, under a ledger of its own.
blackbox-faults: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(WITH_STACK) $(PYTEST) -m "alone and prove" tests/blackbox

# Sanitized services matter on the main path, at start and stop and at limits; the
# other tests make one thread do many things. The runtime of a sanitizer does not let
# a clock be preloaded.
PYTEST_FLAGS_asan := -k 'not slow_readers and not clocks'
PYTEST_FLAGS_tsan := -k 'main_path or services or limits'
SANITIZED = $(MAKE_AGAIN) -j2 VARIANT=$* BLACKBOX_BUILD=build/$* BLACKBOX_WORKERS=3 \
	PYTEST_FLAGS="$(or $(PYTEST_FLAGS),$(PYTEST_FLAGS_$*))"

blackbox-asan blackbox-tsan: blackbox-%:
	@$(SANITIZED) TOGETHER="not alone" blackbox

blackbox-alone-asan blackbox-alone-tsan: blackbox-alone-%:
	@$(SANITIZED) ALONE=alone blackbox-alone

# Valgrind's memcheck. The programs in build/valgrind start those of build/debug
# under it; support.reports names the folder of the reports.
MEMCHECK := valgrind --leak-check=full --show-leak-kinds=definite \
	--errors-for-leak-kinds=definite --error-exitcode=66

unit-valgrind:
	@UNIT_UNDER="$(MEMCHECK) --quiet" \
		$(MAKE_AGAIN) -j2 VARIANT=debug UNIT_WORKERS=2 unit

accept-valgrind:
	@$(MAKE_AGAIN) -j2 VARIANT=debug valgrind-programs
	@$(MAKE_AGAIN) VARIANT=debug BLACKBOX_BUILD=build/valgrind accept

valgrind-programs: $(PROGRAMS) $(TEST_PROGRAMS)
	@for program in $(PROGRAMS) $(TEST_PROGRAMS); do \
		script=build/valgrind/$${program#$(BUILD)/}; \
		mkdir -p $${script%/*} && \
		printf '#!/bin/sh\nexec %s --log-file=%s %s "$$@"\n' "$(MEMCHECK)" \
			"%q{VALGRIND_REPORTS}/valgrind.%p" "$(CURDIR)/$$program" >$$script && \
		chmod +x $$script || exit; \
	done

fuzz:
	@$(MAKE_AGAIN) -j2 CC=clang VARIANT=fuzz fuzz-run

fuzz-run: $(FUZZERS)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tests/check/fuzz $(FUZZERS)

steps mutants: BLACKBOX_BUILD := build/faults
steps: build-faults tools
	@$(RUN_TESTS) $(PYTEST) tests/steps

mutants: build-faults tools
	@$(RUN_TESTS) $(PYTEST) tests/mutants

sms: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@tests/sms/fetch $(abspath $(VENV)/bin)
	@$(WITH_STACK) $(PYTEST) -c tests/sms/pytest.ini tests/sms

# In Debian's Chromium; keeps screenshots in build/test-logs/page.
PAGE_TEST = PARLEY_NODE_PACKAGES=$(VENV)/node $(WITH_STACK) $(VENV)/bin/python -m support.tight_limits \
	$(VENV)/bin/node --test --test-concurrency=2 --test-reporter=./tests/page/support/summary.mjs
PAGE_UNITS = $(wildcard web/*/tests/*.mjs)
page: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(PAGE_TEST) $(PAGE_UNITS) $(wildcard tests/page/test_*.mjs)

page-quick: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(PAGE_TEST) $(PAGE_UNITS) tests/page/test_chat_sign_in.mjs tests/page/test_chat_talk.mjs

# Node and TypeScript come with the tools; the SDK itself needs nothing.
SDK      := clients/js
SDK_PATH  = TEST_PACKAGES=$(abspath $(VENV)/node) PATH=$(abspath $(VENV)/bin):$$PATH
SDK_TEST  = node --test --test-timeout=300000 --test-reporter=./$(SDK)/tests/support/reporter.js
sdk-unit: $(VENV_READY)
	@$(SDK_PATH) $(VENV)/node/node_modules/.bin/tsc -p $(SDK)/tests/types
	@$(SDK_PATH) $(SDK_TEST) $(SDK)/tests/unit/*.test.js $(SDK)/tests/package/*.test.js

sdk: sdk-unit $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(SDK_PATH) $(WITH_STACK) $(VENV)/bin/python -m support.tight_limits \
		$(SDK_TEST) $(SDK)/tests/stack/*.test.js

sdk-faults: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(SDK_PATH) PARLEY_NODE_PACKAGES=$(VENV)/node $(WITH_STACK) $(SDK_TEST) --test-concurrency=1 \
		$(SDK)/tests/faults/*.test.js tests/page/faults/*.mjs

conformance: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@$(WITH_STACK) $(PYTEST) -c tests/conformance/pytest.ini tests/conformance

# A run that fails is kept in build/test-logs/faults-SEED, and SEED belongs into
# tests/faults/seeds.txt. From ten minutes on servers are away for longer, too.
SEED    ?=
MINUTES ?= 2
RATE    ?= 200
FAULTS_PYTHON = PARLEY_BUILD=$(BLACKBOX_BUILD) PYTHONDONTWRITEBYTECODE=1 \
	PYTHONPATH=tests/blackbox:tests/faults $(VENV)/bin/python
faults: $(PROGRAMS) $(TEST_PROGRAMS) $(CLOCK_SHIM) tools
	@$(FAULTS_PYTHON) -m pytest -q -c tests/blackbox/pytest.ini $(PYTEST_FLAGS) tests/faults
	@exec env $(FAULTS_PYTHON) -m nemesis.main $(if $(SEED),--seed $(SEED)) \
		--minutes $(MINUTES) --rate $(RATE)

# Needs root: it gives the services a name server of their own.
dependencies: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@PYTHONPATH=tests/blackbox:tests/faults:tests/dependencies \
		PARLEY_BUILD=$(BLACKBOX_BUILD) PYTHONDONTWRITEBYTECODE=1 \
		$(PYTEST) -s -v tests/dependencies

# At a steady rate, so that the machine's speed decides nothing; longer: make bench-soak.
soak: $(PROGRAMS) $(TEST_PROGRAMS) tools
	@SOAK_MINUTES=$(or $(SOAK_MINUTES),5) SOAK_RATE=$(or $(SOAK_RATE),200) bench/soak

# Needs root: it makes a bare Debian with debootstrap.
first-start: tools
	@tests/check/first-start

# Needs root where no engine runs: it starts one of its own, and keeps its images in the
# cache folder, or in PARLEY_ENGINE_DIR.
compose: $(TEST_PROGRAMS) tools
	@deploy/install-packages --compose
	@PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=tests/blackbox:tests/compose $(VENV)/bin/python \
		-m pytest -c tests/blackbox/pytest.ini -o timeout=1200 -s -v $(PYTEST_FLAGS) \
		tests/compose
