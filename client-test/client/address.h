/*
 * address - the host and port of an http:// URL.
 *
 * Only plain http: nginx terminates TLS, and this client runs beside it.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_ADDRESS_H
#define PARLEY_CLIENT_TEST_CLIENT_ADDRESS_H

#include <stdbool.h>

struct address {
	char host[256];
	char port[6];
	char authority[264]; /* for the Host header */
};

/* Accepts http://host[:port], with or without a trailing slash. */
bool address_parse(const char *url, struct address *ret_address);

#endif
