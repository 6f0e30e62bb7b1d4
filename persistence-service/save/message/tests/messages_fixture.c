#include "persistence-service/save/message/tests/messages_fixture.h"

struct messages *messages;

static enum status run(const struct attempt *attempt)
{
	return messages_save(messages, attempt);
}

static void ended(bool committed)
{
	if (committed)
		messages_committed(messages);
	else
		messages_rolled_back(messages);
}

static const struct pass pass = {.run = run, .ended = ended};

int messages_fixture_start(void **state)
{
	(void)state;
	pass_fixture_start(&pass);
	messages = messages_create(sql, rosters);
	return 0;
}

int messages_fixture_stop(void **state)
{
	(void)state;
	messages_destroy(&messages);
	pass_fixture_stop();
	return 0;
}

void messages_fixture_evict(void)
{
	messages_evict_all(messages);
	rosters_evict_all(rosters);
}

int messages_fixture_empty(void **state)
{
	(void)state;
	pass_fixture_empty();
	messages_evict_all(messages);
	make_group_and_channel();
	return 0;
}
