/*
 * Any bytes as X-Forwarded-For: the client is the peer or an address of the
 * list, and an address that is not trusted ends the walk.
 */
#include "common/base/ip_address.h"
#include "tests/fuzz/fuzz.h"

static bool same(const struct ip_address *a, const struct ip_address *b)
{
	return span_equal(ip_address_span(a), ip_address_span(b));
}

/* `client` stands in the list. */
static bool lists(struct span forwarded, const struct ip_address *client)
{
	while (forwarded.len) {
		struct span one =
			span_trim(span_cut(forwarded, ',', &forwarded));
		struct ip_address address;

		if (ip_address_parse(one, &address) && same(&address, client))
			return true;
	}
	return false;
}

static void check(struct span forwarded, struct span trusted_text)
{
	struct ip_networks trusted;
	struct ip_address peer, client;

	must(ip_networks_parse(trusted_text, &trusted));
	must(ip_address_parse(SPAN("127.0.0.1"), &peer));
	client = ip_networks_client(&trusted, &peer, forwarded);
	must(same(&client, &peer) || lists(forwarded, &client));
	if (!ip_networks_have(&trusted, &peer))
		must(same(&client, &peer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);
	struct ip_networks networks;

	check(text, SPAN("127.0.0.0/8,10.0.0.0/8,2001:db8::/32"));
	check(text, SPAN("10.0.0.0/8"));
	if (ip_networks_parse(text, &networks))
		must(networks.count <= IP_NETWORKS_MAX);
	return 0;
}
