/*
 * Any opening request: upgrade_read() refuses it with a problem document, or
 * returns a key and a token that keep every promise of upgrade.h.
 */
#define _GNU_SOURCE /* memmem */
#include "common/base/mem.h"
#include "common/io/websocket_handshake.h"
#include "common/wire/identity.h"
#include "tests/fuzz/fuzz.h"
#include "websocket-service/socket/upgrade.h"

static size_t whole_head(struct span bytes)
{
	size_t len = upgrade_head_len(bytes);

	must(len <= bytes.len);
	if (len == 0)
		return bytes.len; /* read what there is: it must be refused */
	must(len >= 4 && !memcmp(bytes.data + len - 4, "\r\n\r\n", 4));
	must(upgrade_head_len(span_make(bytes.data, len - 1)) == 0);
	return len;
}

static bool within(struct span part, struct span whole)
{
	return part.data >= whole.data &&
	       part.data + part.len <= whole.data + whole.len;
}

static void check_taken(const struct upgrade *upgrade, struct span head)
{
	struct buf out CLEANUP(buf_free) = BUF(1024);

	must(memmem(head.data, head.len, "\r\n\r\n", 4) != NULL);
	must(websocket_key_valid(upgrade->key) && within(upgrade->key, head));
	must(upgrade->token.len <= TOKEN_MAX);
	must(upgrade->token.len == 0 || within(upgrade->token, head));
	for (size_t i = 0; i < upgrade->token.len; i++)
		must(upgrade->token.data[i] > ' ' &&
		     upgrade->token.data[i] <= '~');
	upgrade_accept(&out, upgrade);
	must(!buf_overflowed(&out));
	must(upgrade_head_len(buf_span(&out)) == out.len);
}

static void check_refused(const struct upgrade_fault *fault)
{
	struct buf out CLEANUP(buf_free) = BUF(2048);
	size_t head;

	must(fault->http >= 400 && fault->http < 500);
	upgrade_refuse(&out, fault);
	must(!buf_overflowed(&out));
	head = upgrade_head_len(buf_span(&out));
	must(head > 0);
	must_be_json(span_make(out.data + head, out.len - head));
}

static void read_one(struct span head, const char *origins)
{
	struct upgrade upgrade;
	struct upgrade_fault fault;

	if (upgrade_read(head, origins, &upgrade, &fault))
		check_taken(&upgrade, head);
	else
		check_refused(&fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = whole_head(span_make(data, size));
	char *copy = mem_new(len + 1);
	struct span head = span_make(copy, len);

	if (len)
		memcpy(copy, data, len);
	read_one(head, "");
	read_one(head, "https://a.example,https://b.example");
	mem_free(&copy);
	return 0;
}
