/*
 * parts - what a service's readiness depends on; see service_part().
 */
#ifndef PARLEY_SERVICE_READINESS_H
#define PARLEY_SERVICE_READINESS_H

#include "common/base/buf.h"

#include <stdbool.h>

/* No request is served before start() is done or after a stop was asked for. */
void readiness_set_serving(bool started);
/* True when all is up; {"ready":…,"parts":{"kafka":"up",…}} is appended. */
bool readiness_write(struct buf *ret_json);

#endif
