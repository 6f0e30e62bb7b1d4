#include "identity-service/api/internal_page.h"
#include "common/wire/identity.h"
#include "identity-service/api/api_context.h"

void internal_page_answer(struct http_request *request, void *context,
                          const struct internal_page *page, void *task)
{
	const struct api_context *api = context;
	CLEANUP(buf_free) struct buf answer = BUF(ENDED_ANSWER_MAX);
	struct json_writer w = json_writer(&answer);
	const char *why = page->read_query(request, task);
	enum status status;

	if (why) {
		http_answer_problem(request, 422, why);
		return;
	}
	status = database_run(api->database, page->list, task);
	if (status != ST_OK) {
		api_answer_failure(request, status);
		return;
	}
	json_open(&w);
	page->write(&w, task);
	json_close(&w);
	http_answer_json(request, 200, buf_span(&answer));
}

void internal_page_write_deleted(struct json_writer *writer,
                                 const struct deleted_user *rows,
                                 unsigned count)
{
	CLEANUP(buf_free) struct buf text = BUF(ENDED_ANSWER_MAX);

	for (unsigned i = 0; i < count; i++)
		buf_format(&text, "%s%llu", i ? "," : "",
		           (unsigned long long)rows[i].user);
	json_text(writer, "deleted", buf_span(&text));
}
