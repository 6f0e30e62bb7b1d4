# The few shapes that a module.mk is made of:
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

# One line per file; V=1 shows whole commands.
Q   := $(if $(V),,@)
say  = $(if $(V),,@echo '  $(1) $(2)')

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
pkg    = $(if $(strip $(1)),$(shell pkg-config $(2) $(1)))

$(BUILD)/%.o: %.c $(MAKEFILE_LIST)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS) $(MODULE_CFLAGS) -MMD -MP -c $< -o $@

# A module's pkg-config flags reach its objects by a target variable.
define compile
SOURCES += $(1)
DEPENDENCIES += $(patsubst %.c,$(BUILD)/%.d,$(1))
$(call object,$(1)): MODULE_CFLAGS := $(call pkg,$(2),--cflags)
endef

define library
$(call compile,$(addprefix $(2)/,$(3)),$(4))
$(BUILD)/lib$(1).a: $(call object,$(addprefix $(2)/,$(3)))
	@rm -f $$@
	$(Q)ar qcs $$@ $$^
endef

link = $(if $(V),,@echo '  LD $@' &&) $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) \
	-Wl,--start-group $(filter %.a,$^) -Wl,--end-group

define link_program
$(call compile,$(1)/main.c,$(3))
$(BUILD)/$(1)/$(notdir $(1)): $(BUILD)/$(1)/main.o $(RUNTIME) $(patsubst %,$(BUILD)/lib%.a,$(2))
	$$(link) $(call pkg,$(3),--libs) $(4) $$(ALLOCATOR)
endef

define program
PROGRAMS += $(BUILD)/$(1)/$(notdir $(1))
$(call link_program,$(1),$(2),$(3),$(4))
endef

define test_program
TEST_PROGRAMS += $(BUILD)/$(1)/$(notdir $(1))
$(call link_program,$(1),$(2),$(3),$(4))
endef

define unit_test
$(call compile,$(1),$(3) cmocka)
UNIT_TESTS += $(patsubst %.c,$(BUILD)/%,$(1))
$(patsubst %.c,$(BUILD)/%,$(1)): $(call object,$(1)) $(RUNTIME) $(patsubst %,$(BUILD)/lib%.a,$(2))
	$$(link) $(call pkg,$(3) cmocka,--libs) $(4)
endef

define integration_test
$(call compile,$(1),$(3) cmocka)
INTEGRATION_TESTS += $(patsubst %.c,$(BUILD)/%,$(1))
$(patsubst %.c,$(BUILD)/%,$(1)): $(call object,$(1)) $(RUNTIME) $(patsubst %,$(BUILD)/lib%.a,$(2))
	$$(link) $(call pkg,$(3) cmocka,--libs) $(4)
endef

# Only built by clang with VARIANT=fuzz; see mk/check.mk.
define fuzzer
$(call compile,$(1),$(3))
FUZZERS += $(patsubst %.c,$(BUILD)/%,$(1))
$(patsubst %.c,$(BUILD)/%,$(1)): $(call object,$(1)) $(patsubst %,$(BUILD)/lib%.a,$(2))
	$$(link) -fsanitize=fuzzer $(call pkg,$(3),--libs) $(4)
endef
