#include "common/io/kafka/private.h"

#include "common/base/mem.h"
#include "common/io/host_cache.h"

#include <sys/eventfd.h>
#include <syslog.h>
#include <unistd.h>

/*
 * Log lines go through a queue, so that the polling thread receives them. A
 * handle that is destroyed waits for its threads, so none of these may wait for
 * a name server.
 * Reconnects are fast, so that a recovered broker is used at once. For the same
 * reason a request that nobody answers ends its connection after 10 s; of the
 * requests to brokers none waits that long for anything but the broker itself.
 */
static const struct kafka_setting common_settings[] = {
	{"log.queue", "true"},
	{"log.connection.close", "false"},
	{"socket.nagle.disable", "true"},
	{"socket.keepalive.enable", "true"},
	{"socket.connection.setup.timeout.ms", "5000"},
	{"socket.timeout.ms", "10000"},
	{"reconnect.backoff.ms", "50"},
	{"reconnect.backoff.max.ms", "1000"},
	{"topic.metadata.refresh.fast.interval.ms", "100"},
	{"topic.metadata.propagation.max.ms", "5000"},
	{NULL, NULL},
};

void kafka_sink_log(const struct kafka_sink *sink, int level,
                    const char *facility, const char *text)
{
	if (sink->log)
		sink->log(sink->context, level, facility, text);
}

static void on_log(const rd_kafka_t *handle, int level, const char *facility,
                   const char *text)
{
	kafka_sink_log(rd_kafka_opaque(handle), level, facility, text);
}

static bool set(rd_kafka_conf_t *conf, const struct kafka_sink *sink,
                const char *name, const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) ==
	    RD_KAFKA_CONF_OK)
		return true;
	kafka_sink_log(sink, LOG_ERR, "CONF", why);
	return false;
}

static bool set_all(rd_kafka_conf_t *conf, const struct kafka_sink *sink,
                    const struct kafka_setting *settings)
{
	for (; settings->name; settings++)
		if (!set(conf, sink, settings->name, settings->value))
			return false;
	return true;
}

/* Without a host it frees *ret_found. */
static int resolve(const char *host, const char *service,
                   const struct addrinfo *hints, struct addrinfo **ret_found,
                   void *opaque)
{
	(void)opaque;
	if (host)
		return host_cache_get(host, service, hints, ret_found);
	host_cache_free(*ret_found);
	return 0;
}

rd_kafka_conf_t *kafka_conf_create(const struct kafka_options *options,
                                   struct kafka_sink *sink,
                                   const struct kafka_setting *settings)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	sink->log = options->log;
	sink->context = options->log_context;
	rd_kafka_conf_set_opaque(conf, sink);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_resolve_cb(conf, resolve);
	if (set(conf, sink, "bootstrap.servers", options->brokers) &&
	    set(conf, sink, "client.id", options->client_id) &&
	    set_all(conf, sink, common_settings) &&
	    set_all(conf, sink, settings))
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

rd_kafka_t *kafka_handle_create(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                struct kafka_sink *sink)
{
	char why[256];
	rd_kafka_t *handle = rd_kafka_new(type, conf, why, sizeof(why));

	if (handle)
		return handle;
	rd_kafka_conf_destroy(conf);
	kafka_sink_log(sink, LOG_ERR, "NEW", why);
	return NULL;
}

int kafka_wake_create(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void kafka_wake_watch(int fd, rd_kafka_queue_t *queue)
{
	static const uint64_t one = 1; /* an eventfd takes eight bytes */

	rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof(one));
	(void)eventfd_write(fd, 1);
}

void kafka_wake_clear(int fd)
{
	eventfd_t count;

	(void)eventfd_read(fd, &count);
}

void kafka_wake_signal(int fd)
{
	(void)eventfd_write(fd, 1);
}
