# websocket-service: see README.md in this folder.
WEBSOCKET_SOURCES := \
	about.c belief.c bus.c connection.c connection_out.c connections.c ephemeral.c \
	fanout.c gateway.c intake.c limits.c lookups.c measures.c outbox.c \
	presence.c questions.c receipts.c records.c rooms.c seats.c sends.c settings.c slots.c \
	sockets.c typing.c upgrade.c users.c watchers.c watches.c wheel.c

$(eval $(call library,websocket,websocket-service,$(WEBSOCKET_SOURCES),libwebsockets libuv))
$(eval $(call program,websocket-service,websocket common,libwebsockets libuv rdkafka hiredis libcurl libcjson libmicrohttpd libcrypto))

WEBSOCKET_TESTS := belief outbox settings slots upgrade users wheel
$(foreach t,$(WEBSOCKET_TESTS),$(eval $(call unit_test,websocket-service/tests/test_$(t).c,websocket common,libcrypto libcjson)))

# On clocks of their own; what stands around them is the test's.
WEBSOCKET_CLOCK_TESTS := limits receipts rooms typing
$(foreach t,$(WEBSOCKET_CLOCK_TESTS),$(eval $(call unit_test,websocket-service/tests/test_$(t).c,websocket common,libcrypto libcjson,-Xlinker --wrap=clock_mono_ms)))
WEBSOCKET_CLOCKS_TESTS := presence watches
$(foreach t,$(WEBSOCKET_CLOCKS_TESTS),$(eval $(call unit_test,websocket-service/tests/test_$(t).c,websocket common,libcrypto libcjson,-Xlinker --wrap=clock_mono_ms -Xlinker --wrap=clock_unix_ms)))

# On a clock of its own; sockets and lookups are the test's.
$(eval $(call unit_test,websocket-service/tests/test_connection.c,websocket common,libcrypto libcjson,-Xlinker --wrap=clock_mono_ms -Xlinker --wrap=clock_unix_ms))
$(eval $(call unit_test,websocket-service/tests/test_lookups.c,websocket http_stub common,libuv libcurl libcjson))

$(eval $(call fuzzer,tests/fuzz/fuzz_upgrade.c,websocket common,libcrypto libcjson))
