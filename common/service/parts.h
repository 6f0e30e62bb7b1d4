/*
 * parts - what a service's readiness depends on; see service_part().
 */
#ifndef PARLEY_SERVICE_PARTS_H
#define PARLEY_SERVICE_PARTS_H

#include "common/base/buf.h"

#include <stdbool.h>

/* No request is served before start() is done or after a stop was asked for. */
void parts_started(bool started);
/* True when all is up; {"ready":…,"parts":{"kafka":"up",…}} is appended. */
bool parts_write(struct buf *ret_json);

#endif
