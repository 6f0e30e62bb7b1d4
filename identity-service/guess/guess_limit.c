#include "identity-service/guess/guess_limit.h"
#include "identity-service/guess/guess_row.h"

enum { SUBJECT_TEXT_MAX = 64 };

/* --- subjects ------------------------------------------------------------- */
void guess_start(struct guess *guess, const struct name_keys *name,
                 uint64_t user, const struct ip_address *client)
{
	/* The key is empty for some names that the rules refuse. */
	const struct buf *key = name->key.len ? &name->key : &name->folded;

	*guess = (struct guess){.user = user,
	                        .address = ip_address_subscriber(client)};
	digest_make(buf_span(key), &guess->name);
}

void guess_start_address(struct guess *guess, const struct ip_address *client)
{
	*guess = (struct guess){.address_only = true,
	                        .address = ip_address_subscriber(client)};
}

static struct digest subject_of(const struct guess *guess,
                                enum guess_subject kind)
{
	CLEANUP(buf_free) struct buf text = BUF(SUBJECT_TEXT_MAX);
	struct digest subject;

	buf_byte(&text, (char)kind);
	if (kind == GUESS_NAME)
		buf_append(&text, digest_span(&guess->name));
	else
		buf_append(&text, ip_address_span(&guess->address));
	if (kind == GUESS_KNOWN)
		buf_number(&text, guess->user);
	digest_make(buf_span(&text), &subject);
	return subject;
}

static const struct guess_rule *rule_of(const struct guess_rules *rules,
                                        enum guess_subject kind)
{
	if (kind == GUESS_ADDRESS)
		return &rules->address;
	return kind == GUESS_NAME ? &rules->name : &rules->known;
}

