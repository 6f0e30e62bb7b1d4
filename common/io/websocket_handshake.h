/*
 * websocket_handshake - Sec-WebSocket-Key and -Accept, RFC 6455 1.3.
 */
#ifndef PARLEY_IO_WEBSOCKET_HANDSHAKE_H
#define PARLEY_IO_WEBSOCKET_HANDSHAKE_H

#include "common/base/span.h"

#include <stdbool.h>

enum { WEBSOCKET_KEY_LEN = 24, WEBSOCKET_ACCEPT_LEN = 28 };

/* True for the base64 form of 16 bytes. */
bool websocket_key_valid(struct span key);
/* A new key for a client; room for WEBSOCKET_KEY_LEN + 1. */
void websocket_key_make(char *ret_key);
/* Sec-WebSocket-Accept for a key; room for WEBSOCKET_ACCEPT_LEN + 1. */
void websocket_accept_make(struct span key, char *ret_accept);

#endif
