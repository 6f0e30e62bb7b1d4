/*
 * readiness - the parts that the readiness of a service depends on, for
 * /readyz. service_part() sets them.
 */
#ifndef PARLEY_SERVICE_READINESS_H
#define PARLEY_SERVICE_READINESS_H

#include "common/base/buf.h"

#include <stdbool.h>

/*
 * Sets the state of a part that readiness depends on ("kafka", "mysql"). A
 * service has at most 8 parts; `name` must be a constant. Any thread may call
 * it. Each change is logged once (dependency.up, dependency.down).
 */
void service_part(const char *name, bool up, const char *why);

/* True from the end of start() until a stop is requested. */
void readiness_set_serving(bool now);
/*
 * Appends {"ready":…,"parts":{"kafka":"up",…}}. True when the service is
 * serving and all parts are up.
 */
bool readiness_write(struct buf *ret_json);

#endif
