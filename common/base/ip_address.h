/*
 * ip_address - IP addresses and networks as 16 bytes. An IPv4 address is its
 * IPv4-mapped IPv6 address (RFC 4291 2.5.5.2).
 */
#ifndef PARLEY_BASE_IP_ADDRESS_H
#define PARLEY_BASE_IP_ADDRESS_H

#include "common/base/scope.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { IP_ADDRESS_LEN = 16, IP_NETWORKS_MAX = 32, IP_ADDRESS_TEXT_MAX = 45 };

struct ip_address {
	uint8_t byte[IP_ADDRESS_LEN];
};

struct ip_networks {
	struct {
		struct ip_address first;
		unsigned bits; /* 0 to 128 */
	} network[IP_NETWORKS_MAX];
	unsigned count;
};

struct sockaddr;

static inline struct span ip_address_span(const struct ip_address *address)
{
	return span_make(address->byte, IP_ADDRESS_LEN);
}

/* "192.0.2.1" or "2001:db8::1". */
MUST_CHECK bool ip_address_parse(struct span text,
                                 struct ip_address *ret_address);
/* The other way; `text` has room for IP_ADDRESS_TEXT_MAX + 1. */
void ip_address_format(const struct ip_address *address, char *text);
/* False: of another family. */
MUST_CHECK bool ip_address_of_socket(const struct sockaddr *socket,
                                     struct ip_address *ret_address);
/*
 * The address of one subscriber: an IPv4 address as it is, of an IPv6 address
 * the first 64 bits.
 */
struct ip_address ip_address_subscriber(const struct ip_address *address);

/*
 * "127.0.0.0/8,::1": addresses and networks, separated by commas. False: *text
 * has a fault, or more than IP_NETWORKS_MAX.
 */
MUST_CHECK bool ip_networks_parse(struct span text,
                                  struct ip_networks *ret_networks);
bool ip_networks_have(const struct ip_networks *networks,
                      const struct ip_address *address);
/*
 * The client of a request: `peer` is the other end of the connection, and
 * `forwarded` the X-Forwarded-For headers, joined by commas. Only a trusted
 * proxy is believed: the client is the last address that is not trusted.
 */
struct ip_address ip_networks_client(const struct ip_networks *trusted,
                                     const struct ip_address *peer,
                                     struct span forwarded);

#endif
