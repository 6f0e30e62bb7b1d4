/*
 * paging - which part of a list a request asks for: limit, after, before.
 *
 * Both give NULL, or a text for the client that says what is unfit.
 */
#ifndef PARLEY_PERSISTENCE_PAGING_H
#define PARLEY_PERSISTENCE_PAGING_H

#include "common/base/scope.h"
#include "persistence-service/history.h"

#include <stdint.h>

struct http_request;

/* Without `before` *ret_before is past every id. */
MUST_CHECK const char *paging_conversations(const struct http_request *request,
                                            uint64_t *ret_before,
                                            unsigned *ret_limit);
/* All of the page but its conversation. */
MUST_CHECK const char *paging_messages(const struct http_request *request,
                                       struct history_page *ret_page);

#endif
