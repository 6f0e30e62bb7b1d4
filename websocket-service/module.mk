# websocket-service: see README.md in this folder.
WEBSOCKET_SOURCES := gateway.c gateway_loop.c gateway_metrics.c gateway_parts.c gateway_redis.c \
	member_key.c settings.c \
	$(addprefix socket/,connection.c connection_in.c connection_out.c \
		connection_token.c connection_upgrade.c connections.c rate_limits.c send_buffer.c \
		slot_map.c sockets.c timer_wheel.c upgrade.c \
		user_connections.c) \
	$(addprefix receive/,conversation_keys.c error_frame.c frame_dispatch.c \
		frame_order.c pending_receipts.c pending_sends.c save_records.c) \
	$(addprefix deliver/,blockers.c bus.c ephemeral_producer.c fanout.c memberships.c \
		room_members.c room_queries.c rooms.c typing.c) \
	$(addprefix presence/,presence_clock.c presence_publisher.c presence_queries.c presence_state.c \
		presence_subscriptions.c)

$(eval $(call library,websocket,websocket-service,$(WEBSOCKET_SOURCES),libwebsockets libuv))
$(eval $(call program,websocket-service,websocket common,libwebsockets libuv rdkafka hiredis libcurl libcjson libmicrohttpd libcrypto))

WEBSOCKET_TESTS := tests/test_settings \
	$(addprefix socket/tests/test_,send_buffer slot_map timer_wheel upgrade \
		user_connections) \
	presence/tests/test_presence_state
$(foreach t,$(WEBSOCKET_TESTS),$(eval $(call unit_test,websocket-service/$(t).c,websocket common,libcrypto libcjson)))

# Here the producers of Kafka fail, one after the other.
$(eval $(call unit_test,websocket-service/tests/test_gateway_start.c,websocket common,\
	libwebsockets libuv rdkafka hiredis libcurl libcjson libmicrohttpd libcrypto,\
	-Xlinker --wrap=kafka_producer_create -Xlinker --wrap=service_wake_fd))
$(eval $(call unit_test,websocket-service/tests/test_gateway_loop.c,websocket common,libuv,\
	-Xlinker --wrap=service_wake_fd))

$(eval $(call unit_test,websocket-service/deliver/tests/test_ephemeral_producer.c,test_loop websocket common,\
	libuv rdkafka libcrypto libcjson))

$(eval $(call library,fake_clock,tests/support,fake_clock.c))
# These tests set the monotonic clock.
WEBSOCKET_CLOCK_TESTS := socket/tests/test_rate_limits \
	$(addprefix receive/tests/test_,conversation_keys frame_order pending_receipts) \
	$(addprefix deliver/tests/test_,fanout rooms typing)
$(foreach t,$(WEBSOCKET_CLOCK_TESTS),$(eval $(call unit_test,websocket-service/$(t).c,fake_clock websocket common,libcrypto libcjson,-Xlinker --wrap=clock_mono_ms)))
$(eval $(call unit_test,websocket-service/receive/tests/test_pending_sends.c,websocket common,\
	rdkafka libcrypto libcjson))

# These tests set both clocks.
WEBSOCKET_CLOCKS := -Xlinker --wrap=clock_mono_ms -Xlinker --wrap=clock_unix_ms
$(eval $(call library,connection_fixture,websocket-service/socket/tests,connection_fixture.c,cmocka))
$(foreach t,closing delivery frames opening time token welcome,$(eval $(call unit_test,\
	websocket-service/socket/tests/test_connection_$(t).c,connection_fixture fake_clock websocket common,\
	libcrypto libcjson,$(WEBSOCKET_CLOCKS))))
WEBSOCKET_CLOCKS_TESTS := $(addprefix presence/tests/test_presence_,clock publisher queries subscriptions)
$(foreach t,$(WEBSOCKET_CLOCKS_TESTS),$(eval $(call unit_test,websocket-service/$(t).c,fake_clock websocket common,libcrypto libcjson,$(WEBSOCKET_CLOCKS))))

