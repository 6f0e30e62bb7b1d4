#include "common/io/http/unread.h"

#include "common/base/clock.h"
#include "common/io/http/private.h"

#include <sys/socket.h>

/* Younger answers are not cut: their clients may just be reading them. */
#define YOUNG_US UINT64_C(1000000)

void http_unread_init(struct http_unread *unread, size_t max, size_t user_max)
{
	unread->max = max;
	unread->user_max = user_max;
	(void)pthread_mutex_init(&unread->lock, NULL);
}

void http_unread_destroy(struct http_unread *unread)
{
	(void)pthread_mutex_destroy(&unread->lock);
}

/* --- the list; the caller has the lock ------------------------------------ */
static void append(struct http_unread *unread, struct http_request *request)
{
	request->unread.older = unread->newest;
	request->unread.newer = NULL;
	if (unread->newest)
		unread->newest->unread.newer = request;
	else
		unread->oldest = request;
	unread->newest = request;
	unread->bytes += request->unread.bytes;
}

static void drop(struct http_unread *unread, struct http_request *request)
{
	struct http_unread_entry *entry = &request->unread;

	if (entry->older)
		entry->older->unread.newer = entry->newer;
	else
		unread->oldest = entry->newer;
	if (entry->newer)
		entry->newer->unread.older = entry->older;
	else
		unread->newest = entry->older;
	unread->bytes -= entry->bytes;
	entry->bytes = 0;
}

/* The list has at most max / HTTP_SMALL_ANSWER entries. */
static size_t bytes_of(const struct http_unread *unread, uint64_t user)
{
	size_t bytes = 0;

	for (const struct http_request *r = unread->oldest; r && user;
	     r = r->unread.newer)
		if (r->user == user)
			bytes += r->unread.bytes;
	return bytes;
}

/* --- the bounds ----------------------------------------------------------- */
bool http_unread_admits(struct http_unread *unread, uint64_t user)
{
	bool admits;

	(void)pthread_mutex_lock(&unread->lock);
	admits = bytes_of(unread, user) < unread->user_max;
	(void)pthread_mutex_unlock(&unread->lock);
	return admits;
}

void http_unread_remove(struct http_unread *unread,
                        struct http_request *request)
{
	(void)pthread_mutex_lock(&unread->lock);
	if (request->unread.bytes)
		drop(unread, request);
	(void)pthread_mutex_unlock(&unread->lock);
}

/*
 * Closing sends a reset, so that the kernel frees what it holds as well. The
 * library sees the end of the connection and completes the request.
 */
void http_unread_cut(struct http_unread *unread, struct http_request *request)
{
	static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	http_unread_remove(unread, request);
	request->unread.cut = true;
	http_request_free_answer(request);
	atomic_fetch_add(&unread->cut, 1);
	if (!info)
		return;
	(void)setsockopt(info->connect_fd, SOL_SOCKET, SO_LINGER, &reset,
	                 sizeof(reset));
	(void)shutdown(info->connect_fd, SHUT_RDWR);
}

/* Cuts what is over its deadline, and then old answers until `bytes` fit. */
static bool make_room(struct http_unread *unread, size_t bytes, uint64_t now_us)
{
	struct http_request *oldest;

	while ((oldest = unread->oldest) &&
	       (now_us > oldest->unread.deadline_us ||
	        (unread->bytes + bytes > unread->max &&
	         now_us - oldest->unread.since_us > YOUNG_US)))
		http_unread_cut(unread, oldest);
	return unread->bytes + bytes <= unread->max;
}

unsigned http_unread_add(struct http_unread *unread,
                         struct http_request *request)
{
	size_t bytes = request->answer.capacity;
	uint64_t now_us = clock_mono_us();
	unsigned http = 200;

	if (request->answer.len <= HTTP_SMALL_ANSWER)
		return 200;
	if (!make_room(unread, bytes, now_us))
		return 503;
	(void)pthread_mutex_lock(&unread->lock);
	/* One answer is allowed, whatever its size. */
	if (bytes_of(unread, request->user) &&
	    bytes_of(unread, request->user) + bytes > unread->user_max) {
		http = 429;
	} else {
		request->unread.bytes = bytes;
		request->unread.since_us = now_us;
		request->unread.deadline_us =
			now_us + UNREAD_GRACE_US +
			bytes * UINT64_C(1000000) / UNREAD_BYTES_PER_S;
		append(unread, request);
	}
	(void)pthread_mutex_unlock(&unread->lock);
	return http;
}
