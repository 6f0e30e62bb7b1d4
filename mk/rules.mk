# What a module.mk consists of:
#
#	$(eval $(call library,NAME,FOLDER,a.c b.c,pkg-config names))
#	$(eval $(call program,FOLDER,LIBRARIES,pkg-config names,-lflags))
#	$(eval $(call test_program,FOLDER,LIBRARIES,pkg-config names,-lflags))
#	$(eval $(call unit_test,FOLDER/tests/test_x.c,LIBRARIES,pkg-config names,-lflags))
#	$(eval $(call integration_test,FOLDER/tests/test_x.c,LIBRARIES,pkg-config names,-lflags))
#	$(eval $(call fuzzer,tests/fuzz/fuzz_x.c,LIBRARIES,pkg-config names,-lflags))
PROGRAMS     :=
# Programs that only tests and measurements run.
TEST_PROGRAMS :=
UNIT_TESTS   :=
# Like unit tests, but run against the real servers of a stack: MYSQL_HOST,
# MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD and KAFKA_BROKERS say where they are.
INTEGRATION_TESTS :=
FUZZERS      :=
SOURCES      :=
DEPENDENCIES :=

# V=1 shows whole commands.
Q   := $(if $(V),,@)
say  = $(if $(V),,@echo '  $(1) $(2)')

# --- progress ---------------------------------------------------------------------
# Without V=1 a build counts the files that it compiles and links: in one line
# that it rewrites on a terminal, else in at most four lines. The line leaves the
# cursor at its beginning, so a compiler's errors overwrite it, or follow it.
#
# The total comes from a dry run for the same goals, which the first recipe starts.
# In that dry run DRY is set, and each file prints one line that ends in "DRY".
DRY      :=
STARTED  :=
total     = $(eval total := $(shell MAKEFLAGS='-- $(subst ','\'',$(MAKEOVERRIDES))' \
	$(MAKE) -n DRY=1 $(MAKECMDGOALS) 2>/dev/null | grep -c DRY$$))$(total)
count     = $(eval STARTED += x)$(words $(STARTED))
progress  = $(if $(DRY),: DRY,$(if $(V),:,n=$(count) of=$(total)$(show_count)))
define show_count
; \
	((n <= of)) || of=$$n; \
	if [[ -t 1 ]]; then \
		printf 'parley: building %d of %d files\033[K\r' $$n $$of; \
		((n < of)) || echo; \
	elif ((n == of || n * 4 / (of + 1) != (n - 1) * 4 / (of + 1))); then \
		echo "parley: building $$n of $$of files"; \
	fi
endef

# --- compiling --------------------------------------------------------------------
object = $(patsubst %.c,$(BUILD)/%.o,$(1))

# pkg-config's flags of packages: $(call pkg,rdkafka libuv,--cflags). Only recipes
# ask, once for each package, because make deps may have to install it first. In a
# dry run (-n) a package may be missing.
pkg = $(foreach p,$(1),$(pkg_flags))
pkg_flags = $(if $(filter undefined,$(origin pkg$(2)_$(p))),$(pkg_ask))$(pkg$(2)_$(p))
pkg_ask = $(eval pkg$(2)_$(p) := $(shell pkg-config $(2) $(p) 2>/dev/null))$(if \
	$(filter 0,$(.SHELLSTATUS))$(findstring n,$(firstword -$(MAKEFLAGS))),,$(error pkg-config does not find '$(p)'; \
	deploy/install-packages installs the missing packages))

# A dry run only counts.
ifdef DRY
CFLAGS  :=
LDFLAGS :=
pkg     :=
endif

$(BUILD)/%.o: %.c $(MAKEFILE_LIST)
	@mkdir -p $(@D); $(progress)
	$(Q)$(CC) $(CFLAGS) $(call pkg,$(PACKAGES),--cflags) -MMD -MP -c $< -o $@

# A module's packages reach the recipe of its objects by a target variable.
define compile
SOURCES += $(1)
DEPENDENCIES += $(patsubst %.c,$(BUILD)/%.d,$(1))
$(call object,$(1)): PACKAGES := $(2)
endef

# q appends: two files of a library may have the same name.
define library
$(call compile,$(addprefix $(2)/,$(3)),$(4))
$(BUILD)/lib$(1).a: $(call object,$(addprefix $(2)/,$(3)))
	@rm -f $$@
	$(Q)ar qcs $$@ $$^
endef

# $(call link,pkg-config names,-lflags). Debian has no pkg-config file for the libraries
# in COMMON_LIBS, which common needs; the linker leaves out what a program does not use.
define link
@$(progress)
$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) \
	-Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call pkg,$(1),--libs) \
	$(if $(filter %/libcommon.a,$^),$(COMMON_LIBS)) $(2)
endef

define link_program
$(call compile,$(1)/main.c,$(3))
$(BUILD)/$(1)/$(notdir $(1)): $(BUILD)/$(1)/main.o $(RUNTIME) $(patsubst %,$(BUILD)/lib%.a,$(2))
	$$(call link,$(3),$(4) $$(ALLOCATOR))
endef

define program
PROGRAMS += $(BUILD)/$(1)/$(notdir $(1))
$(call link_program,$(1),$(2),$(3),$(4))
endef

define test_program
TEST_PROGRAMS += $(BUILD)/$(1)/$(notdir $(1))
$(call link_program,$(1),$(2),$(3),$(4))
endef

define link_test
$(call compile,$(1),$(3) cmocka)
$(patsubst %.c,$(BUILD)/%,$(1)): $(call object,$(1)) $(RUNTIME) $(patsubst %,$(BUILD)/lib%.a,$(2))
	$$(call link,$(3) cmocka,$(4))
endef

define unit_test
UNIT_TESTS += $(patsubst %.c,$(BUILD)/%,$(1))
$(call link_test,$(1),$(2),$(3),$(4))
endef

define integration_test
INTEGRATION_TESTS += $(patsubst %.c,$(BUILD)/%,$(1))
$(call link_test,$(1),$(2),$(3),$(4))
endef

# Only built by clang with VARIANT=fuzz; see mk/check.mk.
define fuzzer
$(call compile,$(1),$(3))
FUZZERS += $(patsubst %.c,$(BUILD)/%,$(1))
$(patsubst %.c,$(BUILD)/%,$(1)): $(call object,$(1)) $(patsubst %,$(BUILD)/lib%.a,$(2))
	$$(call link,$(3),$(4) -fsanitize=fuzzer)
endef
