/*
 * upgrade - the client side of the WebSocket opening handshake, RFC 6455 4.1.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_UPGRADE_H
#define PARLEY_CLIENT_TEST_CLIENT_UPGRADE_H

#include "common/base/buf.h"
#include "common/io/websocket_handshake.h"

struct upgrade {
	char key[WEBSOCKET_KEY_LEN + 1];
};

enum { UPGRADE_ANSWER_MAX = 16 * 1024 };

enum upgrade_result {
	UPGRADE_MORE,    /* the head of the answer is not complete yet */
	UPGRADE_OPEN,    /* frames begin at *ret_head_len */
	UPGRADE_REFUSED, /* with the HTTP code *ret_http */
	UPGRADE_BROKEN,  /* not an answer to this request */
};

/* Appends the request, with a fresh key. */
void upgrade_request(struct upgrade *upgrade, const char *authority,
                     struct span token, struct buf *out);
enum upgrade_result upgrade_read(const struct upgrade *upgrade,
                                 struct span answer, size_t *ret_head_len,
                                 unsigned *ret_http);

#endif
