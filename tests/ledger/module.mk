# ledger: many users send while services are killed; it judges every message.
# clients/ are the users, judge/ the verdict.
LEDGER_SOURCES := load.c report.c settle.c \
	$(addprefix clients/,block_churn.c device.c device_frames.c history_reader.c pending.c \
		receipt_sender.c room_churn.c seeded_random.c timeline.c user.c) \
	$(addprefix judge/,blocks.c contents.c conversation_log.c delivery_sets.c departures.c \
		edit_answers.c edit_verdict.c edits.c faults.c histories.c ledger.c memberships.c \
		message_text.c messages.c observations.c order.c presence.c receipt_verdict.c \
		receipts.c recipients.c refusals.c revisions.c room_members.c rooms.c sessions.c \
		typing.c verdict.c)

$(eval $(call library,ledger,tests/ledger,$(LEDGER_SOURCES),libuv))
$(eval $(call test_program,tests/ledger,ledger client common,$(CLIENT_PACKAGES)))

$(eval $(call library,ledger_world,tests/ledger/judge/tests,ledger_world.c,cmocka))
LEDGER_TESTS := blocks edits ledger receipts rooms sockets
$(foreach t,$(LEDGER_TESTS),$(eval $(call unit_test,tests/ledger/judge/tests/test_$(t).c,ledger_world ledger client common,$(CLIENT_PACKAGES))))
