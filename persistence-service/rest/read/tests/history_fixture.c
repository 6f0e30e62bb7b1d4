#include "persistence-service/rest/read/tests/history_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct history *history;
struct buf json = {.max = 32 * 1024 * 1024};

int history_fixture_start(void **state)
{
	(void)state;
	chat_start();
	history = history_create(&chat_settings);
	return 0;
}

int history_fixture_stop(void **state)
{
	(void)state;
	history_destroy(&history);
	chat_stop();
	buf_free(&json);
	return 0;
}

const char *answer_text(size_t bytes_max)
{
	assert_false(buf_overflowed(&json));
	assert_true(json.len <= bytes_max);
	return buf_text(&json);
}
