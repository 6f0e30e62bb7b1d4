# identity-service: users, sessions, tokens.
IDENTITY_SOURCES := api.c database.c identity.c identity_metrics.c rotate_key.c \
	schema.c settings.c \
	$(addprefix account/,account.c account_keys.c deletion.c profile.c) \
	$(addprefix guess/,guess_limit.c guess_row.c guess_window.c) \
	$(addprefix session/,refresh_token.c revocations.c session.c session_uses.c) \
	$(addprefix keys/,key_secret.c key_table.c keyring.c signing_keys.c token.c) \
	$(addprefix phone/,code.c open_code.c phone.c send_limit.c) \
	$(addprefix sms/,form_write.c sms_provider.c sms_sender.c) \
	$(addprefix api/,account_deletion.c api_context.c credentials.c deleted_users.c devices.c \
		ended_sessions.c form.c internal_page.c lookup.c \
		password_by_code.c password_change.c password_check.c phone_attach.c phone_check.c \
		phone_sign_in.c phone_start.c profile_body.c profiles.c refresh.c refresh_cookie.c \
		same_origin.c sign_in.c) \
	$(addprefix oauth/,oauth_client.c oauth_introspect.c oauth_metadata.c oauth_token.c)

# pkg-config packages of the static libraries.
IDENTITY_PACKAGES := libmicrohttpd libmariadb libjwt libargon2 libcjson \
	libcurl libcrypto rdkafka

$(eval $(call library,identity,identity-service,$(IDENTITY_SOURCES),libmicrohttpd))
$(eval $(call program,identity-service,identity common,$(IDENTITY_PACKAGES)))

# schema.o embeds the SQL files.
$(BUILD)/identity-service/schema.o: $(wildcard identity-service/schema/*.sql)

$(eval $(call unit_test,identity-service/api/tests/test_credentials.c,identity common,libcjson))
$(eval $(call unit_test,identity-service/api/tests/test_same_origin.c,identity common))
$(eval $(call unit_test,identity-service/api/tests/test_profile_body.c,identity common,libcjson libcurl))
$(eval $(call unit_test,identity-service/guess/tests/test_guess_window.c,identity common))
$(eval $(call unit_test,identity-service/keys/tests/test_keyring.c,identity common,libcrypto))
$(eval $(call unit_test,identity-service/tests/test_settings.c,identity common,libcurl libcjson libcrypto))
$(eval $(call unit_test,identity-service/session/tests/test_refresh_token.c,identity common,libcrypto))
$(foreach t,phone/tests/test_phone phone/tests/test_code sms/tests/test_form_write,$(eval \
	$(call unit_test,identity-service/$(t).c,identity common,libcrypto)))
$(foreach t,test_sms_provider test_sms_sender,$(eval $(call unit_test,\
	identity-service/sms/tests/$(t).c,http_stub identity common,libcurl libcjson)))

# These tests need a server: MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD.
$(eval $(call library,identity_fixture,identity-service/tests,identity_fixture.c,libmariadb cmocka))
$(foreach t,tests/test_account api/tests/test_sign_in account/tests/test_account_keys account/tests/test_deletion account/tests/test_profile \
	tests/test_database \
	guess/tests/test_guess_limit keys/tests/test_signing_keys phone/tests/test_open_code \
	session/tests/test_session,$(eval $(call integration_test,\
	identity-service/$(t).c,identity_fixture sql_server identity common,$(IDENTITY_PACKAGES))))
# It watches the connections of the REST server, and makes hashes cheap.
$(eval $(call integration_test,identity-service/tests/test_identity_errors.c,\
	identity_fixture sql_server free_port identity common,$(IDENTITY_PACKAGES),\
	-Xlinker --wrap=sql_create -Xlinker --wrap=argon2id_hash_encoded))
