/*
 * bench_crowd - many sockets of many people, opened some at a time, each of
 * which counts as there when it has its `welcome`.
 *
 * Who is who comes from options->tokens: the member with number i is its line
 * i after options->from, from the start again where the file is shorter.
 *
 * Ownership  bench_crowd_destroy() hangs up and frees all.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_CROWD_H
#define PARLEY_BENCH_LOAD_BENCH_CROWD_H

#include "client-test/cli/options.h"
#include "client-test/client/histogram.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct bench_crowd;

struct bench_crowd_events {
	/* A text that is no `welcome`; NULL: they don't matter. */
	void (*text)(void *context, unsigned member, struct span text,
	             uint64_t now_us);
	/* It has its `welcome`. NULL: they are only counted. */
	void (*welcomed)(void *context, unsigned member, uint64_t now_us);
	/* Told once; may not join again from within. NULL: only counted. */
	void (*lost)(void *context, unsigned member, const char *why);
};

/* ST_INVALID with words on stderr when URL or tokens will not do. */
MUST_CHECK enum status
bench_crowd_create(const struct options *options,
                   const struct bench_crowd_events *events, void *context,
                   struct bench_crowd **ret_crowd);
void bench_crowd_destroy(struct bench_crowd **crowd);

/* Opens all, options->at_once at a time. False when one was lost or is late. */
bool bench_crowd_fill(struct bench_crowd *crowd);
/* Connects one that is not there; between turns only. */
void bench_crowd_join(struct bench_crowd *crowd, unsigned member);
/* Hangs up without a word. */
void bench_crowd_leave(struct bench_crowd *crowd, unsigned member);
void bench_crowd_turn(struct bench_crowd *crowd, uint64_t until_us);
/* See bench_net_nap(). */
void bench_crowd_nap(struct bench_crowd *crowd, unsigned nap_us);

unsigned bench_crowd_size(const struct bench_crowd *crowd);
unsigned bench_crowd_welcomed(const struct bench_crowd *crowd); /* now */
unsigned bench_crowd_lost(const struct bench_crowd *crowd);     /* ever */
/* Begun and not welcomed since before `since_us`. */
bool bench_crowd_is_late(const struct bench_crowd *crowd, unsigned member,
                         uint64_t since_us);
/* From connect() to `welcome`, of all who joined. */
const struct histogram *bench_crowd_times(const struct bench_crowd *crowd);

#endif
