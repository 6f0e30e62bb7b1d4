/*
 * internal_page - a page of a list that other services read with a cursor:
 * ended_sessions, deleted_users. common/wire/identity.h has their form.
 */
#ifndef PARLEY_IDENTITY_API_INTERNAL_PAGE_H
#define PARLEY_IDENTITY_API_INTERNAL_PAGE_H

#include "common/base/json_write.h"
#include "common/io/http/server.h"
#include "identity-service/account/deletion.h"
#include "identity-service/database.h"

struct internal_page {
	/* Why the query is refused; NULL: the task has it. */
	const char *(*read_query)(struct http_request *request, void *task);
	database_task *list;
	void (*write)(struct json_writer *writer, const void *task);
};

/* Answers the request, within the pool of queries. */
void internal_page_answer(struct http_request *request, void *context,
                          const struct internal_page *page, void *task);
/* The member "deleted" of both lists. */
void internal_page_write_deleted(struct json_writer *writer,
                                 const struct deleted_user *rows,
                                 unsigned count);

#endif
