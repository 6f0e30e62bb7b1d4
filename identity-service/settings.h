/*
 * settings - the settings of identity-service, listed in settings.def.
 */
#ifndef PARLEY_IDENTITY_SETTINGS_H
#define PARLEY_IDENTITY_SETTINGS_H

#include "common/service/settings.h"

struct identity_settings {
#define SETTING(field, environment, kind, ...) SETTING_MEMBER_##kind(field)
#include "identity-service/settings.def"
#undef SETTING
};

extern const struct settings_table identity_settings_table;

#endif