/* --- known addresses ------------------------------------------------------ */
static enum status find_known(struct sql *sql, const struct guess *guess,
                              uint64_t known_s, bool *ret_known)
{
	const struct sql_value values[] = {
		sql_number(guess->user),
		sql_bytes(ip_address_span(&guess->address)),
		sql_number(known_s)};
	struct sql_value row;
	enum status status = sql_run(
		sql,
		"SELECT 1 FROM known_addresses WHERE user = ? AND address = ?"
		" AND seen_at > NOW(3) - INTERVAL ? SECOND",
		values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(sql, &row, 1);
	*ret_known = status == ST_OK;
	return status == ST_NOT_FOUND ? ST_OK : status;
}

/* ST_NOT_FOUND: the user has no more known addresses than there may be. */
static enum status forget_longest_unused(struct sql *sql, uint64_t user)
{
	struct sql_value values[] = {sql_number(user),
	                             sql_number(KNOWN_ADDRESSES_MAX)};
	char address[IP_ADDRESS_LEN];
	struct sql_value row;
	enum status status =
		sql_run(sql,
	                "SELECT address FROM known_addresses WHERE user = ?"
	                " ORDER BY seen_at DESC, address LIMIT 1 OFFSET ?",
	                values, ARRAY_LEN(values));

	if (status == ST_OK)
		status = sql_fetch(sql, &row, 1);
	if (status != ST_OK)
		return status;
	memcpy(address, row.bytes.data, sizeof(address));
	values[1] = sql_bytes(span_make(address, sizeof(address)));
	return sql_run(sql,
	               "DELETE FROM known_addresses"
	               " WHERE user = ? AND address = ?",
	               values, ARRAY_LEN(values));
}

/*
 * Keeps the addresses that were used last. Sign-ins at the same time do not see
 * each other's addresses; the next one forgets what they left.
 */
static enum status trim_known(struct sql *sql, uint64_t user)
{
	enum status status;

	do
		status = forget_longest_unused(sql, user);
	while (status == ST_OK);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status known_address_add(struct sql *sql, uint64_t user,
                              const struct ip_address *client)
{
	struct ip_address address = ip_address_subscriber(client);
	const struct sql_value values[] = {
		sql_number(user), sql_bytes(ip_address_span(&address))};
	enum status status =
		sql_run(sql,
	                "INSERT INTO known_addresses (user, address, seen_at)"
	                " VALUES (?, ?, NOW(3)) ON DUPLICATE KEY UPDATE"
	                " seen_at = NOW(3)",
	                values, ARRAY_LEN(values));

	/* One row was inserted; an update counts two, or none. */
	if (status == ST_OK && sql_affected(sql) == 1)
		status = trim_known(sql, user);
	return status;
}

/* --- attempts ------------------------------------------------------------- */
static enum status count(struct sql *sql, const struct guess_rules *rules,
                         struct guess *guess, unsigned at)
{
	enum guess_subject kind = guess->counted[at];
	enum status status;
	bool fits = false;
	struct guess_row row = {.subject = subject_of(guess, kind)};

	status = guess_row_lock(sql, rule_of(rules, kind), &row);
	if (status != ST_OK)
		return status;
	fits = guess_window_try(&row.window, rule_of(rules, kind), row.now_ms,
	                        &guess->slot[at], &guess->wait_s);
	if (!fits)
		guess->refused_by = kind;
	status = guess_row_store(sql, &row);
	return status == ST_OK && !fits ? ST_DENIED : status;
}

static enum status uncount(struct sql *sql, const struct guess_rules *rules,
                           const struct guess *guess, unsigned at)
{
	enum guess_subject kind = guess->counted[at];
	struct guess_row row = {.subject = subject_of(guess, kind)};
	enum status status;

	status = guess_row_lock(sql, rule_of(rules, kind), &row);
	if (status != ST_OK)
		return status;
	guess_window_undo(&row.window, guess->slot[at]);
	return guess_row_store(sql, &row);
}

enum status guess_limit_count(struct sql *sql, const struct guess_rules *rules,
                              struct guess *guess)
{
	enum status status;
	bool known = false;

	guess->counted[0] = GUESS_ADDRESS;
	if (guess->address_only)
		return count(sql, rules, guess, 0);
	status = find_known(sql, guess, rules->known_s, &known);
	guess->counted[1] = known ? GUESS_KNOWN : GUESS_NAME;
	if (status == ST_OK)
		status = count(sql, rules, guess, 0);
	if (status != ST_OK)
		return status;
	status = count(sql, rules, guess, 1);
	/* A refused attempt is no failure of the address. */
	if (status == ST_DENIED && uncount(sql, rules, guess, 0) != ST_OK)
		return ST_UNAVAILABLE;
	return status;
}

enum status guess_limit_try(struct sql *sql, const struct guess_rules *rules,
                            struct guess *guess)
{
	enum status committed, status = sql_begin(sql);

	if (status != ST_OK)
		return status;
	status = guess_limit_count(sql, rules, guess);
	if (status != ST_OK && status != ST_DENIED) {
		sql_rollback(sql);
		return status;
	}
	committed = sql_commit(sql);
	return committed == ST_OK ? status : committed;
}

enum status guess_limit_forgive(struct sql *sql,
                                const struct guess_rules *rules,
                                struct guess *guess)
{
	unsigned counts = guess->address_only ? 1 : 2;
	enum status status = ST_OK;

	for (unsigned i = 0; i < counts && status == ST_OK; i++)
		if (!guess->forgiven)
			status = uncount(sql, rules, guess, i);
	return status == ST_OK && !guess->address_only
	               ? known_address_add(sql, guess->user, &guess->address)
	               : status;
}

enum status guess_limit_purge(struct sql *sql, const struct guess_rules *rules,
                              bool *ret_more)
{
	const struct sql_value values[] = {sql_number(rules->known_s),
	                                   sql_number(GUESS_PURGE_MAX)};
	enum status status = sql_run(sql,
	                             "DELETE FROM guess_limits WHERE expires_at"
	                             " < NOW(3) LIMIT ?",
	                             values + 1, 1);

	*ret_more = false;
	if (status != ST_OK)
		return status;
	*ret_more = sql_affected(sql) == GUESS_PURGE_MAX;
	status = sql_run(sql,
	                 "DELETE FROM known_addresses WHERE seen_at"
	                 " < NOW(3) - INTERVAL ? SECOND LIMIT ?",
	                 values, ARRAY_LEN(values));
	*ret_more |= status == ST_OK && sql_affected(sql) == GUESS_PURGE_MAX;
	return status;
}
