/*
 * settings - what the gateway is told by its environment; settings.def.
 */
#ifndef PARLEY_WEBSOCKET_SETTINGS_H
#define PARLEY_WEBSOCKET_SETTINGS_H

#include "common/service/settings.h"

struct gateway_settings {
#define SETTING(field, environment, kind, ...) SETTING_MEMBER_##kind(field)
#include "websocket-service/settings.def"
#undef SETTING
};

extern const struct settings_table gateway_settings_table;

/* The k and n of "k/n"; false when it is not of that form with k < n. */
bool gateway_shard(const struct gateway_settings *settings, unsigned *ret_shard,
                   unsigned *ret_shards);
/* Whether the shard has this user's events. */
bool gateway_serves_user(const struct gateway_settings *settings,
                         uint64_t user);
/* Checks of more than one value; fits struct service. */
void gateway_settings_check(const void *settings, struct buf *faults);

#endif
