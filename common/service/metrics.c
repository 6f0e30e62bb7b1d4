#include "common/service/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const uint64_t first_bucket_us = 50;

static struct metric *first;
static struct metric **last = &first;

void metrics_add(struct metric *metric)
{
	metric->next = NULL;
	*last = metric;
	last = &metric->next;
}

void metric_count(struct metric *metric, uint64_t more)
{
	atomic_fetch_add_explicit(&metric->value, more, memory_order_relaxed);
}

void metric_set(struct metric *metric, uint64_t value)
{
	atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

uint64_t metric_value(struct metric *metric)
{
	return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

void metric_observe_us(struct metric *metric, uint64_t us)
{
	unsigned i = 0;

	while (i < METRIC_BUCKETS - 1 && us > first_bucket_us << i)
		i++;
	atomic_fetch_add_explicit(&metric->bucket[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&metric->sum_us, us, memory_order_relaxed);
	metric_count(metric, 1);
}

/* The length of the name without labels, for # HELP. */
static int base_len(const char *name)
{
	return (int)strcspn(name, "{");
}

static bool same_base(const struct metric *a, const struct metric *b)
{
	int len = base_len(a->name);

	return len == base_len(b->name) &&
	       !strncmp(a->name, b->name, (size_t)len);
}

static void write_head(struct buf *text, const struct metric *metric)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	int len = base_len(metric->name);

	buf_format(text, "# HELP %.*s %s\n# TYPE %.*s %s\n", len, metric->name,
	           metric->help, len, metric->name, types[metric->kind]);
}

/* Labels of a histogram join `le`: name{a="b"} → name_bucket{a="b",le="…"}. */
static void write_histogram(struct buf *text, struct metric *metric)
{
	int len = base_len(metric->name);
	const char *labels = metric->name + len;
	int labels_len = *labels ? (int)strlen(labels) - 2 : 0;
	const char *comma = labels_len ? "," : "";
	uint64_t sum = 0;

	if (labels_len)
		labels++;
	for (unsigned i = 0; i < METRIC_BUCKETS; i++) {
		char le[32] = "+Inf";

		sum += atomic_load(&metric->bucket[i]);
		if (i < METRIC_BUCKETS - 1)
			(void)snprintf(le, sizeof(le), "%g",
			               (double)(first_bucket_us << i) / 1e6);
		buf_format(text, "%.*s_bucket{%.*s%sle=\"%s\"} %llu\n", len,
		           metric->name, labels_len, labels, comma, le,
		           (unsigned long long)sum);
	}
	buf_format(text, "%.*s_sum%s %.6f\n%.*s_count%s %llu\n", len,
	           metric->name, metric->name + len,
	           (double)atomic_load(&metric->sum_us) / 1e6, len,
	           metric->name, metric->name + len, (unsigned long long)sum);
}

static unsigned open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	if (!folder)
		return 0;
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count > 3 ? count - 3 : 0; /* ".", ".." and the folder itself */
}

static unsigned long long resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long total = 0;
	unsigned long long resident = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &total, &resident) != 2)
		resident = 0;
	(void)fclose(file);
	return resident * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static void write_process(struct buf *text)
{
	struct rusage use;

	(void)getrusage(RUSAGE_SELF, &use);
	buf_format(
		text,
		"# HELP process_resident_memory_bytes Resident memory\n"
		"# TYPE process_resident_memory_bytes gauge\n"
		"process_resident_memory_bytes %llu\n"
		"# HELP process_cpu_seconds_total User and system time\n"
		"# TYPE process_cpu_seconds_total counter\n"
		"process_cpu_seconds_total %.6f\n"
		"# HELP process_open_fds Open file descriptors\n"
		"# TYPE process_open_fds gauge\n"
		"process_open_fds %u\n",
		resident_bytes(),
		(double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
			(double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) /
				1e6,
		open_files());
}

void metrics_write(struct buf *ret_text)
{
	const struct metric *before = NULL;

	for (struct metric *m = first; m; m = m->next) {
		if (!before || !same_base(before, m))
			write_head(ret_text, m);
		if (m->kind == METRIC_IS_HISTOGRAM)
			write_histogram(ret_text, m);
		else
			buf_format(ret_text, "%s %llu\n", m->name,
			           (unsigned long long)metric_value(m));
		before = m;
	}
	write_process(ret_text);
}
