#include "websocket-service/settings.h"
#include "common/base/span.h"
#include "common/wire/event.h"

static const struct setting rows[] = {
#define SETTING(...) SETTING_ROW(struct gateway_settings, __VA_ARGS__)
#include "websocket-service/settings.def"
#undef SETTING
};

const struct settings_table gateway_settings_table = {rows, ARRAY_LEN(rows)};

bool gateway_shard(const struct gateway_settings *settings, unsigned *ret_shard,
                   unsigned *ret_shards)
{
	struct span shards;
	struct span shard =
		span_cut(span_of(settings->events_shard), '/', &shards);
	uint64_t k;
	uint64_t n;

	if (!span_to_u64(shard, 1023, &k) || !span_to_u64(shards, 1024, &n) ||
	    k >= n)
		return false;
	*ret_shard = (unsigned)k;
	*ret_shards = (unsigned)n;
	return true;
}

bool gateway_serves_user(const struct gateway_settings *settings, uint64_t user)
{
	uint32_t partitions = (uint32_t)settings->kafka_partitions;
	unsigned shard;
	unsigned shards;

	return gateway_shard(settings, &shard, &shards) &&
	       event_partition(user, partitions) % shards == shard;
}

void gateway_settings_check(const void *settings, struct buf *faults)
{
	const struct gateway_settings *s = settings;
	unsigned shard;
	unsigned shards;

	if (!gateway_shard(s, &shard, &shards))
		buf_format(faults,
		           "EVENTS_SHARD is '%s', must be k/n with k < n\n",
		           s->events_shard);
	else if (shards > s->kafka_partitions)
		buf_format(faults,
		           "EVENTS_SHARD is '%s', but KAFKA_PARTITIONS is only "
		           "%llu\n",
		           s->events_shard,
		           (unsigned long long)s->kafka_partitions);
	if (s->silent_s <= s->ping_s)
		buf_format(faults,
		           "WEBSOCKET_SILENT_S is %llu, must be more than "
		           "WEBSOCKET_PING_S, %llu\n",
		           (unsigned long long)s->silent_s,
		           (unsigned long long)s->ping_s);
}
