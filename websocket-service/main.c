/*
 * websocket-service - the gateway between the sockets of clients and Kafka.
 * README.md in this folder describes it.
 */
#include "common/service/service.h"
#include "websocket-service/gateway.h"
#include "websocket-service/settings.h"

int main(int argc, char **argv)
{
	static struct gateway_settings settings;
	static const struct service service = {
		.name = "websocket-service",
		.purpose = "Keeps the sockets of clients and delivers events.",
		.table = &gateway_settings_table,
		.settings = &settings,
		.bind_address = &settings.bind_address,
		.admin_port = &settings.admin_port,
		.log_level = &settings.log_level,
		.core_files = &settings.core_files,
		.check = gateway_settings_check,
		.start = gateway_start,
		.step = gateway_step,
		.drain = gateway_drain,
		.drained = gateway_drained,
		.stop = gateway_stop,
	};

	return service_main(argc, argv, &service);
}
