#include "tests/ledger/clients/timeline.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/messages.h"

#include <stdio.h>
#include <string.h>

enum { SECOND_US = 1000000, SOON_US = 5 * SECOND_US, CODES_MAX = 32 };

struct second {
	uint32_t count[TIMELINE_COUNTS];
	uint32_t sent, acked, acked_soon, saved;
};

struct error_code {
	char name[40];
	uint64_t count;
};

struct timeline {
	uint64_t start_us, start_unix_s;
	struct second *rows;
	size_t row_count;
	uint64_t total[TIMELINE_COUNTS];
	struct error_code codes[CODES_MAX];
	unsigned code_count;
};

struct timeline *timeline_create(void)
{
	struct timeline *timeline = mem_new(sizeof(*timeline));

	timeline->start_us = clock_mono_us();
	timeline->start_unix_s = clock_unix_ms() / 1000;
	return timeline;
}

void timeline_destroy(struct timeline **timeline)
{
	if (*timeline)
		mem_free(&(*timeline)->rows);
	mem_free(timeline);
}

static struct second *second_at(struct timeline *timeline, uint64_t now_us)
{
	size_t second = (now_us - timeline->start_us) / SECOND_US;

	if (second >= timeline->row_count) {
		timeline->rows = mem_resize(
			timeline->rows, (second + 1) * sizeof(*timeline->rows));
		memset(&timeline->rows[timeline->row_count], 0,
		       (second + 1 - timeline->row_count) *
		               sizeof(*timeline->rows));
		timeline->row_count = second + 1;
	}
	return &timeline->rows[second];
}

void timeline_add(struct timeline *timeline, enum timeline_count count)
{
	second_at(timeline, clock_mono_us())->count[count]++;
	timeline->total[count]++;
}

uint64_t timeline_total(const struct timeline *timeline,
                        enum timeline_count count)
{
	return timeline->total[count];
}

void timeline_add_error(struct timeline *timeline, struct span code)
{
	unsigned i = 0;

	timeline_add(timeline, TIMELINE_RETRYABLE_ERRORS);
	while (i < timeline->code_count &&
	       !span_equal(span_of(timeline->codes[i].name), code))
		i++;
	if (i == CODES_MAX)
		return;
	if (i == timeline->code_count)
		(void)snprintf(timeline->codes[timeline->code_count++].name,
		               sizeof(timeline->codes[0].name), "%.*s",
		               (int)code.len, code.len ? code.data : "");
	timeline->codes[i].count++;
}

void timeline_write_errors(const struct timeline *timeline,
                           struct json_writer *w)
{
	json_open_object(w, "errors");
	for (unsigned i = 0; i < timeline->code_count; i++)
		json_number(w, timeline->codes[i].name,
		            timeline->codes[i].count);
	json_close(w);
}

static void add_message(struct timeline *timeline,
                        const struct ledger_message_state *message)
{
	if (message->sent_us) {
		struct second *row = second_at(timeline, message->sent_us);

		row->sent++;
		row->acked_soon +=
			message->acked_us &&
			message->acked_us <= message->sent_us + SOON_US;
	}
	if (message->acked_us)
		second_at(timeline, message->acked_us)->acked++;
	if (message->saved_us)
		second_at(timeline, message->saved_us)->saved++;
}

static void print_rows(const struct timeline *timeline, FILE *file)
{
	(void)fputs("second,sent,acked,acked_after_5s,saved,received,"
	            "retryable_errors,connects\n",
	            file);
	for (size_t i = 0; i < timeline->row_count; i++) {
		const struct second *row = &timeline->rows[i];

		(void)fprintf(file, "%llu,%u,%u,%u,%u,%u,%u,%u\n",
		              (unsigned long long)timeline->start_unix_s + i,
		              row->sent, row->acked, row->acked_soon,
		              row->saved, row->count[TIMELINE_RECEIVED],
		              row->count[TIMELINE_RETRYABLE_ERRORS],
		              row->count[TIMELINE_CONNECTS]);
	}
}

enum status timeline_write_csv(const struct timeline *timeline,
                               const struct ledger *ledger, const char *path)
{
	struct timeline sum = *timeline;
	FILE *file = fopen(path, "we");
	size_t bytes = sum.row_count * sizeof(*sum.rows);

	if (!file)
		return ST_UNAVAILABLE;
	sum.rows = mem_resize(NULL, bytes ? bytes : 1);
	if (bytes)
		memcpy(sum.rows, timeline->rows, bytes);
	for (uint32_t i = 0; i < messages_count(ledger); i++) {
		struct ledger_message_state message = messages_get(ledger, i);

		add_message(&sum, &message);
	}
	print_rows(&sum, file);
	mem_free(&sum.rows);
	return fclose(file) ? ST_UNAVAILABLE : ST_OK;
}
