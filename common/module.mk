# libcommon.a: base ← io ← {wire, service}; see docs/ARCHITECTURE.md.
COMMON_SOURCES := \
	$(addprefix base/,base64url.c buf.c clock.c cookie.c emoji.c ip_address.c json_write.c lru.c mem.c percent.c pipe_queue.c \
		random.c span.c status.c thread.c token_bucket.c turn_watch.c utf8.c uuid.c websocket.c) \
	$(addprefix io/,digest.c host_cache.c https_url.c json.c json_check.c password.c \
		resolver.c seal.c unicode.c websocket_handshake.c) \
	$(addprefix io/http/,client.c client_address.c cookies.c headers.c host.c listener.c \
		poller.c query.c request.c route.c server.c transfer.c unread.c worker_pool.c) \
	$(addprefix io/jwt/,jwt.c key.c) \
	$(addprefix io/kafka/,client.c errors.c group.c inflight.c message.c producer.c \
		producer_handle.c reader.c record.c resend.c topic_check.c topics.c watch.c) \
	$(addprefix io/redis/,connection.c loop.c redis.c) \
	$(addprefix io/sql/,bulk.c connect.c error.c migrate.c sql.c statement.c) \
	$(addprefix service/,admin.c clock_watch.c log.c log_output.c metrics.c readiness.c service.c \
		setting_form.c settings.c slow_turn.c topic_settings.c $(if $(filter faults,$(VARIANT)),fault_point.c)) \
	$(addprefix wire/,event.c frame.c frame_decode.c identity.c name.c pair.c reaction.c save_record.c) \
	$(addprefix client/,identity_client.c identity_requests.c identity_thread.c)

COMMON_LIBS := -lunistring

$(eval $(call library,common,common,$(COMMON_SOURCES),rdkafka libmicrohttpd libmariadb libcjson libcurl libuv libcrypto hiredis libjwt libargon2))

# Needs a database server: MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD.
$(eval $(call library,sql_server,tests/support,sql_server.c,cmocka))
$(eval $(call integration_test,common/io/sql/tests/test_sql.c,sql_server common,libmariadb))
$(eval $(call unit_test,common/io/sql/tests/test_bulk.c,common,libmariadb))
$(eval $(call integration_test,common/io/redis/tests/test_redis.c,common,hiredis libuv))
$(eval $(call library,http_stub,tests/support,http_stub.c))
$(eval $(call unit_test,common/io/http/tests/test_client.c,http_stub common,libcurl libuv))
# These tests answer look-ups of names.
$(eval $(call library,name_server,tests/support,name_server.c))
$(eval $(call library,test_loop,tests/support,test_loop.c,libuv))
$(eval $(call unit_test,common/io/redis/tests/test_connection.c,name_server test_loop common,hiredis libuv,-Xlinker --wrap=getaddrinfo))
$(eval $(call unit_test,common/io/tests/test_host_cache.c,name_server common,,-Xlinker --wrap=getaddrinfo))
$(eval $(call unit_test,common/io/http/tests/test_host.c,name_server http_stub test_loop common,libcurl libuv,-Xlinker --wrap=getaddrinfo))
$(eval $(call library,identity_stub,common/client/tests,identity_stub.c))
$(foreach t,client thread,$(eval $(call unit_test,common/client/tests/test_identity_$(t).c,\
	identity_stub http_stub common,libcurl libuv libcjson libcrypto)))
$(eval $(call unit_test,common/client/tests/test_identity_requests.c,common,libcjson libcrypto))
$(eval $(call unit_test,common/base/tests/test_lru.c,common))
$(eval $(call library,free_port,tests/support,free_port.c,cmocka))
$(eval $(call unit_test,common/io/http/tests/test_server.c,free_port common,libmicrohttpd))
$(eval $(call unit_test,common/io/http/tests/test_slow_step.c,free_port common,libmicrohttpd libcurl))
$(eval $(call unit_test,common/io/http/tests/test_unread.c,free_port common,libmicrohttpd,\
	-Xlinker --wrap=clock_mono_us))
$(eval $(call unit_test,common/io/jwt/tests/test_jwt.c,common,libjwt libcjson libcrypto))
$(eval $(call unit_test,common/io/tests/test_password.c,common,libargon2))
$(eval $(call unit_test,common/io/tests/test_seal.c,common,libcrypto))
$(eval $(call unit_test,common/io/tests/test_unicode.c,common))
$(eval $(call unit_test,common/io/tests/test_https_url.c,common,libcurl))

BASE_TESTS := base64url buf clock cookie emoji ip_address json_write pipe_queue random span status thread token_bucket utf8 uuid
$(foreach t,$(BASE_TESTS),$(eval $(call unit_test,common/base/tests/test_$(t).c,common)))

$(foreach t,errors topic_check usable,$(eval $(call unit_test,common/io/kafka/tests/test_$(t).c,common,rdkafka)))
# Need a Kafka cluster: KAFKA_BROKERS.
$(eval $(call library,kafka_fixture,common/io/kafka/tests,kafka_fixture.c,rdkafka cmocka))
$(eval $(call integration_test,common/io/kafka/tests/test_kafka.c,kafka_fixture common,rdkafka))
# It puts its own connect() in front of the C library's.
$(eval $(call library,broker_link,common/io/kafka/tests,broker_link.c,cmocka))
$(eval $(call integration_test,common/io/kafka/tests/test_losses.c,broker_link kafka_fixture common,rdkafka))
$(eval $(call integration_test,common/io/kafka/tests/test_refusals.c,kafka_fixture common,rdkafka))
$(eval $(call integration_test,common/io/kafka/tests/test_group.c,kafka_fixture common,rdkafka))
$(eval $(call integration_test,common/io/kafka/tests/test_watch.c,kafka_fixture common,rdkafka))
$(eval $(call unit_test,common/wire/tests/test_identity.c,common,libcjson))

# Unit tests of wire, sockets and services.
$(eval $(call unit_test,common/base/tests/test_websocket.c,common))
$(eval $(call unit_test,common/io/tests/test_json.c,common,libcjson))
$(eval $(call unit_test,common/io/tests/test_websocket_handshake.c,common,libcrypto))
$(eval $(call unit_test,common/wire/tests/test_event.c,common))
$(eval $(call unit_test,common/wire/tests/test_frame.c,common,libcjson))
$(eval $(call unit_test,common/wire/tests/test_name.c,common))
$(eval $(call unit_test,common/wire/tests/test_reaction.c,common))
$(eval $(call unit_test,common/wire/tests/test_save_record.c,common,libcjson))
$(eval $(call library,stdout_fixture,common/service/tests,stdout_fixture.c))
$(eval $(call unit_test,common/service/tests/test_log.c,stdout_fixture common,libcjson))
$(eval $(call unit_test,common/service/tests/test_clock_watch.c,common))
$(eval $(call unit_test,common/service/tests/test_metrics.c,common))
$(eval $(call unit_test,common/service/tests/test_readiness.c,stdout_fixture common))
$(eval $(call unit_test,common/service/tests/test_setting_form.c,common))
$(eval $(call unit_test,common/service/tests/test_settings.c,common))
