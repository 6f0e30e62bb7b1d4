/*
 * bench_orders - what whoever runs a measurement wants next: lines on stdin,
 * looked at between turns.
 */
#ifndef PARLEY_BENCH_LOAD_BENCH_ORDERS_H
#define PARLEY_BENCH_LOAD_BENCH_ORDERS_H

enum { BENCH_ORDER_MAX = 32 };

enum bench_orders_result {
	BENCH_ORDERS_NONE,
	BENCH_ORDERS_ONE, /* a line, without its end, cut where too long */
	BENCH_ORDERS_ENDED,
};

/* Never waits. */
enum bench_orders_result bench_orders_next(char order[BENCH_ORDER_MAX]);

#endif
