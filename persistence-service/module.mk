# Everything but main.c, so that tests can link it.
PERSISTENCE_SOURCES := answer_store.c api.c batch.c block_store.c change_store.c \
	conversation_store.c database.c first_send.c flight.c gauges.c history.c \
	member_check.c message_store.c owners.c paging.c pair.c persistence.c \
	publisher.c receipt_store.c roster.c rows_statement.c saver.c schema.c \
	settings.c talk.c topics.c writer.c

$(eval $(call library,persistence,persistence-service,$(PERSISTENCE_SOURCES),))
$(eval $(call program,persistence-service,persistence common,\
	rdkafka libmicrohttpd libmariadb libcjson libcurl libuv libcrypto hiredis))

# The embedded files are not seen by -MMD.
$(call object,persistence-service/schema.c): \
	$(wildcard persistence-service/schema/*.sql)

# Need a server: MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD.
$(eval $(call library,writer_fixture,persistence-service/tests,writer_fixture.c,rdkafka libmicrohttpd libmariadb cmocka))
$(foreach t,writer writer_many,$(eval $(call integration_test,\
	persistence-service/tests/test_$(t).c,writer_fixture persistence common,\
	rdkafka libmicrohttpd libmariadb libcjson libcurl libcrypto)))
