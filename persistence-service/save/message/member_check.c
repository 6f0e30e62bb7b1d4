#include "persistence-service/save/message/member_check.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"

enum { VALUES_EACH = 2 };

struct member_check {
	struct sql *sql;
	struct rosters *rosters;
	struct sql_value values[SQL_BULK_ROOM(SQL_BULK_MAX, VALUES_EACH)];
};

static struct sql_bulk find_members = {
	.head = "SELECT conversation, user FROM members"
		" WHERE (user, conversation) IN (",
	.row = "(?,?)",
	.between = ",",
	.tail = ")",
	.row_values = VALUES_EACH,
};

struct member_check *member_check_create(struct sql *sql,
                                         struct rosters *rosters)
{
	struct member_check *check = mem_new(sizeof(*check));

	check->sql = sql;
	check->rosters = rosters;
	return check;
}

void member_check_destroy(struct member_check **check)
{
	mem_free(check);
}

static bool has_roster(const struct cached_conversation *conversation)
{
	return !cached_conversation_is_pair(conversation) &&
	       conversation->state != CONVERSATION_MISSING &&
	       conversation->state != CONVERSATION_MISPLACED;
}

static enum status request_rosters(struct member_check *check,
                                   struct batch *batch,
                                   const struct new_message *messages,
                                   unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct cached_conversation *conversation =
			messages[i].conversation;

		if (has_roster(conversation))
			rosters_request(check->rosters, conversation->id,
			                conversation->last_seq,
			                conversation->large);
	}
	return rosters_load(check->rosters, batch);
}

/* The senders in large conversations that their rosters do not know. */
static unsigned collect_unknown(struct member_check *check,
                                const struct new_message *messages,
                                unsigned count)
{
	unsigned asked = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct cached_conversation *conversation =
			messages[i].conversation;
		uint64_t user = messages[i].entry->record.sender;

		if (!has_roster(conversation) || !conversation->large ||
		    roster_contains(
			    rosters_get(check->rosters, conversation->id),
			    user))
			continue;
		check->values[asked * VALUES_EACH] = sql_number(user);
		check->values[asked * VALUES_EACH + 1] =
			sql_number(conversation->id);
		asked++;
	}
	return asked;
}

enum status member_check_load(struct member_check *check, struct batch *batch,
                              const struct new_message *messages,
                              unsigned count)
{
	enum status status = request_rosters(check, batch, messages, count);
	unsigned asked = 0;
	struct sql_value row[2];

	if (status == ST_OK)
		asked = collect_unknown(check, messages, count);
	if (asked)
		status = sql_bulk_run(check->sql, &find_members, check->values,
		                      asked);
	while (asked && status == ST_OK) {
		status = sql_fetch(check->sql, row, 2);
		if (status == ST_OK)
			rosters_add_member(check->rosters, row[0].number,
			                   row[1].number);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

bool member_check_passed(const struct member_check *check,
                         const struct new_message *message)
{
	const struct cached_conversation *conversation = message->conversation;
	uint64_t user = message->entry->record.sender;

	if (cached_conversation_is_pair(conversation))
		return conversation->user[0] == user ||
		       conversation->user[1] == user;
	return has_roster(conversation) &&
	       roster_contains(rosters_get(check->rosters, conversation->id),
	                       user);
}
