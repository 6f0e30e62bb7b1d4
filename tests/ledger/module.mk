# ledger: many users send while services are killed; it judges every message.
LEDGER_SOURCES := ledger_book.c ledger_crowd.c ledger_device.c ledger_history.c \
	ledger_judge.c ledger_observations.c ledger_reach.c ledger_receipts.c \
	ledger_report.c ledger_room.c ledger_rooms.c ledger_stays.c ledger_tally.c \
	ledger_text.c ledger_user.c

$(eval $(call library,ledger,tests/ledger,$(LEDGER_SOURCES),libuv))
$(eval $(call test_program,tests/ledger,ledger client common,$(CLIENT_PACKAGES)))

$(eval $(call library,ledger_world,tests/ledger/tests,ledger_world.c,cmocka))
LEDGER_TESTS := ledger ledger_receipts ledger_rooms
$(foreach t,$(LEDGER_TESTS),$(eval $(call unit_test,tests/ledger/tests/test_$(t).c,ledger_world ledger client common,$(CLIENT_PACKAGES))))
