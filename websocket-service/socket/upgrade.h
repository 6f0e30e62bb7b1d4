/*
 * upgrade - reads the HTTP request that opens a socket (RFC 6455 4.2.1) and
 * writes the response: 101, or a refusal. No I/O here.
 *
 * It accepts only a plain `Upgrade: websocket` with version 13. Every other
 * request is answered with its HTTP status and a problem document.
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
	struct span token; /* from Authorization or the subprotocol list */
	bool subprotocol;  /* the client offers "parley": accept it */
};

struct upgrade_fault {
	unsigned http;
	const char *detail;
	const char *headers; /* additional header lines, or "" */
};

/*
 * The length of the request head in `bytes`, including its empty line; 0 until
 * the empty line has arrived.
 */
size_t upgrade_head_len(struct span bytes);

/*
 * Reads a whole head; the spans of *ret_upgrade point into it. A request
 * without a usable token gives an empty one. `origins` is a list with commas;
 * empty accepts any origin. False: *ret_fault is the refusal.
 */
bool upgrade_read(struct span head, const char *origins,
                  struct upgrade *ret_upgrade, struct upgrade_fault *ret_fault);

/* Writes 101 Switching Protocols. */
void upgrade_accept(struct buf *out, const struct upgrade *upgrade);
/* Writes the refusal. */
void upgrade_refuse(struct buf *out, const struct upgrade_fault *fault);

extern const struct upgrade_fault upgrade_unauthorized; /* 401 */
extern const struct upgrade_fault upgrade_misdirected;  /* 421 */
extern const struct upgrade_fault upgrade_too_many;     /* 429 */
extern const struct upgrade_fault upgrade_unavailable;  /* 503 */
extern const struct upgrade_fault upgrade_full;         /* 503 */
extern const struct upgrade_fault upgrade_head_too_large;

#endif
