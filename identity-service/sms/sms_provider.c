#include "identity-service/sms/sms_provider.h"
#include "common/base/mem.h"
#include "common/io/http/client.h"
#include "common/io/https_url.h"
#include "common/io/json.h"
#include "common/service/log.h"
#include "identity-service/identity_metrics.h"
#include "identity-service/sms/form_write.h"

enum {
	URL_MAX = 1024,
	BODY_MAX = 2048,
	BASIC_MAX = 1024,
	TEXT_MAX = 256,
	HTTP_NOT_FOUND = 404,
	/* Twilio: "Max check attempts reached", with HTTP 429. */
	TWILIO_CHECKED_TOO_OFTEN = 60202,
};

struct sms_client {
	const struct sms_provider *provider;
	struct http_client *http;
	struct buf url;
	struct buf body;
	struct buf basic;
};

/* --- settings ------------------------------------------------------------- */
static const struct {
	const char *name;
	enum sms_kind kind;
} kinds[] = {
	{"", SMS_NONE},
	{"log", SMS_LOG},
	{"twilio-messages", SMS_TWILIO_MESSAGES},
	{"twilio-verify", SMS_TWILIO_VERIFY},
};

bool sms_kind_parse(struct span text, enum sms_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!span_equal(text, span_of(kinds[i].name)))
			continue;
		*ret_kind = kinds[i].kind;
		return true;
	}
	return false;
}

const char *sms_default_url(enum sms_kind kind)
{
	return kind == SMS_TWILIO_VERIFY ? "https://verify.twilio.com"
	                                 : "https://api.twilio.com";
}

/* The rest of a URL after its host: a port, and a path if any. */
static bool is_port_and_path(struct span rest)
{
	struct span path, port;
	uint64_t number;

	if (rest.len == 0 || rest.data[0] == '/')
		return true;
	if (rest.data[0] != ':')
		return false;
	port = span_cut(span_make(rest.data + 1, rest.len - 1), '/', &path);
	return span_to_u64(port, 65535, &number) && number > 0;
}

static bool is_loopback(struct span url)
{
	static const char *const starts[] = {
		"http://127.0.0.1", "http://localhost", "http://[::1]"};

	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct span start = span_of(starts[i]);

		if (span_starts(url, start) &&
		    is_port_and_path(span_make(url.data + start.len,
		                               url.len - start.len)))
			return true;
	}
	return false;
}

bool sms_url_fits(struct span url)
{
	return url.len > 0 && url.data[url.len - 1] != '/' &&
	       !memchr(url.data, '?', url.len) &&
	       !memchr(url.data, '#', url.len) &&
	       (is_loopback(url) || !https_url_fault(url));
}

/* --- the client ----------------------------------------------------------- */
struct sms_client *sms_client_create(const struct sms_provider *provider)
{
	struct sms_client *client = mem_new(sizeof(*client));

	client->provider = provider;
	client->http = http_client_create();
	client->url = BUF(URL_MAX);
	client->body = BUF(BODY_MAX);
	client->basic = BUF(BASIC_MAX);
	buf_format(&client->basic, "%s:%s", provider->account,
	           provider->secret);
	return client;
}

static void wipe(struct buf *buf)
{
	if (buf->data)
		mem_wipe(buf->data, buf->capacity);
	buf_free(buf);
}

void sms_client_destroy(struct sms_client **client)
{
	struct sms_client *c = MOVE(*client);

	if (!c)
		return;
	http_client_destroy(&c->http);
	wipe(&c->basic);
	wipe(&c->body);
	buf_free(&c->url);
	mem_free(&c);
}

static void log_failure(const struct sms_client *client,
                        const struct phone *phone, unsigned http,
                        const char *why, uint64_t code)
{
	log_event(LOG_WARN, "sms.failed",
	          F_TEXT("provider", client->provider->name),
	          F_SPAN("country", phone_country(phone)),
	          F_NUMBER("http", http), F_TEXT("why", why),
	          F_NUMBER("code", code));
}

/* Twilio's own number of an error: https://www.twilio.com/docs/api/errors */
static uint64_t error_code(struct span body)
{
	CLEANUP(json_destroy) struct json *json = NULL;
	const char *why;
	uint64_t code = 0;

	if (json_parse(body, &json, &why) == ST_OK)
		(void)json_get_id(json, "code", &code);
	return code;
}

/* POSTs client->body to client->url. ST_OK: *ret_answer has any HTTP code. */
static enum status post(struct sms_client *client, const struct phone *phone,
                        struct http_answer *ret_answer)
{
	const struct http_ask ask = {
		.url = buf_text(&client->url),
		.basic = buf_text(&client->basic),
		.content_type = "application/x-www-form-urlencoded",
		.body = buf_span(&client->body),
		.once = true,
		.timeout_ms = client->provider->timeout_ms,
	};
	enum status status = http_client_ask(client->http, &ask, ret_answer);

	if (status == ST_OK)
		return ST_OK;
	log_failure(client, phone, 0, http_client_error(client->http), 0);
	return ST_UNAVAILABLE;
}

