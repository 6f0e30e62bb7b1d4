/*
 * settings - the settings of persistence-service, from settings.def.
 */
#ifndef PARLEY_PERSISTENCE_SETTINGS_H
#define PARLEY_PERSISTENCE_SETTINGS_H

#include "common/io/kafka/kafka.h"
#include "common/io/sql/sql.h"
#include "common/service/settings.h"

struct settings {
#define SETTING(field, environment, kind, preset, min, max, unit, meaning) \
	SETTING_MEMBER_##kind(field)
#include "persistence-service/settings.def"
#undef SETTING
};

extern const struct settings_table settings_table;

struct kafka_options settings_kafka(const struct settings *settings);
/* A new connection, not connected yet; the caller destroys it. */
struct sql *settings_sql(const struct settings *settings);
/* PERSISTENCE_INSTANCE, or the host's name. */
const char *settings_instance(const struct settings *settings);

#endif
