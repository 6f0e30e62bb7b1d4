/*
 * paging - reads the query parameters of a page: limit, after, before, …
 *
 * Each function returns NULL, or a text for the client that names the fault.
 */
#ifndef PARLEY_PERSISTENCE_REST_READ_PAGING_H
#define PARLEY_PERSISTENCE_REST_READ_PAGING_H

#include "common/base/scope.h"
#include "persistence-service/rest/read/history.h"

#include <stdint.h>

struct http_request;

MUST_CHECK const char *paging_limit(const struct http_request *request,
                                    unsigned *ret_limit);
/* Without `before` *ret_before is higher than every id. */
MUST_CHECK const char *paging_conversations(const struct http_request *request,
                                            uint64_t *ret_before,
                                            unsigned *ret_limit);
/* Fills all of the page but its conversation. */
MUST_CHECK const char *paging_messages(const struct http_request *request,
                                       struct history_page *ret_page);
MUST_CHECK const char *paging_members(const struct http_request *request,
                                      struct history_members *ret_page);
/* Without `since` the cursor is empty. */
MUST_CHECK const char *paging_sync(const struct http_request *request,
                                   struct sync_cursor *ret_cursor,
                                   unsigned *ret_limit);
/* A list by user: *ret_after is the last user of the page before. */
MUST_CHECK const char *paging_users(const struct http_request *request,
                                    uint64_t *ret_after, unsigned *ret_limit);

#endif
