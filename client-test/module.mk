# client-test: a client that uses only the public protocols. client/ is the
# protocol as a library, cli/ what every command-line program shares; bench/load
# and tests/ledger link both.
CLIENT_SOURCES := \
	$(addprefix client/,account.c account_saved.c address.c backlog.c connection.c conversation_finder.c \
		inbox.c loop_timer.c message.c pending_messages.c rest.c session_file.c upgrade.c \
		user_session.c user_session_frames.c) \
	$(addprefix cli/,account_choice.c channels.c command.c event_loop.c histogram.c line_splitter.c \
		message_line.c open_files.c options.c password_prompt.c rest_session.c roster.c standard_files.c \
		stdin_reader.c terminal.c user_names.c)
CLIENT_TEST_SOURCES := accept.c accept_group.c accept_run.c accept_session.c devices.c group.c history.c \
	listen.c login.c phone.c profile.c send.c \
	$(addprefix chat/,chat.c chat_sender.c chat_state.c chat_view.c input_line.c prompt.c)
# A program that links libclient.a needs these packages.
CLIENT_PACKAGES := libuv libcurl libcjson libcrypto

$(eval $(call library,client,client-test,$(CLIENT_SOURCES),libuv))
$(eval $(call library,client_test,client-test,$(CLIENT_TEST_SOURCES),libuv))
$(eval $(call program,client-test,client_test client common,$(CLIENT_PACKAGES)))

CLIENT_TESTS := chat/tests/test_input_line \
	$(addprefix cli/tests/test_,account_choice histogram line_splitter options terminal) \
	$(addprefix client/tests/test_,address inbox message pending_messages session_file upgrade)
$(foreach t,$(CLIENT_TESTS),$(eval $(call unit_test,client-test/$(t).c,client_test client common,$(CLIENT_PACKAGES))))
