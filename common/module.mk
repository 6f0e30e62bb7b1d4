# libcommon.a: base ← io ← {wire, service}; see docs/ARCHITECTURE.md.
COMMON_SOURCES := \
	base/bucket.c base/buf.c base/clock.c base/json_write.c base/lru.c base/mem.c \
	base/percent.c base/random.c base/span.c base/status.c base/utf8.c \
	base/uuid.c base/websocket.c \
	io/casefold.c io/digest.c io/http_client.c io/http_lane.c \
	io/http_poller.c io/http_request.c io/http_route.c io/http_server.c \
	io/http_transfer.c io/json.c io/json_check.c io/jwt.c io/jwt_key.c \
	io/kafka_client.c io/kafka_group.c io/kafka_hash.c io/kafka_message.c \
	io/kafka_producer.c io/kafka_reader.c io/kafka_resend.c \
	io/kafka_topics.c io/listener.c io/password.c io/redis.c io/redis_loop.c io/sql.c \
	io/sql_migrate.c io/sql_statement.c io/sql_status.c io/websocket_handshake.c \
	$(if $(filter faults,$(VARIANT)),service/fault_point.c) \
	service/admin.c service/clock_watch.c service/log.c service/metrics.c service/parts.c \
	service/service.c service/settings.c \
	wire/event.c wire/frame.c wire/identity.c wire/name.c wire/save_record.c

$(eval $(call library,common,common,$(COMMON_SOURCES),rdkafka libmicrohttpd libmariadb libcjson libcurl libuv libcrypto hiredis libjwt libargon2))

$(eval $(call integration_test,common/io/tests/test_sql.c,common,libmariadb))
$(eval $(call integration_test,common/io/tests/test_redis.c,common,hiredis libuv))
$(eval $(call library,http_stub,tests/support,http_stub.c))
$(eval $(call unit_test,common/io/tests/test_http_client.c,http_stub common,libcurl libuv))
$(eval $(call unit_test,common/base/tests/test_lru.c,common))
$(eval $(call unit_test,common/io/tests/test_http_server.c,common,libmicrohttpd))
$(eval $(call unit_test,common/io/tests/test_jwt.c,common,libjwt libcjson libcrypto))
$(eval $(call unit_test,common/io/tests/test_password.c,common,libargon2))
$(eval $(call unit_test,common/io/tests/test_casefold.c,common,,-lunistring))

BASE_TESTS := bucket buf clock json_write random span status utf8 uuid
$(foreach t,$(BASE_TESTS),$(eval $(call unit_test,common/base/tests/test_$(t).c,common)))

# Needs a cluster: KAFKA_BROKERS.
$(eval $(call library,kafka_fixture,common/io/tests,kafka_fixture.c,rdkafka cmocka))
$(eval $(call integration_test,common/io/tests/test_kafka.c,kafka_fixture common,rdkafka))
$(eval $(call integration_test,common/io/tests/test_kafka_group.c,kafka_fixture common,rdkafka))
$(eval $(call unit_test,common/wire/tests/test_identity.c,common,libcjson))

# What the wire, the sockets and the services are made of.
$(eval $(call unit_test,common/base/tests/test_websocket.c,common))
$(eval $(call unit_test,common/io/tests/test_json.c,common,libcjson))
$(eval $(call unit_test,common/io/tests/test_websocket_handshake.c,common,libcrypto))
$(eval $(call unit_test,common/wire/tests/test_event.c,common))
$(eval $(call unit_test,common/wire/tests/test_frame.c,common,libcjson))
$(eval $(call unit_test,common/wire/tests/test_name.c,common,,-lunistring))
$(eval $(call unit_test,common/wire/tests/test_save_record.c,common,libcjson))
$(eval $(call library,stdout_fixture,common/service/tests,stdout_fixture.c))
$(eval $(call unit_test,common/service/tests/test_log.c,stdout_fixture common,libcjson))
$(eval $(call unit_test,common/service/tests/test_clock_watch.c,common))
$(eval $(call unit_test,common/service/tests/test_metrics.c,common))
$(eval $(call unit_test,common/service/tests/test_parts.c,stdout_fixture common))
$(eval $(call unit_test,common/service/tests/test_settings.c,common))
