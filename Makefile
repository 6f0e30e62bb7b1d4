# Parley. One dependency graph: each folder adds a module.mk fragment.
#
#	make run       installs, builds and starts the whole stack on this machine
#	make test      runs all checks
#	make clean     removes all build results
#	make help      lists the other targets
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
# What a user's environment may hold, and would change what a recipe does or prints.
export LC_ALL := C.UTF-8
unexport BASH_ENV SHELLOPTS BASHOPTS CDPATH ENV GREP_OPTIONS POSIXLY_CORRECT

include mk/flags.mk mk/rules.mk

include common/module.mk
-include identity-service/module.mk
-include websocket-service/module.mk
-include persistence-service/module.mk
-include client-test/module.mk
-include bench/load/module.mk
-include tests/ledger/module.mk

-include mk/run.mk mk/check.mk mk/bench.mk

all: $(PROGRAMS)
	@:

.PHONY: all help clean

help:
	@grep -hE '^#\s+make ' Makefile mk/*.mk | sed 's/^#\s*/  /'

clean:
	rm -rf build

-include $(DEPENDENCIES)
