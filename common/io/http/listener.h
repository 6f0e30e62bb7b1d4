/*
 * listener - a TCP socket that listens.
 */
#ifndef PARLEY_IO_HTTP_LISTENER_H
#define PARLEY_IO_HTTP_LISTENER_H

#include <stdint.h>

/*
 * Non-blocking, closed on exec. `address` is numeric: "127.0.0.1", "0.0.0.0",
 * "::". -1 with errno set when it can't be bound.
 */
int listener_open(const char *address, uint16_t port, int backlog);

#endif
