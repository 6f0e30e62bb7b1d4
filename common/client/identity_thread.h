/*
 * identity_thread - identity_client for threads that block, such as the workers
 * of an HTTP server.
 *
 * One thread owns the loop and the client. Callers hand their requests over in
 * a mailbox and wait. A cached response costs no hand-over: the caller reads
 * the cache itself, under the cache's lock, which is held for one look-up.
 * Callers that want the same at the same time share one HTTP request.
 *
 * Ownership  identity_thread_start() gives the thread to its caller;
 *            identity_thread_stop() takes it back and accepts NULL.
 * Errors     a machine without resources for a thread ends the process.
 * Threads    any may call identity_thread_get(). `report` is called on the
 *            thread.
 * Bounds     a call waits for timeout_ms at most; 1024 calls at a time, the
 *            next ones are ST_UNAVAILABLE at once.
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
 * Calls that wait return ST_UNAVAILABLE at once, before this returns. No call
 * may begin any more.
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
