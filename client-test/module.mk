# client-test: speaks only the public protocols. client/ is the protocol, cli/
# what every command-line program shares; bench/load and tests/ledger use both.
CLIENT_SOURCES := \
	$(addprefix client/,account.c address.c alarm.c backlog.c connection.c histogram.c \
		inbox.c message.c open_files.c pending_messages.c rest.c rooms.c stage.c \
		talker.c upgrade.c) \
	$(addprefix cli/,channels.c command.c line.c options.c people.c rest_session.c \
		roster.c show.c)
CLIENT_TEST_SOURCES := accept.c accept_group.c accept_run.c group.c history.c listen.c send.c \
	$(addprefix chat/,chat.c chat_own.c chat_room.c input.c prompt.c typed.c)
# What a program needs that links libclient.a.
CLIENT_PACKAGES := libuv libcurl libcjson libcrypto

$(eval $(call library,client,client-test,$(CLIENT_SOURCES),libuv))
$(eval $(call library,client_test,client-test,$(CLIENT_TEST_SOURCES),libuv))
$(eval $(call program,client-test,client_test client common,$(CLIENT_PACKAGES)))

CLIENT_TESTS := chat/tests/test_typed cli/tests/test_options \
	$(addprefix client/tests/test_,histogram inbox message pending_messages upgrade)
$(foreach t,$(CLIENT_TESTS),$(eval $(call unit_test,client-test/$(t).c,client_test client common,$(CLIENT_PACKAGES))))
