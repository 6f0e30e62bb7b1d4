# Compiler, variant, flags. VARIANT=release|debug|asan|tsan|faults,
# CC=gcc|clang; VARIANT=fuzz wants clang.
VARIANT ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
COMPILER := $(notdir $(firstword $(CC)))
# gcc's objects live in build/VARIANT, another compiler's beside them.
BUILD := build/$(VARIANT)$(if $(filter gcc,$(COMPILER)),,-$(COMPILER))

comma := ,

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wundef -Wvla -Wpointer-arith \
	-Wwrite-strings -Werror
# Flags that only some compilers know are asked for, not assumed.
accepts = $(shell echo 'int main(void){return 0;}' | \
	$(CC) -Werror $(1) -x c - -o /dev/null 2>/dev/null && echo '$(1)')

# log_event() may be called without fields; C23 allows that, and gcc already.
ifneq ($(findstring clang,$(COMPILER)),)
WARNINGS += $(call accepts,-Wno-gnu-zero-variadic-macro-arguments) \
	$(call accepts,-Wno-c23-extensions)
endif

HARDENING := -fstack-protector-strong -fPIE \
	$(call accepts,-fstack-clash-protection) \
	$(call accepts,-fcf-protection=full) \
	$(call accepts,-ftrivial-auto-var-init=zero) \
	$(call accepts,-fstrict-flex-arrays=3)
# A shadow stack suits any code that only calls and returns, also what the C
# library starts a program with: its object files just don't say so everywhere.
HARDENING_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack$(if \
	$(findstring -fcf-protection,$(HARDENING)),$(comma)-z$(comma)shstk)

OPTIMISE_release := -O2 -g -D_FORTIFY_SOURCE=$(if \
	$(call accepts,-O2 -D_FORTIFY_SOURCE=3),3,2)
OPTIMISE_debug   := -Og -g3
OPTIMISE_asan    := -O1 -g -fno-omit-frame-pointer \
	-fsanitize=address,undefined -fno-sanitize-recover=all
OPTIMISE_tsan    := -O1 -g -fsanitize=thread
# A release that a test may kill at each step: common/service/fault_point.h.
OPTIMISE_faults  := $(OPTIMISE_release) -DFAULT_POINTS
OPTIMISE_fuzz    := $(OPTIMISE_asan) -fsanitize=fuzzer-no-link

ifeq ($(OPTIMISE_$(VARIANT)),)
$(error VARIANT must be release, debug, asan, tsan, fuzz or faults, not '$(VARIANT)')
endif

CFLAGS  := -std=gnu17 $(WARNINGS) $(OPTIMISE_$(VARIANT)) $(HARDENING) \
	-pthread -I. $(CFLAGS_EXTRA)
LDFLAGS := $(OPTIMISE_$(VARIANT)) $(HARDENING_LINK) -pthread -Wl,--as-needed

# One thread frees what another allocated: see docs/adr/0009.
ALLOCATOR := $(if $(filter release faults,$(VARIANT)),-Wl$(comma)--no-as-needed -ljemalloc)

# What threads of libraries need to be seen by ThreadSanitizer.
RUNTIME := $(if $(filter tsan,$(VARIANT)),$(BUILD)/tests/support/tsan_threads.o)

VERSION := $(shell sed -n 's/^## \[\([0-9][^]]*\)\].*/\1/p' CHANGELOG.md \
	2>/dev/null | head -1)
CFLAGS += -DPARLEY_VERSION='"$(or $(VERSION),0.1.0)"'
