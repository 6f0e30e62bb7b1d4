#include "persistence-service/settings.h"

#include "common/service/log.h"

#include <unistd.h>

enum { SQL_TIMEOUT_S = 5 };

static const struct setting rows[] = {
#define SETTING(...) SETTING_ROW(struct settings, __VA_ARGS__)
#include "persistence-service/settings.def"
#undef SETTING
};

const struct settings_table settings_table = {rows, ARRAY_LEN(rows)};

struct kafka_options settings_kafka(const struct settings *settings)
{
	return (struct kafka_options){
		.brokers = settings->kafka_brokers,
		.client_id = "persistence-service",
		.log = log_kafka,
	};
}

struct sql *settings_sql(const struct settings *settings)
{
	struct sql_options options = {
		.host = settings->mysql_host,
		.port = (uint16_t)settings->mysql_port,
		.user = settings->mysql_user,
		.password = settings->mysql_password,
		.database = settings->database,
		.timeout_s = SQL_TIMEOUT_S,
	};

	return sql_create(&options);
}

const char *settings_instance(const struct settings *settings)
{
	static char host[256];

	if (*settings->instance)
		return settings->instance;
	if (gethostname(host, sizeof(host) - 1))
		return "persistence";
	return host;
}
