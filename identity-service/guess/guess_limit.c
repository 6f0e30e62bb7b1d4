#include "identity-service/guess/guess_limit.h"

enum { SUBJECT_LEN = 16, SUBJECT_TEXT_MAX = 64 };

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

/* Half a digest: the tables hold no name that a client sent. */
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

/* --- rows ----------------------------------------------------------------- */
struct row {
	struct digest subject;
	struct guess_window window;
	uint64_t now_ms; /* of the server */
};

static struct sql_value key_of(const struct row *row)
{
	return sql_bytes(span_make(row->subject.byte, SUBJECT_LEN));
}

/*
 * Locks the row, which it makes first: locks on absent rows would let two
 * transactions wait for each other. The address always comes before the name.
 */
static enum status lock_row(struct sql *sql, const struct guess *guess,
                            const struct guess_rules *rules,
                            enum guess_subject kind, struct row *row)
{
	struct sql_value subject, columns[2];
	enum status status;

	row->subject = subject_of(guess, kind);
	subject = key_of(row);
	status = sql_run(sql,
	                 "INSERT INTO guess_limits (subject, state, expires_at)"
	                 " VALUES (?, '', NOW(3))"
	                 " ON DUPLICATE KEY UPDATE subject = VALUES(subject)",
	                 &subject, 1);
	if (status == ST_OK)
		status = sql_run(sql,
		                 "SELECT state, CAST(UNIX_TIMESTAMP(NOW(3))"
		                 " * 1000 AS UNSIGNED) FROM guess_limits"
		                 " WHERE subject = ? FOR UPDATE",
		                 &subject, 1);
	if (status == ST_OK)
		status = sql_fetch(sql, columns, ARRAY_LEN(columns));
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_UNAVAILABLE : status;
	guess_window_read(columns[0].bytes, rule_of(rules, kind), &row->window);
	row->now_ms = columns[1].number;
	return ST_OK;
}

static enum status delete_row(struct sql *sql, const struct row *row)
{
	struct sql_value subject = key_of(row);

	return sql_run(sql, "DELETE FROM guess_limits WHERE subject = ?",
	               &subject, 1);
}

static enum status store_row(struct sql *sql, const struct row *row)
{
	CLEANUP(buf_free) struct buf state = BUF(GUESS_WINDOW_BYTES);
	uint64_t end_ms = guess_window_end_ms(&row->window);
	struct sql_value values[3];

	if (guess_window_failures(&row->window) == 0)
		return delete_row(sql, row);
	guess_window_write(&row->window, &state);
	values[0] = sql_bytes(buf_span(&state));
	values[1] = sql_number(
		end_ms > row->now_ms ? (end_ms - row->now_ms) / 1000 + 1 : 1);
	values[2] = key_of(row);
	return sql_run(sql,
	               "UPDATE guess_limits SET state = ?, expires_at ="
	               " NOW(3) + INTERVAL ? SECOND WHERE subject = ?",
	               values, ARRAY_LEN(values));
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

/* Keeps the addresses that were used last. */
static enum status trim_known(struct sql *sql, uint64_t user)
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
		return status == ST_NOT_FOUND ? ST_OK : status;
	memcpy(address, row.bytes.data, sizeof(address));
	values[1] = sql_bytes(span_make(address, sizeof(address)));
	return sql_run(sql,
	               "DELETE FROM known_addresses"
	               " WHERE user = ? AND address = ?",
	               values, ARRAY_LEN(values));
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
	struct row row;

	status = lock_row(sql, guess, rules, kind, &row);
	if (status != ST_OK)
		return status;
	fits = guess_window_try(&row.window, rule_of(rules, kind), row.now_ms,
	                        &guess->slot[at], &guess->wait_s);
	if (!fits)
		guess->refused_by = kind;
	status = store_row(sql, &row);
	return status == ST_OK && !fits ? ST_DENIED : status;
}

static enum status uncount(struct sql *sql, const struct guess_rules *rules,
                           const struct guess *guess, unsigned at)
{
	enum status status;
	struct row row;

	status = lock_row(sql, guess, rules, guess->counted[at], &row);
	if (status != ST_OK)
		return status;
	guess_window_undo(&row.window, guess->slot[at]);
	return store_row(sql, &row);
}

static enum status count_both(struct sql *sql, const struct guess_rules *rules,
                              struct guess *guess)
{
	enum status status;
	bool known = false;

	status = find_known(sql, guess, rules->known_s, &known);
	guess->counted[0] = GUESS_ADDRESS;
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
	status = count_both(sql, rules, guess);
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
	enum status status = ST_OK;

	for (unsigned i = 0; i < 2 && status == ST_OK; i++)
		status = uncount(sql, rules, guess, i);
	return status == ST_OK
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
