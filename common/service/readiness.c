#include "common/service/readiness.h"
#include "common/base/json_write.h"
#include "common/service/log.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

enum { PARTS_MAX = 8 };

struct part {
	const char *name;
	bool up;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct part parts[PARTS_MAX];
static unsigned part_count;
static bool serving;

static struct part *part_named(const char *name, bool *ret_new)
{
	*ret_new = false;
	for (unsigned i = 0; i < part_count; i++) {
		if (!strcmp(parts[i].name, name))
			return &parts[i];
	}
	assert(part_count < PARTS_MAX);
	*ret_new = true;
	parts[part_count] = (struct part){.name = name};
	return &parts[part_count++];
}

void service_part(const char *name, bool up, const char *why)
{
	struct part *part;
	bool changed;

	(void)pthread_mutex_lock(&lock);
	part = part_named(name, &changed);
	changed = part->up != up || (changed && !up && why);
	part->up = up;
	(void)pthread_mutex_unlock(&lock);
	if (!changed)
		return;
	if (up)
		log_event(LOG_INFO, "dependency.up", F_TEXT("part", name));
	else
		log_event(LOG_WARN, "dependency.down", F_TEXT("part", name),
		          F_TEXT("why", why ? why : ""));
}

void readiness_set_serving(bool now)
{
	(void)pthread_mutex_lock(&lock);
	serving = now;
	(void)pthread_mutex_unlock(&lock);
}

bool readiness_write(struct buf *ret_json)
{
	struct json_writer w = json_writer(ret_json);
	bool ready;

	(void)pthread_mutex_lock(&lock);
	ready = serving;
	for (unsigned i = 0; i < part_count; i++)
		ready = ready && parts[i].up;
	json_open(&w);
	json_bool(&w, "ready", ready);
	json_open_object(&w, "parts");
	for (unsigned i = 0; i < part_count; i++)
		json_text(&w, parts[i].name,
		          parts[i].up ? SPAN("up") : SPAN("down"));
	json_close(&w);
	json_close(&w);
	(void)pthread_mutex_unlock(&lock);
	return ready;
}
