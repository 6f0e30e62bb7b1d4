/*
 * identity - the service as a whole: what service_main() drives.
 */
#ifndef PARLEY_IDENTITY_IDENTITY_H
#define PARLEY_IDENTITY_IDENTITY_H

#include "common/base/status.h"

#include <stdbool.h>

enum status identity_start(const void *settings, void **ret_state);
enum status identity_step(void *state);
void identity_drain(void *state);
bool identity_drained(void *state);
void identity_stop(void **state);

#endif
