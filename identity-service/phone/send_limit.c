#include "identity-service/phone/send_limit.h"
#include "identity-service/guess/guess_row.h"

enum { TEXT_MAX = 64 };

static struct digest subject_of(enum send_subject kind,
                                const struct phone *phone,
                                const struct ip_address *client)
{
	CLEANUP(buf_free) struct buf text = BUF(TEXT_MAX);
	struct digest subject;

	/* Other rows of the table have subjects that begin otherwise. */
	buf_append(&text, SPAN("code"));
	buf_number(&text, kind);
	buf_byte(&text, ' ');
	if (kind == SEND_PHONE)
		buf_append(&text, phone_span(phone));
	else if (kind == SEND_ADDRESS)
		buf_append(&text, ip_address_span(client));
	else if (kind == SEND_COUNTRY || kind == SEND_FEW_USED)
		buf_append(&text, phone_country(phone));
	digest_make(buf_span(&text), &subject);
	return subject;
}

/*
 * Which limit a country has, given the codes that were sent. The used ones are
 * read without a lock: a sign-in locks them after the row of its phone.
 */
static enum status country_limit(struct sql *sql,
                                 const struct send_rules *rules,
                                 const struct phone *phone,
                                 struct guess_row *sent,
                                 enum send_subject *ret_limit)
{
	const struct guess_rule rule = {.window_s = rules->window_s};
	struct guess_row used = {
		.subject = subject_of(SEND_FEW_USED, phone, NULL)};
	enum status status = guess_row_read(sql, &rule, &used);

	if (status != ST_OK)
		return status;
	guess_window_advance(&sent->window, sent->now_ms);
	guess_window_advance(&used.window, used.now_ms);
	if (rules->max[SEND_FEW_USED] < rules->max[SEND_COUNTRY] &&
	    guess_window_failures(&used.window) * 100 <
	            guess_window_failures(&sent->window) * rules->used_percent)
		*ret_limit = SEND_FEW_USED;
	return ST_OK;
}

static enum status count_subject(struct sql *sql,
                                 const struct send_rules *rules,
                                 const struct phone *phone,
                                 struct guess_row *row,
                                 enum send_subject *limit, uint64_t *ret_wait_s)
{
	struct guess_rule rule = {.window_s = rules->window_s};
	enum status status = guess_row_lock(sql, &rule, row);

	if (status == ST_OK && *limit == SEND_COUNTRY)
		status = country_limit(sql, rules, phone, row, limit);
	if (status != ST_OK)
		return status;
	rule.max = rules->max[*limit];
	if (!guess_window_count(&row->window, &rule, row->now_ms, ret_wait_s))
		return ST_DENIED;
	return guess_row_store(sql, row);
}

enum status send_limit_count(struct sql *sql, const struct send_rules *rules,
                             const struct phone *phone,
                             const struct ip_address *client,
                             enum send_subject *ret_refused_by,
                             uint64_t *ret_wait_s)
{
	struct ip_address subscriber = ip_address_subscriber(client);
	enum status status = ST_OK;

	for (enum send_subject i = 0; i <= SEND_TOTAL && status == ST_OK; i++) {
		struct guess_row row = {
			.subject = subject_of(i, phone, &subscriber)};

		*ret_refused_by = i;
		status = count_subject(sql, rules, phone, &row, ret_refused_by,
		                       ret_wait_s);
	}
	return status;
}

enum status send_limit_count_used(struct sql *sql,
                                  const struct send_rules *rules,
                                  const struct phone *phone)
{
	const struct guess_rule rule = {.window_s = rules->window_s,
	                                .max = UINT64_MAX};
	struct guess_row used = {
		.subject = subject_of(SEND_FEW_USED, phone, NULL)};
	enum status status = guess_row_lock(sql, &rule, &used);
	uint64_t wait_s;

	if (status != ST_OK)
		return status;
	(void)!guess_window_count(&used.window, &rule, used.now_ms, &wait_s);
	return guess_row_store(sql, &used);
}
