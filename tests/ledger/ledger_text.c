/*
 * A message's uuid and text, made from its run and its number.
 */
#include "common/base/json_write.h"
#include "tests/ledger/ledger_private.h"

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

uint32_t ledger_uuid_number(const struct uuid *uuid)
{
	return get_u32(&uuid->byte[12]);
}

/* Rises with time as version 7 does, with fields of our own: version 8. */
struct uuid ledger_uuid(const struct ledger_book *book, uint32_t number)
{
	const struct entry *entry = &book->entries[number];
	struct uuid uuid = {{0}};

	put_u32(&uuid.byte[0], entry->made_s);
	uuid.byte[6] = 0x80;
	put_u32(&uuid.byte[8], book->run | 0x80000000);
	put_u32(&uuid.byte[12], number);
	return uuid;
}

/* What JSON escapes and UTF-8 may spoil is among them. */
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

void ledger_text(const struct ledger_book *book, uint32_t number,
                 struct buf *out)
{
	const struct entry *entry = &book->entries[number];
	uint64_t random = mix((uint64_t)book->run << 32 | number);

	buf_format(out, "%u %u>%s%u ", number, (unsigned)entry->from,
	           entry->to_room ? "g" : "", (unsigned)entry->to);
	while (out->len < book->plan.text_bytes) {
		buf_append(out, span_of(pieces[random % ARRAY_LEN(pieces)]));
		random = mix(random + out->len);
	}
}

void ledger_book_frame(const struct ledger_book *book, uint32_t number,
                       struct buf *out)
{
	const struct entry *entry = &book->entries[number];
	struct buf text CLEANUP(buf_free) = BUF(book->plan.text_bytes + 64);
	struct uuid uuid = ledger_uuid(book, number);
	struct json_writer w = json_writer(out);
	char words[UUID_TEXT_LEN + 1];

	uuid_format(&uuid, words);
	ledger_text(book, number, &text);
	json_open(&w);
	json_text(&w, "uuid", span_of(words));
	json_text(&w, "message", buf_span(&text));
	if (entry->to_room)
		json_number(&w, "conversation",
		            book->rooms[entry->to]->conversation);
	else
		json_number(&w, "user_to", book->ids[entry->to]);
	json_close(&w);
}
