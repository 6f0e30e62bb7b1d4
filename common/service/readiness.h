/*
 * readiness - the parts that the readiness of a service depends on, for
 * /readyz. service_part() sets them.
 */
#ifndef PARLEY_SERVICE_READINESS_H
#define PARLEY_SERVICE_READINESS_H

#include "common/base/buf.h"

#include <stdbool.h>

/*
 * Adds a part that readiness depends on ("kafka", "mysql") before it is tried:
 * it is "unchecked". A service has at most 8 parts; `name` must be a constant.
 */
void service_part_add(const char *name);
/*
 * Sets the state of a part, and why it is down. Any thread may call it. Each
 * change is logged once (dependency.up, dependency.down), also a change of the
 * reason; /readyz names the reason of a part that is down.
 */
void service_part(const char *name, bool up, const char *why);
/*
 * The same for a part that readiness does not depend on: /readyz calls it
 * "degraded" with its reason, and stays 200. True when the state or its reason
 * changed; the caller logs that.
 */
bool service_hint(const char *name, bool up, const char *why);

/* True from the end of start() until a stop is requested. */
void readiness_set_serving(bool now);
/*
 * Appends {"ready":…,"parts":{"kafka":"down",…},"why":{"kafka":"…"}}; without
 * a reason there is no "why". True when the service is serving and all parts
 * of service_part() are up.
 */
bool readiness_write(struct buf *ret_json);

#endif
