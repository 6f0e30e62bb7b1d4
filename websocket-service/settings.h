/*
 * settings - the gateway's settings, from its environment: see settings.def.
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

/* Reads EVENTS_SHARD, "k/n"; false when it is malformed or k >= n. */
bool gateway_shard(const struct gateway_settings *settings, unsigned *ret_shard,
                   unsigned *ret_shards);
/* Whether the user's events are in the gateway's shard. */
bool gateway_serves_user(const struct gateway_settings *settings,
                         uint64_t user);
/* Checks that involve more than one value; fits struct service. */
void gateway_settings_check(const void *settings, struct buf *faults);

#endif
