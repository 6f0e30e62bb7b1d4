/*
 * http_stub - a real HTTP server on a thread of the test process, on a free
 * port of loopback. One per process.
 */
#ifndef PARLEY_TESTS_SUPPORT_HTTP_STUB_H
#define PARLEY_TESTS_SUPPORT_HTTP_STUB_H

#include "common/base/span.h"

#include <stdint.h>

/*
 * Answers one whole request (head, and body by Content-Length, then a NUL) on
 * the socket. The thread of the connection calls it.
 */
typedef void http_stub_serve(int fd, struct span request);

int http_stub_start(http_stub_serve *serve); /* 0: it runs */
int http_stub_stop(void);
uint16_t http_stub_port(void);
unsigned http_stub_accepted(void); /* connections so far */

/* Writes all bytes; writes a whole answer with its Content-Length. */
void http_stub_put(int fd, struct span bytes);
void http_stub_answer(int fd, const char *status, struct span body);

#endif
