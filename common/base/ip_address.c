#include "common/base/ip_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { IPV4_AT = 12, SUBSCRIBER_BITS = 64 };

static const uint8_t mapped[IPV4_AT] = {[10] = 0xff, [11] = 0xff};

static struct ip_address map_ipv4(const struct in_addr *four)
{
	struct ip_address address;

	memcpy(address.byte, mapped, sizeof(mapped));
	memcpy(address.byte + IPV4_AT, four, sizeof(*four));
	return address;
}

static bool is_ipv4(const struct ip_address *address)
{
	return memcmp(address->byte, mapped, sizeof(mapped)) == 0;
}

bool ip_address_parse(struct span text, struct ip_address *ret_address)
{
	char copy[IP_ADDRESS_TEXT_MAX + 1];
	struct in_addr four;

	if (text.len == 0 || text.len > IP_ADDRESS_TEXT_MAX ||
	    memchr(text.data, '\0', text.len))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, &four) == 1) {
		*ret_address = map_ipv4(&four);
		return true;
	}
	return inet_pton(AF_INET6, copy, ret_address->byte) == 1;
}

void ip_address_format(const struct ip_address *address, char *text)
{
	bool four = is_ipv4(address);

	(void)inet_ntop(four ? AF_INET : AF_INET6,
	                address->byte + (four ? IPV4_AT : 0), text,
	                IP_ADDRESS_TEXT_MAX + 1);
}

bool ip_address_of_socket(const struct sockaddr *socket,
                          struct ip_address *ret_address)
{
	struct sockaddr_in four;
	struct sockaddr_in6 six;

	if (socket->sa_family == AF_INET) {
		memcpy(&four, socket, sizeof(four));
		*ret_address = map_ipv4(&four.sin_addr);
		return true;
	}
	if (socket->sa_family != AF_INET6)
		return false;
	memcpy(&six, socket, sizeof(six));
	memcpy(ret_address->byte, &six.sin6_addr, IP_ADDRESS_LEN);
	return true;
}

static struct ip_address mask(const struct ip_address *address, unsigned bits)
{
	struct ip_address masked = {{0}};

	memcpy(masked.byte, address->byte, bits / 8);
	if (bits % 8)
		masked.byte[bits / 8] = (uint8_t)(address->byte[bits / 8] &
		                                  (0xff00u >> bits % 8));
	return masked;
}

struct ip_address ip_address_subscriber(const struct ip_address *address)
{
	return is_ipv4(address) ? *address : mask(address, SUBSCRIBER_BITS);
}

/* --- networks ------------------------------------------------------------- */
static bool parse_network(struct span text, struct ip_address *ret_first,
                          unsigned *ret_bits)
{
	struct span length;
	struct span address = span_cut(text, '/', &length);
	uint64_t bits, most;

	if (!ip_address_parse(address, ret_first))
		return false;
	most = is_ipv4(ret_first) && memchr(address.data, '.', address.len)
	               ? 32
	               : 128;
	bits = most;
	if (address.len != text.len && !span_to_u64(length, most, &bits))
		return false;
	*ret_bits = (unsigned)(bits + 128 - most);
	*ret_first = mask(ret_first, *ret_bits);
	return true;
}

bool ip_networks_parse(struct span text, struct ip_networks *ret_networks)
{
	struct ip_networks found = {.count = 0};

	while (text.len) {
		struct span one = span_trim(span_cut(text, ',', &text));

		if (found.count == IP_NETWORKS_MAX ||
		    !parse_network(one, &found.network[found.count].first,
		                   &found.network[found.count].bits))
			return false;
		found.count++;
	}
	*ret_networks = found;
	return true;
}

bool ip_networks_have(const struct ip_networks *networks,
                      const struct ip_address *address)
{
	for (unsigned i = 0; i < networks->count; i++) {
		struct ip_address masked =
			mask(address, networks->network[i].bits);

		if (span_equal(ip_address_span(&masked),
		               ip_address_span(&networks->network[i].first)))
			return true;
	}
	return false;
}

/* Takes the text behind the last comma off. */
static struct span cut_last(struct span *text)
{
	size_t at = text->len;
	struct span last;

	while (at > 0 && text->data[at - 1] != ',')
		at--;
	last = span_make(text->data + at, text->len - at);
	text->len = at > 0 ? at - 1 : 0;
	return span_trim(last);
}

struct ip_address ip_networks_client(const struct ip_networks *trusted,
                                     const struct ip_address *peer,
                                     struct span forwarded)
{
	struct ip_address client = *peer, before;

	while (forwarded.len && ip_networks_have(trusted, &client)) {
		if (!ip_address_parse(cut_last(&forwarded), &before))
			break;
		client = before;
	}
	return client;
}
