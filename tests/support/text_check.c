#include "tests/support/text_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no %s in %.3000s", part, text);
}

void assert_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("%s in %.3000s", part, text);
}

unsigned occurrences(const char *text, const char *part)
{
	unsigned count = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		count++;
	return count;
}
