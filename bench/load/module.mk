# load: makes the load that bench/ measures.
LOAD_SOURCES := client_sockets.c floor.c frame_scan.c idle.c lookup.c pairs.c room.c \
	socket_group.c stdin_commands.c storm.c user_tokens.c users.c

$(eval $(call library,load,bench/load,$(LOAD_SOURCES),libuv))
$(eval $(call test_program,bench/load,load client common,$(CLIENT_PACKAGES)))

LOAD_TESTS := frame_scan stdin_commands
$(foreach t,$(LOAD_TESTS),$(eval $(call unit_test,bench/load/tests/test_$(t).c,load client common,$(CLIENT_PACKAGES))))
