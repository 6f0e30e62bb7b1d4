# Everything but main.c, so that tests can link it.
SAVE_SOURCES := answer_store.c batch.c block_store.c change_store.c conversation_store.c \
	first_send.c flight.c member_check.c message_store.c publisher.c \
	receipt_store.c reply_check.c roster.c rows_statement.c saver.c talk.c \
	writer.c
REST_SOURCES := api.c api_act.c api_blocks.c api_channels.c api_conversations.c \
	api_members.c api_reads.c asker.c blocks.c change.c channel_names.c \
	channel_search.c conversation_body.c entries.c few_rows.c history.c \
	history_members.c history_messages.c history_sync.c member_store.c \
	membership.c membership_make.c membership_people.c owners.c paging.c \
	people.c reactions.c reader.c summary.c sync_cursor.c user_limit.c
PERSISTENCE_SOURCES := announcement.c announcer.c conversation.c database.c gauges.c outbox.c \
	pair.c persistence.c schema.c settings.c topics.c \
	$(addprefix save/,$(SAVE_SOURCES)) $(addprefix rest/,$(REST_SOURCES))

$(eval $(call library,persistence,persistence-service,$(PERSISTENCE_SOURCES),))
$(eval $(call program,persistence-service,persistence common,\
	rdkafka libmicrohttpd libmariadb libcjson libcurl libuv libcrypto hiredis,-lunistring))

# The embedded files are not seen by -MMD.
$(call object,persistence-service/schema.c): \
	$(wildcard persistence-service/schema/*.sql)

# Need a server: MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD.
PERSISTENCE_TEST_LIBRARIES := rdkafka libmicrohttpd libmariadb libcjson libcurl libcrypto
$(eval $(call library,writer_fixture,persistence-service/tests,writer_fixture.c,\
	rdkafka libmicrohttpd libmariadb cmocka))
$(eval $(call library,chat_fixture,persistence-service/tests,chat_fixture.c,cmocka))
$(foreach t,writer writer_many,$(eval $(call integration_test,\
	persistence-service/tests/test_$(t).c,writer_fixture chat_fixture persistence common,\
	$(PERSISTENCE_TEST_LIBRARIES),-lunistring)))
$(foreach t,channel_names history membership,$(eval $(call integration_test,\
	persistence-service/tests/test_$(t).c,chat_fixture persistence common,\
	$(PERSISTENCE_TEST_LIBRARIES),-lunistring)))
# And Kafka: KAFKA_BROKERS.
$(eval $(call integration_test,persistence-service/tests/test_announcer.c,\
	chat_fixture persistence common,$(PERSISTENCE_TEST_LIBRARIES),-lunistring))

$(eval $(call unit_test,persistence-service/tests/test_summary.c,persistence common))
$(eval $(call unit_test,persistence-service/tests/test_announcement.c,persistence common))
$(eval $(call unit_test,persistence-service/tests/test_conversation_body.c,\
	persistence common,libcjson,-lunistring))
$(eval $(call unit_test,persistence-service/tests/test_sync_cursor.c,persistence common))
$(eval $(call unit_test,persistence-service/tests/test_user_limit.c,persistence common))
