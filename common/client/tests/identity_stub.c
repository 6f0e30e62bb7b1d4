#include "common/client/tests/identity_stub.h"
#include "common/base/buf.h"
#include "tests/support/http_stub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint requests;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool released;
static atomic_bool session_ended;
static atomic_ulong deleted_first, deleted_last; /* 0: none */

static void answer(int fd, const char *status, const char *body)
{
	http_stub_answer(fd, status, span_of(body));
}

static void answer_owner(int fd)
{
	answer(fd, "200 OK",
	       "{\"id\":7,\"name\":\"ann\",\"session\":\"" STUB_SESSION "\","
	       "\"expires_at\":\"" STUB_TOKEN_END "\"}");
}

static void answer_found(int fd, unsigned long user)
{
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"id\":%lu,\"name\":\"x\"}", user);
	answer(fd, "200 OK", body);
}

static void wait_for_release(void)
{
	pthread_mutex_lock(&lock);
	while (!released)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void answer_user(int fd, unsigned long user)
{
	switch (user) {
	case STUB_NO_USER:
		answer(fd, "404 Not Found", "{\"status\":404}");
		break;
	case STUB_BROKEN:
		answer(fd, "500 Oops", "{}");
		break;
	case STUB_GARBAGE:
		http_stub_put(fd, SPAN("garbage\r\n\r\n"));
		break;
	case STUB_SILENT:
		break;
	case STUB_HELD:
		wait_for_release();
		answer_found(fd, user);
		break;
	default:
		answer_found(fd, user);
	}
}

static void answer_deleted(int fd)
{
	unsigned long last = atomic_load(&deleted_last);
	CLEANUP(buf_free) struct buf body = BUF(1 << 20);

	buf_append(&body, SPAN("{\"next\":\"1.x\",\"more\":false,"
	                       "\"ended\":\"\",\"deleted\":\""));
	for (unsigned long user = atomic_load(&deleted_first); user <= last;
	     user++)
		buf_format(&body, user == last ? "%lu" : "%lu,", user);
	buf_append(&body, SPAN("\"}"));
	http_stub_answer(fd, "200 OK", buf_span(&body));
}

/* The first page says that there is more. */
static void answer_ended(int fd, bool second)
{
	if (atomic_load(&deleted_last))
		answer_deleted(fd);
	else if (!atomic_load(&session_ended))
		answer(fd, "200 OK",
		       "{\"next\":\"1.x\",\"more\":false,\"ended\":\"\"}");
	else if (!second)
		answer(fd, "200 OK",
		       "{\"next\":\"9.x\",\"more\":true,\"ended\":"
		       "\"01936f5e-0c1d-7e2f-8a3b-4c5d6e7f8092 8"
		       " 4102444800000\"}");
	else
		answer(fd, "200 OK",
		       "{\"next\":\"9.x\",\"more\":false,\"ended\":"
		       "\"" STUB_SESSION " 7 4102444800000\"}");
}

static void serve(int fd, struct span whole)
{
	const char *user = strstr(whole.data, "/auth/users/");
	bool good = strstr(whole.data, "Authorization: Bearer tok\r\n") ||
	            strstr(whole.data, "Authorization: Bearer good");

	atomic_fetch_add(&requests, 1);
	if (strstr(whole.data, "Bearer held") ||
	    strstr(whole.data, "Bearer good-held"))
		wait_for_release();
	if (strstr(whole.data, "GET /internal/ended-sessions"))
		answer_ended(fd, strstr(whole.data, "?since=9.x "));
	else if (!good)
		answer(fd, "401 Unauthorized", "{\"status\":401}");
	else if (user)
		answer_user(fd, strtoul(user + 12, NULL, 10));
	else
		answer_owner(fd);
}

int identity_stub_start(void **state)
{
	(void)state;
	return http_stub_start(serve);
}

int identity_stub_stop(void **state)
{
	(void)state;
	identity_stub_release();
	return http_stub_stop();
}

const char *identity_stub_url(void)
{
	static char url[64];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u",
	               http_stub_port());
	return url;
}

unsigned identity_stub_requests(void)
{
	return atomic_load(&requests);
}

void identity_stub_reset(void)
{
	atomic_store(&requests, 0);
	atomic_store(&session_ended, false);
	atomic_store(&deleted_last, 0);
	pthread_mutex_lock(&lock);
	released = false;
	pthread_mutex_unlock(&lock);
}

void identity_stub_end_session(void)
{
	atomic_store(&session_ended, true);
}

void identity_stub_delete(uint64_t user)
{
	identity_stub_delete_all(user, user);
}

void identity_stub_delete_all(uint64_t first, uint64_t last)
{
	atomic_store(&deleted_first, first);
	atomic_store(&deleted_last, last);
}

void identity_stub_release(void)
{
	pthread_mutex_lock(&lock);
	released = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}
