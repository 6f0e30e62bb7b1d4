#include "common/base/uuid.h"
#include "common/base/clock.h"
#include "common/base/percent.h"
#include "common/base/random.h"

static bool dash_at(unsigned i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool uuid_parse(struct span text, struct uuid *ret_uuid)
{
	struct uuid uuid = {{0}};
	unsigned nibble = 0;

	if (text.len != UUID_TEXT_LEN)
		return false;
	for (unsigned i = 0; i < UUID_TEXT_LEN; i++) {
		int value = hex_digit(text.data[i]);

		if (dash_at(i)) {
			if (text.data[i] != '-')
				return false;
			continue;
		}
		if (value < 0)
			return false;
		uuid.byte[nibble / 2] |=
			(uint8_t)(nibble % 2 ? value : value << 4);
		nibble++;
	}
	*ret_uuid = uuid;
	return true;
}

void uuid_format(const struct uuid *uuid, char *text)
{
	static const char hex[] = "0123456789abcdef";
	unsigned nibble = 0;

	for (unsigned i = 0; i < UUID_TEXT_LEN; i++) {
		if (dash_at(i)) {
			text[i] = '-';
			continue;
		}
		text[i] = hex[nibble % 2 ? uuid->byte[nibble / 2] & 15
		                         : uuid->byte[nibble / 2] >> 4];
		nibble++;
	}
	text[UUID_TEXT_LEN] = '\0';
}

void uuid_make(struct uuid *ret_uuid)
{
	uint64_t ms = clock_unix_ms();

	random_bytes(ret_uuid->byte, sizeof(ret_uuid->byte));
	for (unsigned i = 0; i < 6; i++)
		ret_uuid->byte[i] = (uint8_t)(ms >> (40 - 8 * i));
	ret_uuid->byte[6] = (uint8_t)(0x70 | (ret_uuid->byte[6] & 0x0f));
	ret_uuid->byte[8] = (uint8_t)(0x80 | (ret_uuid->byte[8] & 0x3f));
}
