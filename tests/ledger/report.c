#include "tests/ledger/report.h"
#include "client-test/cli/histogram.h"
#include "common/base/mem.h"
#include "tests/ledger/judge/faults.h"
#include "tests/ledger/judge/ledger.h"
#include "tests/ledger/judge/messages.h"

#include <stdio.h>

enum { REPORT_MAX = 256 * 1024 };

static const char *const verdict_names[] = {
	[VERDICT_CLEAN] = "clean",
	[VERDICT_VIOLATED] = "violated",
	[VERDICT_UNDECIDED] = "undecided",
};

struct latencies {
	struct histogram accept, saved; /* from when a message was due */
};

static void measure(const struct ledger *ledger, struct latencies *latencies)
{
	for (uint32_t i = 0; i < messages_count(ledger); i++) {
		struct ledger_message_state line = messages_get(ledger, i);

		if (line.acked_us)
			histogram_add(&latencies->accept,
			              line.acked_us - line.due_us);
		if (line.saved_us)
			histogram_add(&latencies->saved,
			              line.saved_us - line.due_us);
	}
}

static enum verdict verdict_of(const struct report *report)
{
	const struct ledger_totals *totals = ledger_totals(report->ledger);

	for (unsigned i = 0; i < FAULT_COUNT; i++) {
		if (totals->fault[i])
			return VERDICT_VIOLATED;
	}
	return report->undecided ? VERDICT_UNDECIDED : VERDICT_CLEAN;
}

static void write_counts(struct json_writer *w, const struct report *report)
{
	const struct ledger_totals *totals = ledger_totals(report->ledger);

	json_number(w, "sent", totals->sent);
	json_number(w, "accepted", totals->accepted);
	json_number(w, "saved", totals->saved);
	json_number(w, "stored", totals->stored);
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		json_number(w, fault_names[i], totals->fault[i]);
	json_number(w, "to_rooms", totals->to_rooms);
	json_number(w, "room_changes", totals->changes);
	json_number(w, "receipts_sent", totals->receipts);
	json_number(w, "receipts_received", totals->receipts_received);
	json_number(w, "old_receipts", totals->old_receipts);
	json_number(w, "overtaken", totals->overtaken);
	json_number(w, "turned_away", totals->turned_away);
	json_number(w, "cuts", totals->cuts);
	json_number(w, "unknown", totals->unknown);
	json_number(w, "unanswered_kept", totals->unanswered_kept);
	json_number(w, "edits", totals->edits);
	json_number(w, "edits_saved", totals->edits_saved);
	json_number(w, "edits_unseen", totals->edits_unseen);
	json_number(w, "typing_sent", totals->typing);
	json_number(w, "typing_received", totals->typing_received);
	json_number(w, "blocks_made", totals->blocks);
	json_number(w, "sent_during_blocks", totals->blocked);
	json_number(w, "wire_duplicates", totals->wire_duplicates);
	json_number(w, "received", totals->received);
	json_number(w, "connects",
	            timeline_total(report->timeline, TIMELINE_CONNECTS));
	json_number(w, "retries",
	            timeline_total(report->timeline, TIMELINE_RESENDS));
	timeline_write_errors(report->timeline, w);
}

static void print_json(const struct report *report, enum verdict verdict,
                       const struct latencies *latencies)
{
	struct buf text CLEANUP(buf_free) = BUF(REPORT_MAX);
	struct json_writer w = json_writer(&text);
	const char *example;

	json_open(&w);
	json_text(&w, "verdict", span_of(verdict_names[verdict]));
	if (report->undecided)
		json_text(&w, "undecided_because", span_of(report->undecided));
	json_number(&w, "seed", report->seed);
	json_number(&w, "users", report->config->users);
	json_number(&w, "sockets_each", report->config->devices);
	json_double(&w, "seconds", report->seconds);
	json_double(&w, "drain_s", report->drain_s);
	write_counts(&w, report);
	histogram_write(&latencies->accept, "accept_us", &w);
	histogram_write(&latencies->saved, "saved_us", &w);
	json_open_array(&w, "examples");
	for (unsigned i = 0; (example = ledger_example(report->ledger, i)); i++)
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

static void print_table(const struct report *report, enum verdict verdict,
                        const struct latencies *latencies)
{
	const struct ledger_totals *totals = ledger_totals(report->ledger);
	const char *example;

	(void)fprintf(stderr,
	              "\nledger: %u users, %u sockets each, %.0f s, drained in "
	              "%.0f s\n",
	              report->config->users, report->config->devices,
	              report->seconds, report->drain_s);
	print_row("sent", totals->sent, "");
	print_row("accepted", totals->accepted,
	          "the server said that it is safe");
	print_row("stored", totals->stored,
	          "in the history of everyone it concerns");
	print_row("to rooms", totals->to_rooms, "messages sent to rooms");
	print_row("room changes", totals->changes,
	          "members joining or leaving, and others");
	for (unsigned i = 0; i < FAULT_COUNT; i++)
		print_row(fault_names[i], totals->fault[i], fault_texts[i]);
	print_row("unknown", totals->unknown,
	          "never answered, not stored (allowed)");
	print_row("receipts received", totals->receipts_received, "");
	print_row("old receipts", totals->old_receipts,
	          "below an earlier receipt (allowed)");
	print_row("turned away", totals->turned_away,
	          "the sender may have been no member (allowed)");
	print_row("wire duplicates", totals->wire_duplicates,
	          "frames that arrived again (allowed)");
	print_row("connects",
	          timeline_total(report->timeline, TIMELINE_CONNECTS), "");
	(void)fprintf(stderr,
	              "  answered after, p50 / p99 / max: %.1f / %.1f "
	              "/ %.1f ms\n",
	              (double)histogram_at(&latencies->accept, 50) / 1000,
	              (double)histogram_at(&latencies->accept, 99) / 1000,
	              (double)latencies->accept.max / 1000);
	for (unsigned i = 0; (example = ledger_example(report->ledger, i)); i++)
		(void)fprintf(stderr, "  - %s\n", example);
	if (report->undecided)
		(void)fprintf(stderr, "  undecided: %s\n", report->undecided);
	(void)fprintf(stderr, "verdict: %s\n", verdict_names[verdict]);
}

enum verdict report_print(const struct report *report)
{
	struct latencies *latencies = mem_new(sizeof(*latencies));
	enum verdict verdict = verdict_of(report);

	measure(report->ledger, latencies);
	print_table(report, verdict, latencies);
	print_json(report, verdict, latencies);
	mem_free(&latencies);
	return verdict;
}
