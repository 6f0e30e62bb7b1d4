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
	else if (kind == SEND_COUNTRY)
		buf_append(&text, phone_country(phone));
	digest_make(buf_span(&text), &subject);
	return subject;
}

enum status send_limit_count(struct sql *sql, const struct send_rules *rules,
                             const struct phone *phone,
                             const struct ip_address *client,
                             enum send_subject *ret_refused_by,
                             uint64_t *ret_wait_s)
{
	struct ip_address subscriber = ip_address_subscriber(client);
	enum status status = ST_OK;
	bool fits = true;

	for (unsigned i = 0; i < SEND_SUBJECTS && status == ST_OK && fits;
	     i++) {
		const struct guess_rule rule = {.max = rules->max[i],
		                                .window_s = rules->window_s};
		struct guess_row row = {
			.subject = subject_of(i, phone, &subscriber)};

		status = guess_row_lock(sql, &rule, &row);
		if (status != ST_OK)
			break;
		fits = guess_window_count(&row.window, &rule, row.now_ms,
		                          ret_wait_s);
		*ret_refused_by = i;
		if (fits)
			status = guess_row_store(sql, &row);
	}
	return status == ST_OK && !fits ? ST_DENIED : status;
}
