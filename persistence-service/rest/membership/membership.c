#include "persistence-service/rest/membership/membership.h"

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "common/service/log.h"
#include "persistence-service/rest/membership/membership_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* The savers of a busy conversation interfere, but not for ever. */
enum {
	TRIES = 10,
	DEADLINE_MS = 10000,
	BACKOFF_BASE_MS = 5,
	BACKOFF_MAX_MS = 200,
};

struct membership *membership_create(const struct settings *settings,
                                     struct sql_session *session)
{
	struct membership *m = mem_new(sizeof(*m));

	m->settings = settings;
	m->session = session;
	m->sql = sql_session_connection(session);
	membership_change_init(&m->change, m->sql, settings);
	return m;
}

void membership_destroy(struct membership **membership)
{
	if (!*membership)
		return;
	membership_change_free(&(*membership)->change);
	mem_free(membership);
}

const char *membership_why(const struct membership *m)
{
	return *m->why ? m->why : "the request failed";
}

bool membership_take_event(struct membership *m, uint64_t *ret_conversation,
                           uint64_t *ret_row)
{
	*ret_conversation = m->change.conversation;
	*ret_row = m->change.event_row;
	m->change.event_row = 0;
	return *ret_row != 0;
}

/* --- the transaction and its tries --------------------------------------- */
enum status membership_find(struct membership *m, uint64_t actor,
                            struct membership_entry *ret_entry)
{
	struct sql_value user = sql_number(actor);
	struct sql_value uuid = sql_bytes(uuid_span(&m->uuid));
	struct sql_value values[] = {user, uuid, user, uuid};
	struct sql_value row[2];
	enum status status =
		sql_run(m->sql,
	                "SELECT conversation, seq = 1 AND kind = 2"
	                " FROM messages WHERE sender = ? AND uuid = ?"
	                " UNION ALL SELECT conversation, 0"
	                " FROM revisions WHERE sender = ? AND uuid = ?",
	                values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(m->sql, row, ARRAY_LEN(row));
	if (status != ST_OK)
		return status;
	ret_entry->conversation = row[0].number;
	ret_entry->is_first = row[1].number != 0;
	return ST_OK;
}

/* A connection may have been lost between a commit and its answer. */
static enum status step_unless_done(struct membership *m, membership_step *step,
                                    uint64_t actor, void *wish, bool uncertain)
{
	struct membership_entry entry;
	enum status status = ST_NOT_FOUND;

	if (uncertain && actor)
		status = membership_find(m, actor, &entry);
	return status == ST_NOT_FOUND ? step(m, wish) : status;
}

static enum status attempt(struct membership *m, membership_step *step,
                           uint64_t actor, void *wish, bool uncertain)
{
	enum status status = sql_session_connect(m->session);

	if (status == ST_OK)
		status = sql_begin(m->sql);
	if (status == ST_OK)
		status = step_unless_done(m, step, actor, wish, uncertain);
	/* Whatever a commit reports, it may have been executed. */
	if (status == ST_OK && sql_commit(m->sql) != ST_OK)
		status = ST_UNCERTAIN;
	if (status != ST_OK)
		sql_rollback(m->sql);
	return status;
}

static bool is_temporary(enum status status)
{
	return status == ST_CONFLICT || status == ST_UNAVAILABLE ||
	       status == ST_UNCERTAIN;
}

static void pause_before_try(unsigned tried)
{
	uint64_t ms = 1 + backoff_ms(tried, BACKOFF_BASE_MS, BACKOFF_MAX_MS);
	struct timespec wait = {.tv_nsec = (long)ms * 1000000};

	(void)nanosleep(&wait, NULL);
}

static enum status give_up(const struct membership *m, enum status status)
{
	log_event(LOG_WARN, "membership.failed",
	          F_TEXT("status", status_text(status)),
	          F_TEXT("why", sql_error(m->sql)));
	return is_temporary(status) ? ST_UNAVAILABLE : ST_BROKEN;
}

enum status membership_transact(struct membership *m, membership_step *step,
                                uint64_t actor, void *wish)
{
	uint64_t until_ms = clock_mono_ms() + DEADLINE_MS;
	enum status status = ST_UNAVAILABLE;
	bool uncertain = false;

	m->why[0] = '\0';
	m->refused = false;
	for (unsigned i = 0; i < TRIES && clock_mono_ms() < until_ms; i++) {
		if (i)
			pause_before_try(i);
		status = attempt(m, step, actor, wish, uncertain);
		if (status == ST_OK || m->refused)
			return status;
		if (!is_temporary(status))
			break;
		uncertain = uncertain || status == ST_UNCERTAIN;
	}
	return give_up(m, status);
}

/* --- operations on an existing conversation ------------------------------ */
struct task {
	const struct membership_operation *operation;
	struct membership_action *action;
};

static enum status check(struct membership *m, const struct task *task)
{
	m->unchanged = false;
	return task->operation->check(m, task->action);
}

static enum status run_task(struct membership *m, void *context)
{
	const struct task *task = context;
	enum status status;

