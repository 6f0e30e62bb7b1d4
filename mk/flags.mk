# Compiler, variant, flags. VARIANT=release|debug|asan|tsan|faults,
# CC=gcc|clang; VARIANT=fuzz needs clang.
#
# While make reads these files it runs no program, so `make help` works on a
# machine without a compiler. What a program must answer is defined as
#
#	NAME = $(eval NAME := ...)$(NAME)
#
# The first recipe that uses NAME runs the program; the answer is then kept.
VARIANT ?= release
ifeq ($(filter $(VARIANT),release debug asan tsan faults fuzz),)
$(error VARIANT must be release, debug, asan, tsan, fuzz or faults, not '$(VARIANT)')
endif
ifeq ($(origin CC),default)
CC := gcc
endif
COMPILER := $(notdir $(firstword $(CC)))
# gcc's objects are in build/VARIANT, another compiler's in a folder beside it.
BUILD := build/$(VARIANT)$(if $(filter gcc,$(COMPILER)),,-$(COMPILER))

comma := ,

# Flags that only some compilers know are probed, not assumed.
accepts = $(shell echo 'int main(void){return 0;}' | \
	$(CC) -Werror $(1) -x c - -o /dev/null 2>/dev/null && echo '$(1)')

# log_event() may be called without fields; C23 allows that, and so does gcc.
ifneq ($(findstring clang,$(COMPILER)),)
WARNINGS_CLANG = $(call accepts,-Wno-gnu-zero-variadic-macro-arguments) \
	$(call accepts,-Wno-c23-extensions)
endif
WARNINGS = $(eval WARNINGS := -Wall -Wextra -Wpedantic -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla \
	-Wpointer-arith -Wwrite-strings -Werror $(WARNINGS_CLANG))$(WARNINGS)

HARDENING = $(eval HARDENING := -fstack-protector-strong -fPIE \
	$(call accepts,-fstack-clash-protection) \
	$(call accepts,-fcf-protection=full) \
	$(call accepts,-ftrivial-auto-var-init=zero) \
	$(call accepts,-fstrict-flex-arrays=3))$(HARDENING)
# A shadow stack suits all code that only calls and returns. The C library's
# start-up objects are such code, but not all of them are marked so.
HARDENING_LINK = -pie -Wl,-z,relro,-z,now,-z,noexecstack$(if \
	$(findstring -fcf-protection,$(HARDENING)),$(comma)-z$(comma)shstk)

FORTIFY = $(eval FORTIFY := $(if \
	$(call accepts,-O2 -D_FORTIFY_SOURCE=3),3,2))$(FORTIFY)
OPTIMISE_release  = -O2 -g -D_FORTIFY_SOURCE=$(FORTIFY)
OPTIMISE_debug   := -Og -g3
OPTIMISE_asan    := -O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all
OPTIMISE_tsan    := -O1 -g -fsanitize=thread
# A release build that a test can kill at each step: common/service/fault_point.h.
OPTIMISE_faults   = $(OPTIMISE_release) -DFAULT_POINTS
OPTIMISE_fuzz    := $(OPTIMISE_asan) -fsanitize=fuzzer-no-link

VERSION = $(eval VERSION := $(or $(shell \
	sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p;T;q' CHANGELOG.md 2>/dev/null),0.1.0))$(VERSION)

CFLAGS  = -std=gnu17 $(WARNINGS) $(OPTIMISE_$(VARIANT)) $(HARDENING) \
	-pthread -I. -DPARLEY_VERSION='"$(VERSION)"' $(CFLAGS_EXTRA)
LDFLAGS = $(OPTIMISE_$(VARIANT)) $(HARDENING_LINK) -pthread -Wl,--as-needed

# One thread frees what another thread allocated: docs/adr/0009.
ALLOCATOR := $(if $(filter release faults,$(VARIANT)),-Wl$(comma)--no-as-needed -ljemalloc)

# Shows ThreadSanitizer the threads that libraries start.
RUNTIME := $(if $(filter tsan,$(VARIANT)),$(BUILD)/tests/support/tsan_threads.o)
