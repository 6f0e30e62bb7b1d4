#include "common/service/service.h"
#include "identity-service/identity.h"
#include "identity-service/rotate_key.h"
#include "identity-service/settings.h"

static struct identity_settings settings;

static const struct service_option options[] = {
	{"--rotate-key",
         "makes a new signing key now, and says when it begins to sign",
         rotate_key},
	{0},
};

int main(int argc, char **argv)
{
	const struct service service = {
		.name = "identity-service",
		.purpose = "Registers users, signs them in and looks up "
			   "tokens.",
		.table = &identity_settings_table,
		.settings = &settings,
		.bind_address = &settings.bind_address,
		.admin_port = &settings.admin_port,
		.log_level = &settings.log_level,
		.core_files = &settings.core_files,
		.options = options,
		.check = identity_settings_check,
		.start = identity_start,
		.step = identity_step,
		.drain = identity_drain,
		.drained = identity_drained,
		.stop = identity_stop,
	};

	return service_main(argc, argv, &service);
}
