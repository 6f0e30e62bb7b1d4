#include "identity-service/phone/phone.h"

enum { DIGITS_MIN = 7, DIGITS_MAX = 15 };

static const char fault[] = "phone must be a number of E.164: + and 7 to 15 "
			    "digits, as +4915112345678";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

const char *phone_read(struct span text, struct phone *ret_phone)
{
	struct phone phone = {.text = "+"};

	if (text.len < 1 + DIGITS_MIN || text.len > 1 + DIGITS_MAX ||
	    text.data[0] != '+' || text.data[1] == '0')
		return fault;
	for (size_t i = 1; i < text.len; i++) {
		if (!is_digit(text.data[i]))
			return fault;
		phone.text[i] = text.data[i];
	}
	*ret_phone = phone;
	return NULL;
}

struct span phone_country(const struct phone *phone)
{
	/* The codes of two digits, by their first one. */
	static const char *const second[10] = {
		[2] = "07",       [3] = "0123469", [4] = "013456789",
		[5] = "12345678", [6] = "0123456", [8] = "12346",
		[9] = "0123458",
	};
	char first = phone->text[1];
	const char *of_two = second[first - '0'];
	size_t digits = 3;

	if (first == '1' || first == '7')
		digits = 1;
	else if (of_two && strchr(of_two, phone->text[2]))
		digits = 2;
	return span_make(phone->text + 1, digits);
}
