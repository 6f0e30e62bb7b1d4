#include "persistence-service/rest/read/summary.h"

#include "common/base/mem.h"
#include "common/wire/pair.h"

enum { FIRST_ROOM = 64 };

#define NAMES_MAX ((size_t)1 << 30)

void summaries_clear(struct summaries *all)
{
	all->count = 0;
	all->names.max = NAMES_MAX;
	buf_clear(&all->names);
}

void summaries_free(struct summaries *all)
{
	mem_free(&all->item);
	buf_free(&all->names);
	all->count = all->room = 0;
}

static struct summary *next(struct summaries *all)
{
	if (all->count == all->room) {
		all->room = all->room ? all->room * 2 : FIRST_ROOM;
		all->item =
			mem_resize(all->item, all->room * sizeof(*all->item));
	}
	return &all->item[all->count++];
}

static void keep_name(struct summaries *all, struct summary *summary,
                      const struct sql_value *name)
{
	summary->has_name = name->kind == SQL_BYTES;
	summary->name_at = all->names.len;
	summary->name_len = summary->has_name ? name->bytes.len : 0;
	if (summary->has_name)
		buf_append(&all->names, name->bytes);
}

/* The key of a direct conversation names its two users. */
static bool fill_pair(struct summary *summary, struct span key, uint64_t user)
{
	struct pair pair;

	if (summary->kind != KIND_DIRECT)
		return true;
	if (!pair_read(key, &pair))
		return false;
	summary->with = pair_other(&pair, user);
	summary->members = pair.low == pair.high ? 1 : 2;
	return true;
}

enum status summaries_add(struct summaries *all, uint64_t user,
                          const struct sql_value *row)
{
	struct summary summary = {
		.conversation = row[0].number,
		.kind = row[1].number,
		.history = row[4].number,
		.members = row[5].number,
		.last_seq = row[6].number,
		.last_message_id = row[7].number,
		.revision = row[8].number,
		.role = row[9].number,
		.read_seq = row[10].number,
		.delivered_seq = row[11].number,
		.from_seq = row[12].number,
	};

	if (!fill_pair(&summary, row[2].bytes, user))
		return ST_BROKEN;
	keep_name(all, &summary, &row[3]);
	*next(all) = summary;
	return ST_OK;
}

void summaries_add_gone(struct summaries *all, uint64_t conversation)
{
	*next(all) = (struct summary){
		.conversation = conversation,
		.gone = true,
	};
}

/* --- as JSON ------------------------------------------------------------- */
static void write_name(const struct summaries *all,
                       const struct summary *summary, struct json_writer *w)
{
	if (summary->has_name)
		json_text(w, "name",
		          span_make(all->names.data + summary->name_at,
		                    summary->name_len));
	else
		json_null(w, "name");
	if (summary->kind == KIND_DIRECT) {
		json_open_object(w, "with");
		json_number(w, "id", summary->with);
		json_close(w);
	} else {
		json_null(w, "with");
	}
}

/* A read message is delivered: the table may raise read_seq first. */
static void write_counters(const struct summary *s, struct json_writer *w)
{
	uint64_t delivered =
		s->delivered_seq > s->read_seq ? s->delivered_seq : s->read_seq;

	json_number(w, "last_seq", s->last_seq);
	json_number(w, "read_seq", s->read_seq);
	json_number(w, "delivered_seq", delivered);
	json_number(w, "unread",
	            s->last_seq > s->read_seq ? s->last_seq - s->read_seq : 0);
	json_number(w, "revision", s->revision);
}

void summary_write(const struct summaries *all, const struct summary *summary,
                   struct span last_message, struct json_writer *w)
{
	json_open_object(w, NULL);
	json_number(w, "id", summary->conversation);
	json_text(w, "kind", span_of(conversation_kind_word(summary->kind)));
	write_name(all, summary, w);
	json_text(w, "role", span_of(member_role_word(summary->role)));
	json_number(w, "members", summary->members);
	json_text(w, "history",
	          span_of(conversation_history_word(summary->history)));
	write_counters(summary, w);
	if (last_message.len)
		json_raw(w, "last_message", last_message);
	else
		json_null(w, "last_message");
	json_close(w);
}
