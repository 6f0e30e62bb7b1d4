#include "common/wire/event.h"

#include <assert.h>

/*
 * The finaliser of MurmurHash3: neighbouring ids spread over all partitions.
 * Fixed for life, like the number of partitions.
 */
uint32_t event_partition(uint64_t user, uint32_t partitions)
{
	assert(partitions > 0);
	user ^= user >> 33;
	user *= UINT64_C(0xff51afd7ed558ccd);
	user ^= user >> 33;
	user *= UINT64_C(0xc4ceb9fe1a85ec53);
	user ^= user >> 33;
	return (uint32_t)(user % partitions);
}

void event_key_add(struct buf *key, uint64_t user)
{
	if (key->len)
		buf_byte(key, ',');
	buf_number(key, user);
}

bool event_key_next(struct span *key, uint64_t *ret_user)
{
	uint64_t user;
	struct span rest;
	struct span id = span_cut(*key, ',', &rest);
	bool comma_at_end = id.len < key->len && rest.len == 0;

	if (key->len == 0 || comma_at_end ||
	    !span_to_u64(id, (UINT64_C(1) << 53) - 1, &user) || user == 0)
		return false;
	*key = rest;
	*ret_user = user;
	return true;
}

static char *hex_write(char *at, uint64_t number)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++)
		*at++ = hex[number >> (60 - 4 * i) & 15];
	return at;
}

void event_origin_format(const struct event_origin *origin, char *text)
{
	text = hex_write(text, origin->gateway);
	*text++ = '-';
	text = hex_write(text, origin->connection);
	*text++ = '-';
	(void)hex_write(text, origin->send);
}

static bool hex_read(const char *at, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < 16; i++) {
		char c = at[i];

		if (c >= '0' && c <= '9')
			number = number << 4 | (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (unsigned)(c - 'a' + 10);
		else
			return false;
	}
	*ret_number = number;
	return true;
}

bool event_origin_parse(struct span text, struct event_origin *ret_origin)
{
	struct event_origin origin;

	if (text.len != EVENT_ORIGIN_LEN || text.data[16] != '-' ||
	    text.data[33] != '-' || !hex_read(text.data, &origin.gateway) ||
	    !hex_read(text.data + 17, &origin.connection) ||
	    !hex_read(text.data + 34, &origin.send))
		return false;
	*ret_origin = origin;
	return true;
}