	membership_change_begin(&m->change);
	status = check(m, task);
	if (status != ST_OK || m->unchanged)
		return status;
	status = membership_change_claim_seq(&m->change, &m->uuid);
	if (status == ST_OK)
		status = check(m, task);
	if (status == ST_OK && m->unchanged) /* another change did it */
		return ST_CONFLICT;
	return status == ST_OK ? task->operation->apply(m, task->action)
	                       : status;
}

enum status membership_run(struct membership *m,
                           const struct membership_operation *operation,
                           struct membership_action *action)
{
	struct task task = {operation, action};

	uuid_make(&m->uuid);
	return membership_transact(m, run_task, action->actor, &task);
}

/* --- checks -------------------------------------------------------------- */
enum status membership_refuse(struct membership *m, enum status status,
                              const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(m->why, sizeof(m->why), format, args);
	va_end(args);
	m->refused = true;
	return status;
}

static enum status no_conversation(struct membership *m)
{
	return membership_refuse(m, ST_NOT_FOUND,
	                         "there is no such conversation");
}

enum status membership_authorize(struct membership *m,
                                 const struct membership_action *action,
                                 enum member_role least)
{
	static const char *const roles[] = {
		[ROLE_MEMBER] = "members",
		[ROLE_ADMIN] = "admins and the owner",
		[ROLE_OWNER] = "the owner",
	};
	const struct membership_change *c = &m->change;
	enum status status = membership_change_open(
		&m->change, action->conversation, action->actor);

	if (status == ST_NOT_FOUND)
		return no_conversation(m);
	if (status != ST_OK)
		return status;
	if (c->role == ROLE_NONE && (least || c->kind != KIND_CHANNEL))
		return no_conversation(m);
	if (c->kind == KIND_DIRECT)
		return membership_refuse(m, ST_DENIED,
		                         "a direct conversation has fixed "
		                         "members");
	if (c->role < least)
		return membership_refuse(m, ST_DENIED, "only %s may do that",
		                         roles[least]);
	return ST_OK;
}

enum status membership_check_capacity(struct membership *m, uint64_t members,
                                      unsigned more)
{
	uint64_t max = m->settings->members_max;

	if (members + more <= max)
		return ST_OK;
	return membership_refuse(m, ST_INVALID,
	                         "there can't be more than %llu members",
	                         (unsigned long long)max);
}

enum status membership_check_users(struct membership *m, uint64_t conversation,
                                   const uint64_t *users, unsigned count)
{
	uint64_t max = m->settings->conversations_max;
	uint64_t user;
	enum status status = member_store_over_limit(m->sql, conversation,
	                                             users, count, max, &user);

	if (status != ST_OK || user == 0)
		return status;
	return membership_refuse(
		m, ST_INVALID,
		"user %llu is in %llu groups and channels already",
		(unsigned long long)user, (unsigned long long)max);
}
