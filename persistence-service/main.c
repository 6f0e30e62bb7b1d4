#include "common/service/service.h"
#include "persistence-service/persistence.h"
#include "persistence-service/settings.h"
#include "persistence-service/topics.h"

static struct settings settings;

static const struct service_option options[] = {
	{"--init-topics", "creates the Kafka topics that are missing",
         topics_init},
	{0},
};

int main(int argc, char **argv)
{
	struct service service = {
		.name = "persistence-service",
		.purpose =
			"Saves messages and sends their events; serves REST.",
		.table = &settings_table,
		.settings = &settings,
		.bind_address = &settings.bind_address,
		.admin_port = &settings.admin_port,
		.log_level = &settings.log_level,
		.core_files = &settings.core_files,
		.options = options,
		.start = persistence_start,
		.step = persistence_step,
		.drain = persistence_drain,
		.drained = persistence_drained,
		.stop = persistence_stop,
	};

	return service_main(argc, argv, &service);
}
