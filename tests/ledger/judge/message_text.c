#include "tests/ledger/judge/message_text.h"
#include "tests/ledger/judge/ledger_state.h"

static void put_u32(uint8_t *at, uint32_t number)
{
	at[0] = (uint8_t)(number >> 24);
	at[1] = (uint8_t)(number >> 16);
	at[2] = (uint8_t)(number >> 8);
	at[3] = (uint8_t)number;
}

static uint32_t get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

uint32_t message_text_number(const struct uuid *uuid)
{
	return get_u32(&uuid->byte[12]);
}

/* Rises with time like version 7, with custom fields: version 8. */
struct uuid message_text_uuid(const struct ledger *ledger, uint32_t number)
{
	const struct entry *entry = &ledger->entries[number];
	struct uuid uuid = {{0}};

	put_u32(&uuid.byte[0], entry->made_s);
	uuid.byte[6] = 0x80;
	put_u32(&uuid.byte[8], ledger->run | 0x80000000);
	put_u32(&uuid.byte[12], number);
	return uuid;
}

struct uuid message_text_edit_uuid(const struct ledger *ledger, uint32_t number)
{
	struct uuid uuid = {{0}};

	put_u32(&uuid.byte[0], ledger->edits[number].made_s);
	uuid.byte[6] = 0x80;
	uuid.byte[7] = 1;
	put_u32(&uuid.byte[8], ledger->run | 0x80000000);
	put_u32(&uuid.byte[12], number);
	return uuid;
}

/* Includes characters that JSON escapes and multi-byte UTF-8. */
static const char *const pieces[] = {
	"a", "b",  "c", "d",    "e",  "f",  "g", "h",
	"i", "j",  "k", "l",    "m",  "n",  "o", "p",
	" ", "\"", "/", "\\",   "\n", "\t", "<", "{",
	"}", "0",  "9", "\x7f", "ä",  "€",  "𝄞", "\xe2\x80\xa8",
};

static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static void fill(const struct ledger *ledger, uint64_t random, struct buf *out)
{
	while (out->len < ledger->config.text_bytes) {
		buf_append(out, span_of(pieces[random % ARRAY_LEN(pieces)]));
		random = mix(random + out->len);
	}
}

void message_text_write(const struct ledger *ledger, uint32_t number,
                        struct buf *out)
{
	const struct entry *entry = &ledger->entries[number];

	buf_format(out, "%u %u>%s%u ", number, (unsigned)entry->from,
	           entry->to_room ? "g" : "", (unsigned)entry->to);
	fill(ledger, mix((uint64_t)ledger->run << 32 | number), out);
}

void message_text_write_edit(const struct ledger *ledger, uint32_t number,
                             struct buf *out)
{
	buf_format(out, "edit %u of %u ", number, ledger->edits[number].target);
	fill(ledger, mix((uint64_t)~ledger->run << 32 | number), out);
}

struct span message_text_reaction(unsigned reaction)
{
	static const char *const reactions[LEDGER_REACTIONS] = {
		"👍", "❤️", "😂", "🎉", "ok",
	};

	return span_of(reactions[reaction]);
}
