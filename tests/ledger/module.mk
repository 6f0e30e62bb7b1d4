# ledger: many users send while services are killed; it judges every message.
# clients/ are the users, judge/ the verdict.
LEDGER_SOURCES := report.c \
	$(addprefix clients/,device.c history_reader.c receipt_sender.c room_churn.c \
		seeded_random.c timeline.c user.c) \
	$(addprefix judge/,conversation_log.c delivery_sets.c faults.c ledger.c memberships.c \
		message_text.c messages.c observations.c receipts.c recipients.c \
		room_members.c rooms.c sessions.c verdict.c)

$(eval $(call library,ledger,tests/ledger,$(LEDGER_SOURCES),libuv))
$(eval $(call test_program,tests/ledger,ledger client common,$(CLIENT_PACKAGES)))

$(eval $(call library,ledger_world,tests/ledger/judge/tests,ledger_world.c,cmocka))
LEDGER_TESTS := ledger receipts rooms
$(foreach t,$(LEDGER_TESTS),$(eval $(call unit_test,tests/ledger/judge/tests/test_$(t).c,ledger_world ledger client common,$(CLIENT_PACKAGES))))