/* Twilio's OpenAPI has 200 and 201. */
static bool is_good(const struct http_answer *answer)
{
	return answer->http >= 200 && answer->http < 300;
}

static enum status judge(const struct sms_client *client,
                         const struct phone *phone,
                         const struct http_answer *answer)
{
	bool refused = answer->http >= 400 && answer->http < 500;

	if (is_good(answer))
		return ST_OK;
	log_failure(client, phone, answer->http,
	            refused ? "the provider refused it"
	                    : "the provider answered unexpectedly",
	            error_code(answer->body));
	return refused ? ST_DENIED : ST_UNAVAILABLE;
}

/* --- the providers -------------------------------------------------------- */
/* A warning, so that the line is there at the usual levels. */
static enum status send_to_log(const struct phone *phone,
                               const struct code *code)
{
	log_event(LOG_WARN, "sms.code", F_TEXT("phone", phone->text),
	          F_TEXT("code", code->text));
	return ST_OK;
}

static void write_text(struct buf *text, const struct sms_client *client,
                       const struct code *code)
{
	unsigned minutes = (client->provider->code_ttl_s + 59) / 60;

	buf_format(text,
	           "%s is your Parley code. It is good for %u minute%s. Do not "
	           "tell it to anyone.",
	           code->text, minutes, minutes == 1 ? "" : "s");
	if (*client->provider->webotp_domain)
		buf_format(text, "\n\n@%s #%s", client->provider->webotp_domain,
		           code->text);
}

static enum status send_message(struct sms_client *client,
                                const struct phone *phone,
                                const struct code *code)
{
	const struct sms_provider *provider = client->provider;
	CLEANUP(buf_free) struct buf text = BUF(TEXT_MAX);
	struct span from = span_of(provider->from);
	struct http_answer answer;
	enum status status;

	buf_clear(&client->url);
	buf_format(&client->url, "%s/2010-04-01/Accounts/%s/Messages.json",
	           provider->base_url, provider->account);
	write_text(&text, client, code);
	buf_clear(&client->body);
	form_write(&client->body, "To", phone_span(phone));
	form_write(&client->body,
	           span_starts(from, SPAN("MG")) ? "MessagingServiceSid"
	                                         : "From",
	           from);
	form_write(&client->body, "Body", buf_span(&text));
	status = post(client, phone, &answer);
	mem_wipe(client->body.data, client->body.len);
	mem_wipe(text.data, text.len);
	return status == ST_OK ? judge(client, phone, &answer) : status;
}

static void verify_url(struct sms_client *client, const char *resource)
{
	buf_clear(&client->url);
	buf_format(&client->url, "%s/v2/Services/%s/%s",
	           client->provider->base_url, client->provider->verify_service,
	           resource);
}

static enum status start_verification(struct sms_client *client,
                                      const struct phone *phone)
{
	struct http_answer answer;
	enum status status;

	verify_url(client, "Verifications");
	buf_clear(&client->body);
	form_write(&client->body, "To", phone_span(phone));
	form_write(&client->body, "Channel", SPAN("sms"));
	status = post(client, phone, &answer);
	return status == ST_OK ? judge(client, phone, &answer) : status;
}

enum status sms_send(struct sms_client *client, const struct phone *phone,
                     const struct code *code)
{
	enum status status;

	if (client->provider->kind == SMS_LOG)
		status = send_to_log(phone, code);
	else if (client->provider->kind == SMS_TWILIO_VERIFY)
		status = start_verification(client, phone);
	else
		status = send_message(client, phone, code);
	metric_count(status == ST_OK ? &identity_metrics_sms_sent
	                             : &identity_metrics_sms_failed,
	             1);
	return status;
}

/* --- checks --------------------------------------------------------------- */
static bool is_approved(struct span body)
{
	CLEANUP(json_destroy) struct json *json = NULL;
	struct span status;
	const char *why;

	return json_parse(body, &json, &why) == ST_OK &&
	       json_get_text(json, "status", &status) &&
	       span_equal(status, SPAN("approved"));
}

/* Twilio answers 404 when the code is used or old. */
static enum status judge_check(const struct sms_client *client,
                               const struct phone *phone,
                               const struct http_answer *answer)
{
	uint64_t code;

	if (is_good(answer))
		return is_approved(answer->body) ? ST_OK : ST_DENIED;
	if (answer->http == HTTP_NOT_FOUND)
		return ST_DENIED;
	code = error_code(answer->body);
	if (code == TWILIO_CHECKED_TOO_OFTEN)
		return ST_DENIED;
	log_failure(client, phone, answer->http, "the code was not checked",
	            code);
	return ST_UNAVAILABLE;
}

enum status sms_check(struct sms_client *client, const struct phone *phone,
                      const struct code *code)
{
	struct http_answer answer;
	enum status status;

	verify_url(client, "VerificationCheck");
	buf_clear(&client->body);
	form_write(&client->body, "To", phone_span(phone));
	form_write(&client->body, "Code", span_of(code->text));
	status = post(client, phone, &answer);
	mem_wipe(client->body.data, client->body.len);
	return status == ST_OK ? judge_check(client, phone, &answer) : status;
}
