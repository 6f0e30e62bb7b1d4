# identity-service: users, sessions, tokens.
IDENTITY_SOURCES := account.c account_keys.c api.c api_context.c credentials.c database.c \
	devices.c ended_sessions.c form.c guess_limit.c guess_window.c identity.c identity_metrics.c \
	keyring.c lookup.c oauth_client.c oauth_introspect.c oauth_metadata.c oauth_token.c \
	password_change.c password_check.c refresh.c schema.c settings.c sign_in.c token.c \
	$(addprefix session/,refresh_token.c revocations.c session.c)

# pkg-config packages of the static libraries.
IDENTITY_PACKAGES := libmicrohttpd libmariadb libjwt libargon2 libcjson \
	libcurl libcrypto rdkafka

$(eval $(call library,identity,identity-service,$(IDENTITY_SOURCES),libmicrohttpd))
$(eval $(call program,identity-service,identity common,$(IDENTITY_PACKAGES)))

# schema.o embeds the SQL files.
$(BUILD)/identity-service/schema.o: $(wildcard identity-service/schema/*.sql)

$(eval $(call unit_test,identity-service/tests/test_credentials.c,identity common,libcjson))
$(eval $(call unit_test,identity-service/tests/test_guess_window.c,identity common))
$(eval $(call unit_test,identity-service/tests/test_settings.c,identity common))
$(eval $(call unit_test,identity-service/session/tests/test_refresh_token.c,identity common,libcrypto))

# These tests need a server: MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD.
$(eval $(call library,identity_fixture,identity-service/tests,identity_fixture.c,libmariadb cmocka))
$(foreach t,account account_keys guess_limit,$(eval $(call integration_test,\
	identity-service/tests/test_$(t).c,identity_fixture sql_server identity common,$(IDENTITY_PACKAGES))))
$(eval $(call integration_test,identity-service/session/tests/test_session.c,identity_fixture sql_server identity common,$(IDENTITY_PACKAGES)))
