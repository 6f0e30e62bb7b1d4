/*
 * identity - the functions of the service that service_main() calls; see
 * common/service/service.h. The main thread reads signing keys and revocations.
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
