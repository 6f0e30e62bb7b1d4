/*
 * identity_thread - identity_client for threads that block, such as the workers
 * of an HTTP server.
 *
 * One thread owns the loop and the client. Callers put their requests into a
 * mailbox and wait. For a cached response they need no mailbox: the caller
 * reads the cache itself, under the cache's lock, which is held for one
 * look-up. Callers that make the same request at the same time share one HTTP
 * request.
 *
 * Ownership  identity_thread_start() gives the thread to its caller;
 *            identity_thread_stop() takes it back and accepts NULL.
 * Errors     a machine without resources for a thread ends the process.
 * Threads    any thread may call identity_thread_get(). `report` is called on
 *            the thread that owns the loop.
 * Bounds     a call waits for at most timeout_ms. When 1024 calls wait, the
 *            next one is ST_UNAVAILABLE at once.
 */
#ifndef PARLEY_CLIENT_IDENTITY_THREAD_H
#define PARLEY_CLIENT_IDENTITY_THREAD_H

#include "common/base/scope.h"
#include "common/client/identity_client.h"

struct identity_thread;

/* options->loop is not read. */
struct identity_thread *
identity_thread_start(const struct identity_client_options *options);
/*
 * Calls that wait return ST_UNAVAILABLE before this function returns. No caller
 * may begin a call any more.
 */
void identity_thread_stop(struct identity_thread **thread);

/* Returns ret_response->status; *ret_response is always filled. */
MUST_CHECK enum status
identity_thread_get(struct identity_thread *thread,
                    const struct identity_request *request,
                    struct identity_response *ret_response);
/* Calls that wait for a response now. */
unsigned identity_thread_callers(struct identity_thread *thread);

#endif
