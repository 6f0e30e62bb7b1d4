#include "common/service/readiness.h"
#include "common/base/json_write.h"
#include "common/base/utf8.h"
#include "common/service/log.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

enum { PARTS_MAX = 8, WHY_MAX = 200 };

struct part {
	const char *name;
	bool tried;
	bool up;
	bool hint;         /* readiness does not depend on it */
	char why[WHY_MAX]; /* unless up */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct part parts[PARTS_MAX];
static unsigned part_count;
static bool serving;

static struct part *part_named(const char *name)
{
	for (unsigned i = 0; i < part_count; i++) {
		if (!strcmp(parts[i].name, name))
			return &parts[i];
	}
	assert(part_count < PARTS_MAX);
	parts[part_count] =
		(struct part){.name = name, .why = "not checked yet"};
	return &parts[part_count++];
}

void service_part_add(const char *name)
{
	(void)pthread_mutex_lock(&lock);
	(void)part_named(name);
	(void)pthread_mutex_unlock(&lock);
}

/* Texts of servers need not be UTF-8, and are cut at WHY_MAX. */
static void copy_why(char to[WHY_MAX], const char *why)
{
	size_t len = strnlen(why, WHY_MAX - 1);

	memcpy(to, why, len);
	to[len] = '\0';
	if (utf8_valid(span_make(to, len)))
		return;
	for (char *c = to; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
}

/* Whether the state or its reason changed. `why` must not be NULL. */
static bool set_part(const char *name, bool hint, bool up, const char *why)
{
	struct part *part;
	char reason[WHY_MAX];
	bool changed;

	copy_why(reason, up ? "" : why);
	(void)pthread_mutex_lock(&lock);
	part = part_named(name);
	changed = !part->tried || part->up != up ||
	          strcmp(part->why, reason) != 0;
	part->tried = true;
	part->hint = hint;
	part->up = up;
	memcpy(part->why, reason, sizeof(reason));
	(void)pthread_mutex_unlock(&lock);
	return changed;
}

void service_part(const char *name, bool up, const char *why)
{
	if (!why)
		why = "";
	if (!set_part(name, false, up, why))
		return;
	if (up)
		log_event(LOG_INFO, "dependency.up", F_TEXT("part", name));
	else
		log_event(LOG_WARN, "dependency.down", F_TEXT("part", name),
		          F_TEXT("why", why));
}

bool service_hint(const char *name, bool up, const char *why)
{
	return set_part(name, true, up, why ? why : "");
}

void readiness_set_serving(bool now)
{
	(void)pthread_mutex_lock(&lock);
	serving = now;
	(void)pthread_mutex_unlock(&lock);
}

static const char *state_of(const struct part *part)
{
	if (part->up)
		return "up";
	if (!part->tried)
		return "unchecked";
	return part->hint ? "degraded" : "down";
}

static void write_reasons(struct json_writer *w)
{
	json_open_object(w, "why");
	for (unsigned i = 0; i < part_count; i++) {
		if (*parts[i].why)
			json_text(w, parts[i].name, span_of(parts[i].why));
	}
	json_close(w);
}

bool readiness_write(struct buf *ret_json)
{
	struct json_writer w = json_writer(ret_json);
	bool ready, reasons = false;

	(void)pthread_mutex_lock(&lock);
	ready = serving;
	for (unsigned i = 0; i < part_count; i++) {
		ready = ready && (parts[i].up || parts[i].hint);
		reasons = reasons || *parts[i].why;
	}
	json_open(&w);
	json_bool(&w, "ready", ready);
	json_open_object(&w, "parts");
	for (unsigned i = 0; i < part_count; i++)
		json_text(&w, parts[i].name, span_of(state_of(&parts[i])));
	json_close(&w);
	if (reasons)
		write_reasons(&w);
	json_close(&w);
	(void)pthread_mutex_unlock(&lock);
	return ready;
}
