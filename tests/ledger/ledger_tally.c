#include "tests/ledger/ledger_tally.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

#include <stdio.h>
#include <string.h>

enum { SECOND_US = 1000000, SOON_US = 5 * SECOND_US, CODES_MAX = 32 };

struct row {
	uint32_t count[LEDGER_COUNTS];
	uint32_t sent, acked, acked_soon, saved;
};

struct code {
	char name[40];
	uint64_t count;
};

struct ledger_tally {
	uint64_t start_us, start_unix_s;
	struct row *rows;
	size_t row_count;
	uint64_t total[LEDGER_COUNTS];
	struct code codes[CODES_MAX];
	unsigned code_count;
};

struct ledger_tally *ledger_tally_create(void)
{
	struct ledger_tally *tally = mem_new(sizeof(*tally));

	tally->start_us = clock_mono_us();
	tally->start_unix_s = clock_unix_ms() / 1000;
	return tally;
}

void ledger_tally_destroy(struct ledger_tally **tally)
{
	if (*tally)
		mem_free(&(*tally)->rows);
	mem_free(tally);
}

static struct row *row_at(struct ledger_tally *tally, uint64_t now_us)
{
	size_t second = (now_us - tally->start_us) / SECOND_US;

	if (second >= tally->row_count) {
		tally->rows = mem_resize(tally->rows,
		                         (second + 1) * sizeof(*tally->rows));
		memset(&tally->rows[tally->row_count], 0,
		       (second + 1 - tally->row_count) * sizeof(*tally->rows));
		tally->row_count = second + 1;
	}
	return &tally->rows[second];
}

void ledger_tally_count(struct ledger_tally *tally, enum ledger_count count)
{
	row_at(tally, clock_mono_us())->count[count]++;
	tally->total[count]++;
}

uint64_t ledger_tally_total(const struct ledger_tally *tally,
                            enum ledger_count count)
{
	return tally->total[count];
}

void ledger_tally_error(struct ledger_tally *tally, struct span code)
{
	unsigned i = 0;

	ledger_tally_count(tally, LEDGER_RETRYABLE_ERRORS);
	while (i < tally->code_count &&
	       !span_equal(span_of(tally->codes[i].name), code))
		i++;
	if (i == CODES_MAX)
		return;
	if (i == tally->code_count)
		(void)snprintf(tally->codes[tally->code_count++].name,
		               sizeof(tally->codes[0].name), "%.*s",
		               (int)code.len, code.len ? code.data : "");
	tally->codes[i].count++;
}

void ledger_tally_errors(const struct ledger_tally *tally,
                         struct json_writer *w)
{
	json_open_object(w, "errors");
	for (unsigned i = 0; i < tally->code_count; i++)
		json_number(w, tally->codes[i].name, tally->codes[i].count);
	json_close(w);
}

static void add_line(struct ledger_tally *tally, const struct ledger_line *line)
{
	if (line->sent_us) {
		struct row *row = row_at(tally, line->sent_us);

		row->sent++;
		row->acked_soon += line->acked_us &&
		                   line->acked_us <= line->sent_us + SOON_US;
	}
	if (line->acked_us)
		row_at(tally, line->acked_us)->acked++;
	if (line->saved_us)
		row_at(tally, line->saved_us)->saved++;
}

static void print_rows(const struct ledger_tally *tally, FILE *file)
{
	(void)fputs("second,sent,acked,acked_after_5s,saved,received,"
	            "retryable_errors,connects\n",
	            file);
	for (size_t i = 0; i < tally->row_count; i++) {
		const struct row *row = &tally->rows[i];

		(void)fprintf(file, "%llu,%u,%u,%u,%u,%u,%u,%u\n",
		              (unsigned long long)tally->start_unix_s + i,
		              row->sent, row->acked, row->acked_soon,
		              row->saved, row->count[LEDGER_RECEIVED],
		              row->count[LEDGER_RETRYABLE_ERRORS],
		              row->count[LEDGER_CONNECTS]);
	}
}

enum status ledger_tally_write(const struct ledger_tally *tally,
                               const struct ledger_book *book, const char *path)
{
	struct ledger_tally sum = *tally;
	FILE *file = fopen(path, "we");
	size_t bytes = sum.row_count * sizeof(*sum.rows);

	if (!file)
		return ST_UNAVAILABLE;
	sum.rows = mem_resize(NULL, bytes ? bytes : 1);
	if (bytes)
		memcpy(sum.rows, tally->rows, bytes);
	for (uint32_t i = 0; i < ledger_book_count(book); i++) {
		struct ledger_line line = ledger_book_line(book, i);

		add_line(&sum, &line);
	}
	print_rows(&sum, file);
	mem_free(&sum.rows);
	return fclose(file) ? ST_UNAVAILABLE : ST_OK;
}
