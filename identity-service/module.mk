# identity-service: users, sessions, tokens.
IDENTITY_SOURCES := account.c account_keys.c api.c credentials.c database.c form.c \
	guess_limit.c guess_window.c identity.c \
	identity_metrics.c keyring.c lookup.c schema.c session.c settings.c sign_in.c token.c

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

# These tests need a server: MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD.
$(eval $(call library,identity_fixture,identity-service/tests,identity_fixture.c,libmariadb cmocka))
$(foreach t,account account_keys guess_limit,$(eval $(call integration_test,\
	identity-service/tests/test_$(t).c,identity_fixture sql_server identity common,$(IDENTITY_PACKAGES))))
