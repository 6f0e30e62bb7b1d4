/*
 * admin - the internal HTTP port of a service: /healthz, /readyz, /metrics.
 */
#ifndef PARLEY_SERVICE_ADMIN_H
#define PARLEY_SERVICE_ADMIN_H

#include "common/base/scope.h"
#include "common/base/status.h"

#include <stdint.h>

struct admin;

/* ST_UNAVAILABLE: the port cannot be bound; errno says why. */
MUST_CHECK enum status admin_start(const char *bind_address, uint16_t port,
                                   struct admin **ret_admin);
void admin_stop(struct admin **admin);

/* 0 when the service at this address and port is ready, else 1. */
int admin_healthcheck(const char *bind_address, uint16_t port);

#endif
