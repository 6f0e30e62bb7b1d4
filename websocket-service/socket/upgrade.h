/*
 * upgrade - reads the HTTP request that opens a socket, RFC 6455 4.2.1, and
 * writes the answers to it. No sockets here.
 *
 * Only a plain `Upgrade: websocket` with version 13 is ever taken; whatever
 * else arrives gets its HTTP code and a problem document.
 */
#ifndef PARLEY_WEBSOCKET_SOCKET_UPGRADE_H
#define PARLEY_WEBSOCKET_SOCKET_UPGRADE_H

#include "common/base/buf.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stddef.h>

enum { UPGRADE_HEAD_MAX = 8 * 1024 };

struct upgrade {
	struct span key;
	struct span token; /* of Authorization or of the subprotocol list */
	bool subprotocol;  /* "parley" was offered: answer with it */
};

struct upgrade_fault {
	unsigned http;
	const char *detail;  /* constant text */
	const char *headers; /* more header lines, or "" */
};

/*
 * Bytes of the head in `bytes` including its empty line; 0 while that has not
 * come.
 */
size_t upgrade_head_len(struct span bytes);

/*
 * Reads a whole head; spans point into it. A request without a token is
 * returned as it is, with an empty one. `origins` is a list with commas, empty
 * for any. False: *ret_fault says what to answer.
 */
bool upgrade_read(struct span head, const char *origins,
                  struct upgrade *ret_upgrade, struct upgrade_fault *ret_fault);

void upgrade_answer(struct buf *out, const struct upgrade *upgrade);
void upgrade_refuse(struct buf *out, const struct upgrade_fault *fault);

extern const struct upgrade_fault upgrade_unauthorized; /* 401 */
extern const struct upgrade_fault upgrade_misdirected;  /* 421 */
extern const struct upgrade_fault upgrade_unavailable;  /* 503 */
extern const struct upgrade_fault upgrade_full;         /* 503 */
extern const struct upgrade_fault upgrade_head_too_large;

#endif
