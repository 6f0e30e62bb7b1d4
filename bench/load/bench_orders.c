#include "bench/load/bench_orders.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static bool readable(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&in, 1, 0) > 0;
}

/* Byte by byte: what follows the line is for the next call. */
enum bench_orders_result bench_orders_next(char order[BENCH_ORDER_MAX])
{
	size_t len = 0;
	char byte;

	if (!readable())
		return BENCH_ORDERS_NONE;
	for (;;) {
		if (read(STDIN_FILENO, &byte, 1) <= 0)
			return BENCH_ORDERS_ENDED;
		if (byte == '\n')
			break;
		if (len < BENCH_ORDER_MAX - 1)
			order[len++] = byte;
	}
	order[len] = '\0';
	return BENCH_ORDERS_ONE;
}
