#include "identity-service/session/session.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/random.h"

/* A session from before refresh tokens ends with its access token. */
#define ALIVE \
	" revoked_at IS NULL AND" \
	" (refresh_expires_at > NOW(3) OR expires_at > NOW(3)) "

/* Without the Z, which SQL does not accept. */
static struct sql_value time_value(uint64_t unix_ms,
                                   char text[CLOCK_TEXT_LEN + 1])
{
	clock_format(unix_ms, text);
	return sql_bytes(span_make(text, CLOCK_TEXT_LEN - 1));
}

static struct sql_value text_or_null(struct span text)
{
	if (text.len > SESSION_TEXT_MAX)
		text.len = SESSION_TEXT_MAX;
	return text.len ? sql_bytes(text)
	                : (struct sql_value){.kind = SQL_NULL};
}

/* ST_NOT_FOUND: the user has no more sessions than there may be. */
static enum status end_longest_unused(struct sql *sql, uint64_t user)
{
	const struct sql_value values[] = {sql_number(user),
	                                   sql_number(SESSIONS_MAX)};
	struct uuid id;
	struct sql_value row;
	enum status status = sql_run(
		sql,
		"SELECT id FROM sessions WHERE user = ? AND" ALIVE
		"ORDER BY COALESCE(last_used_at, created_at) DESC, id DESC"
		" LIMIT 1 OFFSET ?",
		values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(sql, &row, 1);
	if (status != ST_OK)
		return status;
	memcpy(id.byte, row.bytes.data, sizeof(id.byte));
	status = session_end(sql, user, &id);
	/* The user has ended it just now. */
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static enum status end_surplus(struct sql *sql, uint64_t user)
{
	enum status status;

	do
		status = end_longest_unused(sql, user);
	while (status == ST_OK);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* ST_CONFLICT: an earlier attempt with an unknown outcome inserted the row. */
enum status session_insert(struct sql *sql, const struct session_rules *rules,
                           const struct session_device *device,
                           uint64_t expires_at_ms, struct session *session)
{
	struct digest family = refresh_token_family(&session->refresh);
	struct digest current = refresh_token_digest(&session->refresh);
	uint64_t idle_s =
		rules->idle_s < rules->max_s ? rules->idle_s : rules->max_s;
	char expires_at[CLOCK_TEXT_LEN + 1];
	const struct sql_value values[] = {
		sql_bytes(uuid_span(&session->id)),
		sql_number(session->user),
		time_value(expires_at_ms, expires_at),
		sql_bytes(digest_span(&family)),
		sql_bytes(digest_span(&current)),
		sql_number(idle_s),
		sql_number(rules->max_s),
		text_or_null(device->client_id),
		text_or_null(device->user_agent),
		sql_bytes(ip_address_span(&device->address)),
	};
	enum status status = sql_run(
		sql,
		"INSERT INTO sessions (id, user, expires_at, refresh_family,"
		" refresh_current, refresh_expires_at, ends_at, client_id,"
		" user_agent, address, last_used_at) VALUES (?, ?, ?, ?, ?,"
		" NOW(3) + INTERVAL ? SECOND, NOW(3) + INTERVAL ? SECOND, ?, ?,"
		" ?, NOW(3))",
		values, ARRAY_LEN(values));

	session->refresh_expires_in_s = idle_s;
	if (status == ST_CONFLICT)
		return ST_OK;
	return status == ST_OK ? end_surplus(sql, session->user) : status;
}

/* --- refresh -------------------------------------------------------------- */
/* The row of a family. */
struct family {
	struct session session;
	struct digest current, previous, salt;
	bool has_previous;
	bool alive;
	bool same_client;
};

static bool copy_bytes(const struct sql_value *value, void *out, size_t len)
{
	if (value->kind != SQL_BYTES || value->bytes.len != len)
		return false;
	memcpy(out, value->bytes.data, len);
	return true;
}

static bool read_family(const struct sql_value row[9], struct span client_id,
                        struct family *family)
{
	struct session *session = &family->session;
	const struct sql_value *name = &row[8];

	session->user = row[1].number;
	family->alive = row[5].number != 0;
	session->refresh_expires_in_s = row[6].number;
	family->same_client = row[7].kind == SQL_NULL || client_id.len == 0 ||
	                      span_equal(row[7].bytes, client_id);
	family->has_previous =
		copy_bytes(&row[3], &family->previous, DIGEST_LEN) &&
		copy_bytes(&row[4], &family->salt, DIGEST_LEN);
	if (name->kind != SQL_BYTES || name->bytes.len > USER_NAME_MAX_BYTES)
		return false;
	memcpy(session->name, name->bytes.data, name->bytes.len);
	session->name[name->bytes.len] = '\0';
	return copy_bytes(&row[0], session->id.byte, sizeof(session->id)) &&
	       copy_bytes(&row[2], &family->current, DIGEST_LEN);
}

#define FIND_FAMILY \
	"SELECT id, user, refresh_current, refresh_previous," \
	" refresh_salt," \
	" revoked_at IS NULL AND refresh_expires_at > NOW(3)," \
	" CAST(GREATEST(0, LEAST(?, TIMESTAMPDIFF(SECOND, NOW(3)," \
	" ends_at))) AS UNSIGNED), client_id," \
	" (SELECT name FROM users WHERE users.id = sessions.user)" \
	" FROM sessions WHERE refresh_family = ?"

/* `statement` begins with FIND_FAMILY. ST_DENIED: nothing is known of it. */
static enum status find_family(struct sql *sql, const char *statement,
                               const struct session_refresh *refresh,
                               struct family *ret_family)
{
	struct digest key = refresh_token_family(&refresh->token);
	const struct sql_value values[] = {sql_number(refresh->rules->idle_s),
	                                   sql_bytes(digest_span(&key))};
	struct sql_value row[9];
	enum status status = sql_run(sql, statement, values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(sql, row, ARRAY_LEN(row));
	if (status == ST_OK &&
	    !read_family(row, refresh->device->client_id, ret_family))
		status = ST_BROKEN;
	return status == ST_NOT_FOUND ? ST_DENIED : status;
}

/* ST_NOT_FOUND: the token is not the newest one of a session any more. */
static enum status rotate(struct sql *sql,
                          const struct session_refresh *refresh,
                          struct family *family)
{
	struct session *session = &family->session;
	const struct session_device *device = refresh->device;
	char expires_at[CLOCK_TEXT_LEN + 1];
	struct digest current, salt;

	random_bytes(salt.byte, DIGEST_LEN);
	refresh_token_follow(&refresh->token, &salt, &session->refresh);
	current = refresh_token_digest(&session->refresh);

	const struct sql_value values[] = {
		sql_bytes(digest_span(&current)),
		sql_bytes(digest_span(&salt)),
		sql_number(session->refresh_expires_in_s),
		time_value(refresh->expires_at_ms, expires_at),
		text_or_null(device->user_agent),
		sql_bytes(ip_address_span(&device->address)),
		sql_bytes(uuid_span(&session->id)),
		sql_bytes(digest_span(&family->current)),
	};
	enum status status = sql_run(
		sql,
		"UPDATE sessions SET refresh_previous = refresh_current,"
		" refresh_current = ?, refresh_salt = ?,"
		" refresh_expires_at = NOW(3) + INTERVAL ? SECOND,"
		" expires_at = GREATEST(expires_at, CAST(? AS DATETIME(3))),"
		" last_used_at = NOW(3), user_agent = ?, address = ?"
		" WHERE id = ? AND refresh_current = ?"
		" AND revoked_at IS NULL AND refresh_expires_at > NOW(3)",
		values, ARRAY_LEN(values));

	if (status == ST_OK && sql_affected(sql) == 0)
		return ST_NOT_FOUND;
	return status;
}

/* A client that repeats has lost the answer with the successor. */
static enum status repeat(struct sql *sql,
                          const struct session_refresh *refresh,
                          struct family *family)
{
	struct session *session = &family->session;
	char expires_at[CLOCK_TEXT_LEN + 1];
	const struct sql_value values[] = {
		sql_number(session->refresh_expires_in_s),
		time_value(refresh->expires_at_ms, expires_at),
		sql_bytes(uuid_span(&session->id)),
	};

	refresh_token_follow(&refresh->token, &family->salt, &session->refresh);
	return sql_run(
		sql,
		"UPDATE sessions SET"
		" refresh_expires_at = NOW(3) + INTERVAL ? SECOND,"
		" expires_at = GREATEST(expires_at, CAST(? AS DATETIME(3))),"
		" last_used_at = NOW(3) WHERE id = ?",
		values, ARRAY_LEN(values));
}

static bool is_newest(const struct family *family, const struct digest *digest)
{
	return span_equal(digest_span(digest), digest_span(&family->current));
}

/* ST_CONFLICT: the session is revoked, and the caller commits that. */
static enum status use_token(struct sql *sql,
                             const struct session_refresh *refresh,
                             struct family *family)
{
	struct digest digest = refresh_token_digest(&refresh->token);
	enum status status;

	if (!family->alive || !family->same_client)
		return ST_DENIED;
	if (is_newest(family, &digest)) {
		status = rotate(sql, refresh, family);
		return status == ST_NOT_FOUND ? ST_DENIED : status;
	}
	if (family->has_previous &&
	    span_equal(digest_span(&digest), digest_span(&family->previous)))
		return repeat(sql, refresh, family);
	status = session_end(sql, family->session.user, &family->session.id);
	return status == ST_OK ? ST_CONFLICT : status;
}

static enum status use_token_locked(struct sql *sql,
                                    const struct session_refresh *refresh,
                                    struct family *family)
{
	enum status committed, status = sql_begin(sql);

	if (status == ST_OK)
		status = find_family(sql, FIND_FAMILY " FOR UPDATE", refresh,
		                     family);
	if (status == ST_OK)
		status = use_token(sql, refresh, family);
	if (status != ST_OK && status != ST_CONFLICT) {
		sql_rollback(sql);
		return status;
	}
	committed = sql_commit(sql);
	return committed == ST_OK ? status : committed;
}

/*
 * Most refreshes bring the newest token: one statement finds the session, and
 * one rotates it if it is still as found. ST_NOT_FOUND: the others need a lock.
 */
static enum status rotate_alone(struct sql *sql,
                                const struct session_refresh *refresh,
                                struct family *family)
{
	struct digest digest = refresh_token_digest(&refresh->token);
	enum status status = find_family(sql, FIND_FAMILY, refresh, family);

	if (status != ST_OK)
		return status;
	if (!family->alive || !family->same_client ||
	    !is_newest(family, &digest))
		return ST_NOT_FOUND;
	return rotate(sql, refresh, family);
}

enum status session_refresh(struct sql *sql,
                            const struct session_refresh *refresh,
                            struct session *ret_session)
{
	struct family family = {0};
	enum status status = rotate_alone(sql, refresh, &family);

	if (status == ST_NOT_FOUND)
		status = use_token_locked(sql, refresh, &family);
	*ret_session = family.session;
	mem_wipe(&family, sizeof(family));
	return status;
}

/* --- ends ------------------------------------------------------------------
 */
enum status session_end(struct sql *sql, uint64_t user, const struct uuid *id)
{
	const struct sql_value values[] = {sql_bytes(uuid_span(id)),
	                                   sql_number(user)};
	enum status status = sql_run(sql,
	                             "UPDATE sessions SET revoked_at = NOW(3)"
	                             " WHERE id = ? AND user = ? AND" ALIVE,
	                             values, ARRAY_LEN(values));

	if (status == ST_OK && sql_affected(sql) == 0)
		return ST_NOT_FOUND;
	return status;
}

enum status session_has_ended(struct sql *sql, uint64_t user,
                              const struct uuid *id)
{
	const struct sql_value values[] = {sql_bytes(uuid_span(id)),
	                                   sql_number(user)};
	struct sql_value row;
	enum status status = sql_run(sql,
	                             "SELECT 1 FROM sessions WHERE id = ?"
	                             " AND user = ? AND revoked_at IS NOT NULL",
	                             values, ARRAY_LEN(values));

	return status == ST_OK ? sql_fetch(sql, &row, 1) : status;
}

enum status session_end_family(struct sql *sql,
                               const struct refresh_token *token,
                               uint64_t *ret_user)
{
	struct digest family = refresh_token_family(token);
	const struct sql_value value = sql_bytes(digest_span(&family));
	struct sql_value row[2];
	struct uuid id;
	enum status status = sql_run(
		sql, "SELECT id, user FROM sessions WHERE refresh_family = ?",
		&value, 1);

	if (status == ST_OK)
		status = sql_fetch(sql, row, ARRAY_LEN(row));
	if (status != ST_OK)
		return status;
	if (!copy_bytes(&row[0], id.byte, sizeof(id)))
		return ST_BROKEN;
	*ret_user = row[1].number;
	return session_end(sql, *ret_user, &id);
}

enum status session_end_others(struct sql *sql, uint64_t user,
                               const struct uuid *keep)
{
	const struct sql_value values[] = {sql_number(user),
	                                   sql_bytes(uuid_span(keep))};

	return sql_run(sql,
	               "UPDATE sessions SET revoked_at = NOW(3)"
	               " WHERE user = ? AND id <> ? AND" ALIVE,
	               values, ARRAY_LEN(values));
}

enum status session_end_all(struct sql *sql, uint64_t user)
{
	const struct sql_value id = sql_number(user);

	return sql_run(sql,
	               "UPDATE sessions SET revoked_at = NOW(3)"
	               " WHERE user = ? AND" ALIVE,
	               &id, 1);
}

/* --- the list --------------------------------------------------------------
 */
static bool read_row(const struct sql_value row[5], struct session_row *session)
{
	struct span agent = row[3].kind == SQL_BYTES ? row[3].bytes : SPAN("");

	if (agent.len > SESSION_TEXT_MAX)
		return false;
	memcpy(session->user_agent, agent.data, agent.len);
	session->user_agent[agent.len] = '\0';
	session->created_at_ms = row[1].number;
	session->last_used_at_ms = row[2].number;
	session->has_address =
		copy_bytes(&row[4], session->address.byte, IP_ADDRESS_LEN);
	return copy_bytes(&row[0], session->id.byte, sizeof(session->id));
}

enum status session_list(struct sql *sql, uint64_t user,
                         struct session_row rows[SESSIONS_MAX],
                         unsigned *ret_count)
{
	const struct sql_value values[] = {sql_number(user),
	                                   sql_number(SESSIONS_MAX)};
	struct sql_value row[5];
	unsigned count = 0;
	enum status status = sql_run(
		sql,
		"SELECT id,"
		" CAST(UNIX_TIMESTAMP(created_at) * 1000 AS UNSIGNED),"
		" CAST(UNIX_TIMESTAMP(COALESCE(last_used_at, created_at))"
		" * 1000 AS UNSIGNED), user_agent, address"
		" FROM sessions WHERE user = ? AND" ALIVE
		"ORDER BY COALESCE(last_used_at, created_at) DESC, id DESC"
		" LIMIT ?",
		values, ARRAY_LEN(values));

	while (status == ST_OK) {
		status = sql_fetch(sql, row, ARRAY_LEN(row));
		if (status == ST_OK && !read_row(row, &rows[count++]))
			status = ST_BROKEN;
	}
	*ret_count = count;
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status session_now(struct sql *sql, uint64_t *ret_now_ms)
{
	struct sql_value now;
	enum status status = sql_run(
		sql, "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED)",
		NULL, 0);

	if (status == ST_OK)
		status = sql_fetch(sql, &now, 1);
	if (status == ST_OK)
		*ret_now_ms = now.number;
	return status;
}

enum status session_list_ended(struct sql *sql, uint64_t since_ms,
                               const struct uuid *after,
                               struct session_ended *rows, unsigned max,
                               unsigned *ret_count)
{
	char since[CLOCK_TEXT_LEN + 1];
	const struct sql_value time = time_value(since_ms, since);
	const struct sql_value values[] = {
		time, time, sql_bytes(uuid_span(after)), sql_number(max)};
	struct sql_value row[4];
	unsigned count = 0;
	enum status status = sql_run(
		sql,
		"SELECT id, user,"
		" CAST(UNIX_TIMESTAMP(revoked_at) * 1000 AS UNSIGNED),"
		" CAST(UNIX_TIMESTAMP(expires_at) * 1000 AS UNSIGNED)"
		" FROM sessions WHERE revoked_at >= CAST(? AS DATETIME(3))"
		" AND (revoked_at > CAST(? AS DATETIME(3)) OR id > ?)"
		" ORDER BY revoked_at, id LIMIT ?",
		values, ARRAY_LEN(values));

	while (status == ST_OK) {
		struct session_ended *ended = &rows[count];

		status = sql_fetch(sql, row, ARRAY_LEN(row));
		if (status != ST_OK)
			break;
		if (!copy_bytes(&row[0], ended->id.byte, sizeof(ended->id)))
			status = ST_BROKEN;
		ended->user = row[1].number;
		ended->revoked_at_ms = row[2].number;
		ended->expires_at_ms = row[3].number;
		count++;
	}
	*ret_count = count;
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status session_purge(struct sql *sql, bool *ret_more)
{
	const struct sql_value most = sql_number(SESSION_PURGE_MAX);
	/* The NULLs are the sessions from before refresh tokens. */
	static const char *const statements[] = {
		"DELETE FROM sessions WHERE refresh_expires_at IS NULL"
		" AND expires_at < NOW(3) - INTERVAL 1 DAY LIMIT ?",
		"DELETE FROM sessions WHERE refresh_expires_at < NOW(3) -"
		" INTERVAL 1 DAY AND expires_at < NOW(3) - INTERVAL 1 DAY"
		" LIMIT ?"};
	enum status status = ST_OK;

	*ret_more = false;
	for (size_t i = 0; i < ARRAY_LEN(statements) && status == ST_OK; i++) {
		status = sql_run(sql, statements[i], &most, 1);
		if (status == ST_OK)
			*ret_more |= sql_affected(sql) == SESSION_PURGE_MAX;
	}
	return status;
}
