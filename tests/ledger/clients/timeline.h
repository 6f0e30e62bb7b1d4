/*
 * timeline - what the clients saw second by second, apart from the messages
 * themselves; with the messages it becomes the file of --timeline.
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_TIMELINE_H
#define PARLEY_TESTS_LEDGER_CLIENTS_TIMELINE_H

#include "common/base/json_write.h"
#include "common/base/scope.h"
#include "common/base/status.h"
#include "tests/ledger/judge/ledger.h"

struct timeline;

enum timeline_count {
	TIMELINE_CONNECTS,
	TIMELINE_RECEIVED,
	TIMELINE_RETRYABLE_ERRORS,
	TIMELINE_RESENDS,
	TIMELINE_COUNTS
};

struct timeline *timeline_create(void);
void timeline_destroy(struct timeline **timeline);
void timeline_add(struct timeline *timeline, enum timeline_count count);
/* A retryable error with this code. */
void timeline_add_error(struct timeline *timeline, struct span code);
uint64_t timeline_total(const struct timeline *timeline,
                        enum timeline_count count);
/* Writes the member "errors": how often each code arrived. */
void timeline_write_errors(const struct timeline *timeline,
                           struct json_writer *w);
/*
 * Writes a CSV file with a row for each second: `sent` messages were first sent
 * in it, `acked` were first answered in it, `acked_after_5s` were sent in it
 * and answered within 5 s, `saved` were first reported as saved in it.
 * ST_UNAVAILABLE: the file cannot be written.
 */
MUST_CHECK enum status timeline_write_csv(const struct timeline *timeline,
                                          const struct ledger *ledger,
                                          const char *path);

#endif
