# Everything but main.c, so that the tests can link it.
PERSISTENCE_SOURCES := conversation.c outbox.c outbox_announcer.c outbox_publisher.c outbox_records.c \
	persistence.c persistence_metrics.c schema.c settings.c topics.c \
	$(addprefix save/,entry_events.c publisher.c query_worker.c saver.c saver_database.c transaction.c) \
	$(addprefix save/batch/,attempt.c batch.c batch_dedup.c inflight_batch.c \
		text_store.c) \
	$(addprefix save/change/,changes.c change_store.c) \
	$(addprefix save/conversation/,conversation_cache.c conversation_store.c \
		pending_events.c query_handler.c recipients.c roster.c) \
	$(addprefix save/message/,block_changes.c block_store.c member_check.c \
		message_store.c messages.c reply_check.c) \
	$(addprefix save/owner/,partition_owners.c refusals.c) save/receipt/receipts.c \
	$(addprefix rest/,api.c api_action.c api_blocks.c api_channels.c \
		api_conversations.c api_members.c api_reads.c deleted_users.c sql_session.c user_limit.c) \
	$(addprefix rest/membership/,blocks.c channel_names.c channel_names_renewal.c \
		channel_search.c \
		conversation_body.c member_store.c membership.c membership_change.c \
		membership_make.c membership_members.c user_lock.c) \
	$(addprefix rest/read/,entries.c history.c history_members.c history_messages.c \
		history_sync.c paging.c reactions.c summary.c sync_cursor.c)

$(eval $(call library,persistence,persistence-service,$(PERSISTENCE_SOURCES),))
$(eval $(call program,persistence-service,persistence common,\
	rdkafka libmicrohttpd libmariadb libcjson libcurl libuv libcrypto hiredis))

# -MMD does not see the embedded files.
$(call object,persistence-service/schema.c): \
	$(wildcard persistence-service/schema/*.sql)

# These tests need a server: MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD.
PERSISTENCE_TEST_LIBRARIES := rdkafka libmicrohttpd libmariadb libcjson libcurl libcrypto
$(eval $(call library,batch_fixture,persistence-service/save,tests/batch_fixture.c tests/pass_fixture.c \
	tests/transaction_fixture.c change/tests/changes_fixture.c message/tests/messages_fixture.c,\
	rdkafka libmicrohttpd libmariadb cmocka))
$(eval $(call library,chat_fixture,persistence-service/tests,chat_fixture.c,cmocka))
$(eval $(call library,text_check,tests/support,text_check.c,cmocka))
$(foreach t,tests/test_transaction tests/test_transaction_blocks tests/test_transaction_errors \
	tests/test_transaction_kinds tests/test_transaction_recipients \
	change/tests/test_changes change/tests/test_change_crowds change/tests/test_change_refusals conversation/tests/test_query_handler conversation/tests/test_roster \
	message/tests/test_block_changes message/tests/test_message_duplicates \
	message/tests/test_message_refusals message/tests/test_messages owner/tests/test_refusals \
	owner/tests/test_refusals_bound \
	receipt/tests/test_receipts,$(eval $(call integration_test,\
	persistence-service/save/$(t).c,batch_fixture chat_fixture sql_server persistence common,\
	$(PERSISTENCE_TEST_LIBRARIES))))
$(foreach t,caps channel_names membership,$(eval $(call integration_test,\
	persistence-service/rest/membership/tests/test_$(t).c,chat_fixture sql_server text_check persistence common,\
	$(PERSISTENCE_TEST_LIBRARIES))))
$(eval $(call integration_test,persistence-service/rest/membership/tests/test_blocks.c,\
	chat_fixture sql_server text_check persistence common,$(PERSISTENCE_TEST_LIBRARIES),-Xlinker --wrap=log_write))
$(eval $(call library,history_fixture,persistence-service/rest/read/tests,history_fixture.c,cmocka))
$(foreach t,history history_size,$(eval $(call integration_test,persistence-service/rest/read/tests/test_$(t).c,\
	history_fixture chat_fixture sql_server text_check persistence common,$(PERSISTENCE_TEST_LIBRARIES))))
$(eval $(call integration_test,persistence-service/rest/membership/tests/test_rest_errors.c,\
	chat_fixture sql_server persistence common,$(PERSISTENCE_TEST_LIBRARIES),-Xlinker --wrap=clock_mono_ms))
# These also need Kafka: KAFKA_BROKERS.
$(eval $(call library,topic_fixture,persistence-service,tests/topic_fixture.c save/tests/late_broker.c,cmocka))
$(foreach t,publisher_bound query_worker saver_batch,$(eval $(call integration_test,\
	persistence-service/save/tests/test_$(t).c,topic_fixture chat_fixture sql_server free_port persistence common,\
	$(PERSISTENCE_TEST_LIBRARIES))))
$(eval $(call integration_test,persistence-service/tests/test_outbox_publisher.c,\
	chat_fixture sql_server persistence common,$(PERSISTENCE_TEST_LIBRARIES)))

$(eval $(call unit_test,persistence-service/rest/read/tests/test_summary.c,text_check persistence common))
$(eval $(call unit_test,persistence-service/tests/test_outbox_records.c,persistence common))
$(eval $(call unit_test,persistence-service/save/batch/tests/test_batch.c,persistence common,libcjson rdkafka))
$(eval $(call unit_test,persistence-service/rest/membership/tests/test_conversation_body.c,\
	persistence common,libcjson))
$(eval $(call unit_test,persistence-service/rest/read/tests/test_sync_cursor.c,persistence common))
$(eval $(call unit_test,persistence-service/rest/tests/test_user_limit.c,persistence common))
