/*
 * listener - opens a listening TCP socket.
 */
#ifndef PARLEY_IO_HTTP_LISTENER_H
#define PARLEY_IO_HTTP_LISTENER_H

#include <stdint.h>

/*
 * Returns a non-blocking socket that is closed on exec, or -1 with errno when
 * the address cannot be bound. `address` is numeric: "127.0.0.1", "0.0.0.0" or
 * "::".
 */
int listener_open(const char *address, uint16_t port, int backlog);

#endif
