#include "identity-service/phone/code.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/random.h"

enum { TEXT_MAX = PHONE_MAX + CODE_LEN + 1 };

bool code_from(uint32_t number, struct code *ret_code)
{
	uint32_t fair = UINT32_MAX - UINT32_MAX % CODE_COUNT;

	if (number >= fair)
		return false;
	number %= CODE_COUNT;
	for (unsigned i = CODE_LEN; i-- > 0; number /= 10)
		ret_code->text[i] = (char)('0' + number % 10);
	ret_code->text[CODE_LEN] = '\0';
	return true;
}

void code_make(struct code *ret_code)
{
	uint32_t number;

	do
		random_bytes(&number, sizeof(number));
	while (!code_from(number, ret_code));
	mem_wipe(&number, sizeof(number));
}

const char *code_read(struct span text, struct code *ret_code)
{
	if (text.len != CODE_LEN)
		return "code must have 6 digits";
	for (size_t i = 0; i < CODE_LEN; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return "code must have 6 digits";
		ret_code->text[i] = text.data[i];
	}
	ret_code->text[CODE_LEN] = '\0';
	return NULL;
}

struct digest code_key(struct span secret)
{
	struct digest key;

	digest_hmac(secret, SPAN("parley phone codes"), &key);
	return key;
}

void code_digest(const struct digest *key, const struct phone *phone,
                 const struct code *code, struct digest *ret_digest)
{
	CLEANUP(buf_free) struct buf text = BUF(TEXT_MAX);

	buf_append(&text, phone_span(phone));
	buf_byte(&text, ' ');
	buf_append(&text, span_of(code->text));
	digest_hmac(digest_span(key), buf_span(&text), ret_digest);
	mem_wipe(text.data, text.len);
}

bool code_digest_equal(const struct digest *a, const struct digest *b)
{
	volatile uint8_t differs = 0;

	for (unsigned i = 0; i < DIGEST_LEN; i++)
		differs |= a->byte[i] ^ b->byte[i];
	return differs == 0;
}
