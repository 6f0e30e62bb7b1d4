/*
 * A phone, a code and a base URL of a provider: an accepted one keeps every
 * promise of its header.
 */
#include "identity-service/phone/code.h"
#include "identity-service/sms/sms_provider.h"
#include "tests/fuzz/fuzz.h"

static void check_phone(struct span text)
{
	struct phone phone;
	struct span country;

	if (phone_read(text, &phone))
		return;
	must(span_equal(phone_span(&phone), text));
	must(text.len >= 8 && text.len <= PHONE_MAX);
	must(strspn(phone.text + 1, "0123456789") == text.len - 1);
	country = phone_country(&phone);
	must(country.data == phone.text + 1);
	must(country.len >= 1 && country.len <= 3);
}

static void check_code(struct span text)
{
	struct code code;

	if (code_read(text, &code))
		return;
	must(span_equal(span_of(code.text), text));
	must(strspn(code.text, "0123456789") == CODE_LEN);
}

static void check_url(struct span text)
{
	if (!sms_url_fits(text))
		return;
	must(text.data[text.len - 1] != '/');
	/* The case of a scheme does not matter: RFC 3986, section 3.1. */
	must((text.len > 8 &&
	      span_equal_nocase(span_make(text.data, 8), SPAN("https://"))) ||
	     span_starts(text, SPAN("http://127.0.0.1")) ||
	     span_starts(text, SPAN("http://localhost")) ||
	     span_starts(text, SPAN("http://[::1]")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_make(data, size);

	check_phone(text);
	check_code(text);
	check_url(text);
	return 0;
}
