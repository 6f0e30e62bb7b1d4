#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/service/log.h"
#include "identity-service/api/phone_check.h"
#include "identity-service/api/phone_sign_in.h"
#include "identity-service/identity_metrics.h"

enum { ANSWER_MAX = 64 };

struct start {
	const struct phone_auth *auth;
	struct phone phone;
	struct ip_address client;
	struct code code;
	struct open_code open;
	enum send_subject refused_by;
	uint64_t wait_s;
};

/* False: the request is answered. */
static bool read_body(struct http_request *request, struct phone *ret_phone)
{
	CLEANUP(json_destroy) struct json *body = NULL;
	const char *why = NULL;

	if (json_parse(http_body(request), &body, &why) != ST_OK) {
		http_answer_problem(request, 400, why);
		return false;
	}
	return phone_read_member(request, body, ret_phone);
}

static void make_code(struct start *start)
{
	uuid_make(&start->open.id);
	if (sms_checks_codes(&start->auth->provider))
		return;
	code_make(&start->code);
	code_digest(&start->auth->key, &start->phone, &start->code,
	            &start->open.digest);
	start->open.has_digest = true;
}

/*
 * The limits come first: their rows are locked before the time of the last code
 * is read. *ret_done: an earlier run was committed.
 */
static enum status check_limits(struct sql *sql, struct start *start,
                                bool *ret_done)
{
	enum status waited, status;
	uint64_t interval_s;

	status = send_limit_count(sql, &start->auth->send_rules, &start->phone,
	                          &start->client, &start->refused_by,
	                          &start->wait_s);
	if (status != ST_OK && status != ST_DENIED)
		return status;
	waited = open_code_wait(sql, &start->phone, &start->open.id,
	                        start->auth->interval_s, &interval_s, ret_done);
	if (waited != ST_OK || *ret_done)
		return waited;
	if (interval_s == 0)
		return status;
	if (status == ST_OK || interval_s > start->wait_s) {
		start->refused_by = SEND_PHONE;
		start->wait_s = interval_s;
	}
	return ST_DENIED;
}

static enum status open_new(struct sql *sql, void *argument)
{
	struct start *start = argument;
	bool done = false;
	enum status status = sql_begin(sql);

	if (status == ST_OK)
		status = check_limits(sql, start, &done);
	if (status == ST_OK && !done)
		status = open_code_put(sql, &start->phone, &start->open,
		                       start->auth->ttl_s);
	if (status == ST_OK && !done)
		status = sql_commit(sql);
	if (status != ST_OK || done)
		sql_rollback(sql);
	return status;
}

static void answer_sent(struct http_request *request, const struct start *start)
{
	CLEANUP(buf_free) struct buf json = BUF(ANSWER_MAX);
	struct json_writer w = json_writer(&json);

	json_open(&w);
	json_number(&w, "expires_in", start->auth->ttl_s);
	json_close(&w);
	http_answer_json(request, 202, buf_span(&json));
}

/* Whether the phone belongs to a user is not looked up. */
static void start_phone(struct http_request *request, void *context)
{
	const struct api_context *api = context;
	struct start start = {
		.auth = api->phone,
		.client = http_client_address(request, api->trusted_proxies),
	};
	enum status status;

	if (!read_body(request, &start.phone))
		return;
	make_code(&start);
	status = database_run(api->database, open_new, &start);
	if (status == ST_OK)
		status = sms_sender_hand_over(start.auth->sender, &start.phone,
		                              &start.code);
	mem_wipe(&start.code, sizeof(start.code));
	if (status == ST_OK) {
		answer_sent(request, &start);
	} else if (status == ST_DENIED) {
		metric_count(&identity_metrics_codes_refused[start.refused_by],
		             1);
		if (start.refused_by == SEND_FEW_USED)
			log_event(
				LOG_WARN, "codes.few_used",
				F_SPAN("country", phone_country(&start.phone)));
		api_answer_limited(request, start.wait_s,
		                   "too many codes were sent; try again later");
	} else if (status == ST_BUSY) {
		http_answer_problem(request, 503,
		                    "too many codes wait to be sent");
	} else {
		api_answer_failure(request, status);
	}
}

/* Answers a bad body at once, without waiting in the queue. */
void phone_start(struct http_request *request, void *context)
{
	struct phone phone;

	if (phone_is_on(request, context) && read_body(request, &phone))
		api_pass_of_client(request, context, POOL_PHONE, start_phone);
}
