#include "persistence-service/rest/membership/conversation_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SELF = 1, USERS_MAX = 5 };

enum which { NEW, EDIT, INVITE, ROLE };

static struct conversation_body body;
static struct json *json;

static const char *read_body(enum which which, const char *text)
{
	const char *why;

	json_destroy(&json);
	if (json_parse(span_of(text), &json, &why) != ST_OK)
		fail_msg("%s: %s", text, why);
	switch (which) {
	case NEW:
		return conversation_body_new(json, SELF, USERS_MAX, &body);
	case EDIT:
		return conversation_body_edit(json, &body);
	case INVITE:
		return conversation_body_invite(json, USERS_MAX, &body);
	default:
		return conversation_body_role(json, &body);
	}
}

static void assert_fit(enum which which, const char *text)
{
	const char *unfit = read_body(which, text);

	if (unfit)
		fail_msg("%s: %s", text, unfit);
}

/* The text begins with the faulty member. */
static void assert_unfit(enum which which, const char *text, const char *what)
{
	const char *unfit = read_body(which, text);

	if (!unfit || strncmp(unfit, what, strlen(what)) != 0)
		fail_msg("%s: %s", text, unfit ? unfit : "taken");
}

static int stop(void **state)
{
	(void)state;
	json_destroy(&json);
	return 0;
}

static void a_new_conversation_has_a_kind_and_a_name(void **state)
{
	(void)state;
	assert_fit(NEW, "{\"kind\":\"group\",\"name\":\"us\"}");
	assert_int_equal(body.kind, KIND_GROUP);
	assert_true(span_equal(body.name, SPAN("us")));
	assert_int_equal(body.history, HISTORY_JOINED);
	assert_int_equal(body.user_count, 0);
	assert_false(body.has_uuid);
	assert_fit(NEW, "{\"kind\":\"channel\",\"name\":\"us\"}");
	assert_int_equal(body.history, HISTORY_ALL);
	assert_unfit(NEW, "{\"name\":\"us\"}", "kind");
	assert_unfit(NEW, "{\"kind\":\"direct\",\"name\":\"us\"}", "kind");
	assert_unfit(NEW, "{\"kind\":2,\"name\":\"us\"}", "kind");
	assert_unfit(NEW, "{\"kind\":\"group\"}", "name");
	assert_unfit(NEW, "{\"kind\":\"group\",\"name\":\"\"}", "name");
	assert_unfit(NEW, "{\"kind\":\"group\",\"name\":\"us \"}", "name");
	assert_unfit(NEW, "{\"kind\":\"group\",\"name\":\"\u200b\"}", "name");
	assert_fit(NEW, "{\"kind\":\"group\",\"name\":\"Cafe\u0301\"}");
	assert_true(span_equal(body.name, SPAN("Caf\u00e9")));
}

static void users_are_unique_and_without_the_creator(void **state)
{
	(void)state;
	assert_fit(NEW, "{\"kind\":\"group\",\"name\":\"us\","
	                "\"users\":[3,1,2,3]}");
	assert_int_equal(body.user_count, 2);
	assert_int_equal(body.users[0], 3);
	assert_int_equal(body.users[1], 2);
	assert_fit(INVITE, "{\"users\":[1,1]}");
	assert_int_equal(body.user_count, 1);
	assert_fit(INVITE, "{\"users\":[1,2,3,4,5]}");
	assert_unfit(INVITE, "{\"users\":[1,2,3,4,5,6]}", "users");
	assert_unfit(INVITE, "{\"users\":[]}", "users");
	assert_unfit(INVITE, "{\"users\":[0]}", "users");
	assert_unfit(INVITE, "{\"users\":[1,\"2\"]}", "users");
	assert_unfit(INVITE, "{\"users\":[1.5]}", "users");
	assert_unfit(INVITE, "{\"users\":[1,null,3]}", "users");
	assert_unfit(INVITE, "{\"users\":5}", "users");
	assert_unfit(INVITE, "{}", "users");
}

static void history_and_uuid_are_checked(void **state)
{
	(void)state;
	assert_fit(NEW, "{\"kind\":\"group\",\"name\":\"us\","
	                "\"history\":\"all\",\"uuid\":"
	                "\"01936F5E-8a2b-7c3d-9e4f-5a6b7c8d9e0f\"}");
	assert_int_equal(body.history, HISTORY_ALL);
	assert_true(body.has_uuid);
	assert_int_equal(body.uuid.byte[2], 0x6f);
	assert_unfit(NEW,
	             "{\"kind\":\"group\",\"name\":\"us\",\"history\":\"\"}",
	             "history");
	assert_unfit(NEW, "{\"kind\":\"group\",\"name\":\"us\",\"uuid\":null}",
	             "uuid");
}

static void an_edit_changes_something(void **state)
{
	(void)state;
	assert_fit(EDIT, "{\"name\":\"us\"}");
	assert_int_equal(body.history, 0);
	assert_fit(EDIT, "{\"history\":\"joined\"}");
	assert_int_equal(body.name.len, 0);
	assert_unfit(EDIT, "{}", "name or history");
	assert_unfit(EDIT, "{\"name\":null}", "name");
	assert_unfit(EDIT, "{\"name\":\"us\",\"history\":1}", "history");
}

static void a_role_is_one_of_three(void **state)
{
	(void)state;
	assert_fit(ROLE, "{\"role\":\"owner\"}");
	assert_int_equal(body.role, ROLE_OWNER);
	assert_unfit(ROLE, "{\"role\":\"Owner\"}", "role");
	assert_unfit(ROLE, "{\"role\":3}", "role");
	assert_unfit(ROLE, "{}", "role");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_conversation_has_a_kind_and_a_name),
		cmocka_unit_test(users_are_unique_and_without_the_creator),
		cmocka_unit_test(history_and_uuid_are_checked),
		cmocka_unit_test(an_edit_changes_something),
		cmocka_unit_test(a_role_is_one_of_three),
	};

	return cmocka_run_group_tests(tests, NULL, stop);
}
