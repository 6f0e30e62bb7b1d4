/*
 * persistence - starts, steps and stops the parts of the service, for
 * service_main().
 */
#ifndef PARLEY_PERSISTENCE_PERSISTENCE_H
#define PARLEY_PERSISTENCE_PERSISTENCE_H

#include "common/base/scope.h"
#include "common/base/status.h"

#include <stdbool.h>

enum status persistence_start(const void *settings, void **ret_state);
enum status persistence_step(void *state);
void persistence_drain(void *state);
bool persistence_drained(void *state);
void persistence_stop(void **state);

#endif
