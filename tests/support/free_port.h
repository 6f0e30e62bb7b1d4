/*
 * free_port - a TCP port of 127.0.0.1 that was free a moment ago.
 */
#ifndef PARLEY_TESTS_SUPPORT_FREE_PORT_H
#define PARLEY_TESTS_SUPPORT_FREE_PORT_H

#include <stdint.h>

uint16_t free_port(void);

#endif
