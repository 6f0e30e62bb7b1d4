#include "tests/ledger/ledger_report.h"
#include "client-test/cli/histogram.h"
#include "common/base/mem.h"

#include <stdio.h>

enum { REPORT_MAX = 256 * 1024 };

static const char *const verdict_names[] = {
	[LEDGER_CLEAN] = "clean",
	[LEDGER_VIOLATED] = "violated",
	[LEDGER_UNDECIDED] = "undecided",
};

struct latencies {
	struct histogram accept, saved; /* since a message was due */
};

static void measure(const struct ledger_book *book, struct latencies *latencies)
{
	for (uint32_t i = 0; i < ledger_book_count(book); i++) {
		struct ledger_line line = ledger_book_line(book, i);

		if (line.acked_us)
			histogram_add(&latencies->accept,
			              line.acked_us - line.due_us);
		if (line.saved_us)
			histogram_add(&latencies->saved,
			              line.saved_us - line.due_us);
	}
}

static enum ledger_verdict verdict_of(const struct ledger_run *run)
{
	const struct ledger_totals *totals = ledger_book_totals(run->book);

	for (unsigned i = 0; i < LEDGER_FAULT_COUNT; i++) {
		if (totals->fault[i])
			return LEDGER_VIOLATED;
	}
	return run->undecided ? LEDGER_UNDECIDED : LEDGER_CLEAN;
}

static void write_times(struct json_writer *w, const char *name,
                        const struct histogram *histogram)
{
	json_open_object(w, name);
	json_number(w, "p50", histogram_at(histogram, 50));
	json_number(w, "p99", histogram_at(histogram, 99));
	json_number(w, "max", histogram->max);
	json_close(w);
}

static void write_counts(struct json_writer *w, const struct ledger_run *run)
{
	const struct ledger_totals *totals = ledger_book_totals(run->book);

	json_number(w, "sent", totals->sent);
	json_number(w, "accepted", totals->accepted);
	json_number(w, "saved", totals->saved);
	json_number(w, "stored", totals->stored);
	for (unsigned i = 0; i < LEDGER_FAULT_COUNT; i++)
		json_number(w, ledger_fault_names[i], totals->fault[i]);
	json_number(w, "to_rooms", totals->to_rooms);
	json_number(w, "room_changes", totals->changes);
	json_number(w, "receipts_said", totals->receipts);
	json_number(w, "receipts_told", totals->receipts_told);
	json_number(w, "old_receipts", totals->old_receipts);
	json_number(w, "turned_away", totals->turned_away);
	json_number(w, "unknown", totals->unknown);
	json_number(w, "unanswered_kept", totals->unanswered_kept);
	json_number(w, "wire_duplicates", totals->wire_duplicates);
	json_number(w, "received", totals->received);
	json_number(w, "connects",
	            ledger_tally_total(run->tally, LEDGER_CONNECTS));
	json_number(w, "retries",
	            ledger_tally_total(run->tally, LEDGER_RESENDS));
	ledger_tally_errors(run->tally, w);
}

static void print_json(const struct ledger_run *run,
                       enum ledger_verdict verdict,
                       const struct latencies *latencies)
{
	struct buf text CLEANUP(buf_free) = BUF(REPORT_MAX);
	struct json_writer w = json_writer(&text);
	const char *example;

	json_open(&w);
	json_text(&w, "verdict", span_of(verdict_names[verdict]));
	if (run->undecided)
		json_text(&w, "undecided_because", span_of(run->undecided));
	json_number(&w, "seed", run->seed);
	json_number(&w, "users", run->plan->users);
	json_number(&w, "sockets_each", run->plan->devices);
	json_double(&w, "seconds", run->seconds);
	json_double(&w, "drain_s", run->drain_s);
	write_counts(&w, run);
	write_times(&w, "accept_us", &latencies->accept);
	write_times(&w, "saved_us", &latencies->saved);
	json_open_array(&w, "examples");
	for (unsigned i = 0; (example = ledger_book_example(run->book, i)); i++)
		json_text(&w, NULL, span_of(example));
	json_close_array(&w);
	json_close(&w);
	(void)puts(buf_text(&text));
	(void)fflush(stdout);
}

static void print_row(const char *name, uint64_t count, const char *meaning)
{
	(void)fprintf(stderr, "  %-16s %10llu  %s\n", name,
	              (unsigned long long)count, meaning);
}

static void print_table(const struct ledger_run *run,
                        enum ledger_verdict verdict,
                        const struct latencies *latencies)
{
	const struct ledger_totals *totals = ledger_book_totals(run->book);
	const char *example;

	(void)fprintf(stderr,
	              "\nledger: %u users, %u sockets each, %.0f s, drained in "
	              "%.0f s\n",
	              run->plan->users, run->plan->devices, run->seconds,
	              run->drain_s);
	print_row("sent", totals->sent, "");
	print_row("accepted", totals->accepted, "told that it is safe");
	print_row("stored", totals->stored,
	          "in the history of all whom it "
	          "concerns");
	print_row("to rooms", totals->to_rooms, "of those sent");
	print_row("room changes", totals->changes, "comings, goings");
	for (unsigned i = 0; i < LEDGER_FAULT_COUNT; i++)
		print_row(ledger_fault_names[i], totals->fault[i],
		          ledger_fault_texts[i]);
	print_row("unknown", totals->unknown,
	          "never answered, not stored (allowed)");
	print_row("receipts told", totals->receipts_told, "");
	print_row("old receipts", totals->old_receipts,
	          "behind what was told before (allowed)");
	print_row("turned away", totals->turned_away,
	          "sent by who perhaps was no member (allowed)");
	print_row("wire duplicates", totals->wire_duplicates,
	          "frames that came again (allowed)");
	print_row("connects", ledger_tally_total(run->tally, LEDGER_CONNECTS),
	          "");
	(void)fprintf(stderr,
	              "  answered after, p50 / p99 / max: %.1f / %.1f "
	              "/ %.1f ms\n",
	              (double)histogram_at(&latencies->accept, 50) / 1000,
	              (double)histogram_at(&latencies->accept, 99) / 1000,
	              (double)latencies->accept.max / 1000);
	for (unsigned i = 0; (example = ledger_book_example(run->book, i)); i++)
		(void)fprintf(stderr, "  - %s\n", example);
	if (run->undecided)
		(void)fprintf(stderr, "  undecided: %s\n", run->undecided);
	(void)fprintf(stderr, "verdict: %s\n", verdict_names[verdict]);
}

enum ledger_verdict ledger_report(const struct ledger_run *run)
{
	struct latencies *latencies = mem_new(sizeof(*latencies));
	enum ledger_verdict verdict = verdict_of(run);

	measure(run->book, latencies);
	print_table(run, verdict, latencies);
	print_json(run, verdict, latencies);
	mem_free(&latencies);
	return verdict;
}
