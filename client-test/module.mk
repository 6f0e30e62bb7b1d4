# client-test: speaks only the public protocols.
CLIENT_SOURCES := accept.c accept_group.c accept_run.c account.c address.c alarm.c backlog.c bench.c \
	bench_crowd.c bench_floor.c bench_histogram.c bench_idle.c \
	bench_lookup.c bench_net.c bench_orders.c bench_pairs.c bench_room.c \
	bench_scan.c bench_storm.c bench_users.c caller.c channels.c chat.c chat_own.c chat_room.c \
	connection.c group.c history.c inbox.c input.c ledger.c ledger_book.c ledger_came.c ledger_crowd.c ledger_device.c \
	ledger_history.c ledger_judge.c ledger_reach.c ledger_receipts.c ledger_report.c ledger_room.c ledger_rooms.c ledger_stays.c ledger_tally.c \
	ledger_text.c ledger_user.c line.c listen.c message.c options.c outbox.c \
	people.c prompt.c rest.c rooms.c roster.c send.c show.c stage.c talker.c typed.c upgrade.c

$(eval $(call library,client,client-test,$(CLIENT_SOURCES),libuv))
$(eval $(call program,client-test,client common,libuv libcurl libcjson libcrypto))

CLIENT_TESTS := bench bench_orders inbox message options outbox typed upgrade
$(foreach t,$(CLIENT_TESTS),$(eval $(call unit_test,client-test/tests/test_$(t).c,client common,libuv libcurl libcjson libcrypto)))
$(eval $(call library,ledger_world,client-test/tests,ledger_world.c,cmocka))
$(foreach t,ledger ledger_receipts ledger_rooms,$(eval $(call unit_test,\
	client-test/tests/test_$(t).c,ledger_world client common,libuv libcurl libcjson libcrypto)))
