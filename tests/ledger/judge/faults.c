#include "tests/ledger/judge/faults.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/ledger_state.h"

#include <stdarg.h>
#include <stdio.h>

enum { EXAMPLE_MAX = 400 };

#define FAULT_NAME(name, text) #name,
const char *const fault_names[FAULT_COUNT] = {FAULTS(FAULT_NAME)};
#define FAULT_TEXT(name, text) text,
const char *const fault_texts[FAULT_COUNT] = {FAULTS(FAULT_TEXT)};

void faults_add(struct ledger *ledger, enum fault fault, const char *format,
                ...)
{
	struct buf text CLEANUP(buf_free) = BUF(EXAMPLE_MAX + 64);
	char words[EXAMPLE_MAX];
	va_list arguments;

	ledger->totals.fault[fault]++;
	if (ledger->example_count == LEDGER_EXAMPLES_MAX)
		return;
	va_start(arguments, format);
	(void)vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	buf_format(&text, "%s: %s", fault_names[fault], words);
	ledger->examples[ledger->example_count++] =
		mem_text(text.data, text.len);
}

void faults_free(struct ledger *ledger)
{
	while (ledger->example_count)
		mem_free(&ledger->examples[--ledger->example_count]);
}
