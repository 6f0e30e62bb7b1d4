#include "persistence-service/save/message/member_check.h"

#include "common/base/mem.h"
#include "common/io/sql/bulk.h"

enum { VALUES_EACH = 2, STATE_COLUMNS = 3 };

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

static struct sql_bulk find_states = {
	.head = "SELECT id, last_seq, large FROM conversations"
		" WHERE deleted_at IS NULL AND id IN (",
	.row = "?",
	.between = ",",
	.tail = ")",
	.row_values = 1,
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

static enum status want_rosters(struct member_check *check, struct batch *batch,
                                struct talks *talks,
                                struct batch_entry *const *entries,
                                unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct talk *talk = talks_at(talks, entries[i]->talk);

		if (!talk_is_pair(talk) && !talk->absent)
			rosters_want(check->rosters, talk->id, talk->last_seq,
			             talk->large);
	}
	return rosters_load(check->rosters, batch);
}

/* Who wrote to a large one and is not known to be in it. */
static unsigned collect_unknown(struct member_check *check, struct talks *talks,
                                struct batch_entry *const *entries,
                                unsigned count)
{
	unsigned asked = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct talk *talk = talks_at(talks, entries[i]->talk);
		uint64_t user = entries[i]->record.sender;

		if (talk_is_pair(talk) || talk->absent || !talk->large ||
		    roster_has(rosters_get(check->rosters, talk->id), user))
			continue;
		check->values[asked * VALUES_EACH] = sql_number(user);
		check->values[asked * VALUES_EACH + 1] = sql_number(talk->id);
		asked++;
	}
	return asked;
}

enum status member_check_load(struct member_check *check, struct batch *batch,
                              struct talks *talks,
                              struct batch_entry *const *entries,
                              unsigned count)
{
	enum status status = want_rosters(check, batch, talks, entries, count);
	unsigned asked = 0;
	struct sql_value row[2];

	if (status == ST_OK)
		asked = collect_unknown(check, talks, entries, count);
	if (asked)
		status = sql_bulk_run(check->sql, &find_members, check->values,
		                      asked);
	while (asked && status == ST_OK) {
		status = sql_fetch(check->sql, row, 2);
		if (status == ST_OK)
			rosters_learn(check->rosters, row[0].number,
			              row[1].number);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

bool member_check_passed(const struct member_check *check, struct talks *talks,
                         const struct batch_entry *entry)
{
	const struct talk *talk = talks_at(talks, entry->talk);
	uint64_t user = entry->record.sender;

	if (talk->absent)
		return false;
	if (talk_is_pair(talk))
		return talk->user[0] == user || talk->user[1] == user;
	return roster_has(rosters_get(check->rosters, talk->id), user);
}

/* --- what was there before ----------------------------------------------- */
static bool is_due(const struct batch_entry *entry)
{
	return entry->record.kind == SAVE_MESSAGE &&
	       (entry->outcome == OUTCOME_SAVED ||
	        entry->outcome == OUTCOME_DUPLICATE) &&
	       !entry->saved.user_to && !entry->roster;
}

bool member_check_due(const struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++)
		if (is_due(&batch->entries[i]))
			return true;
	return false;
}

static enum status want_all(struct member_check *check, struct batch *batch)
{
	struct sql_value row[STATE_COLUMNS];
	enum status status = ST_OK;
	unsigned asked = 0;

	for (unsigned i = 0; i < batch->count; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (is_due(entry))
			check->values[asked++] =
				sql_number(entry->saved.conversation);
	}
	status = sql_bulk_run(check->sql, &find_states, check->values, asked);
	while (status == ST_OK) {
		status = sql_fetch(check->sql, row, STATE_COLUMNS);
		if (status == ST_OK)
			rosters_want(check->rosters, row[0].number,
			             row[1].number, row[2].number != 0);
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status member_check_address(struct member_check *check,
                                 struct batch *batch)
{
	enum status status = want_all(check, batch);

	if (status == ST_OK)
		status = rosters_load(check->rosters, batch);
	for (unsigned i = 0; i < batch->count && status == ST_OK; i++) {
		struct batch_entry *entry = &batch->entries[i];

		if (is_due(entry))
			entry->roster = rosters_find(check->rosters,
			                             entry->saved.conversation);
	}
	return status;
}
