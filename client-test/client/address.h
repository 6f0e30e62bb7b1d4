/*
 * address - the host and port of an http:// URL.
 *
 * Only plain http: TLS ends at nginx, and this client runs beside it.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_ADDRESS_H
#define PARLEY_CLIENT_TEST_CLIENT_ADDRESS_H

#include <stdbool.h>

struct address {
	char host[256];
	char port[6];
	char authority[264]; /* as the Host header wants it */
};

/* Takes http://host[:port] with at most a slash behind it. */
bool address_parse(const char *url, struct address *ret_address);

#endif
