/*
 * Any environment and any secret file: each value is within its range, or has
 * its default and a fault line. No line contains a secret. The lines of the
 * input are the number, the text and the secret; the rest is the secret file.
 */
#define _GNU_SOURCE /* memmem, memfd_create */
#include "common/base/mem.h"
#include "common/service/settings.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	FAULTS_MAX = 64 * 1024,
	INPUT_MAX = 64 * 1024,
	SECRET_MIN = 8,
	SECRET_MAX = 512,
	VARIABLES = 4,
};

struct values {
	uint64_t number;
	const char *text;
	const char *secret;
	const char *filed;
};

static const struct setting rows[] = {
	{"FUZZ_NUMBER", SETTING_NUMBER, "7", 5, 65535, "items", "Many.",
         offsetof(struct values, number)},
	{"FUZZ_TEXT", SETTING_TEXT, "four", 4, 16, "host:port,…", "What.",
         offsetof(struct values, text)},
	{"FUZZ_SECRET", SETTING_SECRET, "whispered", SECRET_MIN, SECRET_MAX,
         "text", "Whispered.", offsetof(struct values, secret)},
	{"FUZZ_FILED", SETTING_SECRET, NULL, SECRET_MIN, SECRET_MAX, "text",
         "Locked away.", offsetof(struct values, filed)},
};
static const struct settings_table table = {rows, ARRAY_LEN(rows)};

/* setenv() would leak each value. */
static void set(const char *name, struct span value)
{
	static char *kept[VARIABLES];
	static unsigned next;
	char **place = &kept[next++ % VARIABLES];
	struct buf text = BUF(INPUT_MAX);

	(void)unsetenv(name);
	mem_free(place);
	buf_format(&text, "%s=", name);
	buf_append(&text, value);
	(void)buf_text(&text);
	*place = text.data; /* set() comes to each variable in turn */
	(void)putenv(*place);
}

/* A private file. */
static int set_file(const char *name, struct span content)
{
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0);
	must(write(fd, content.data, content.len) == (ssize_t)content.len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	set(name, span_of(path));
	return fd;
}

static bool has(struct span text, struct span part)
{
	return text.len && memmem(text.data, text.len, part.data, part.len);
}

/*
 * Shorter secrets may be part of a fault line by chance. The line of a bad
 * number or text quotes it.
 */
static void must_not_have(const struct buf *faults, struct span number,
                          struct span text, struct span secret)
{
	if (span_starts(secret, SPAN("~secret~")) &&
	    !has(number, SPAN("~secret~")) && !has(text, SPAN("~secret~")))
		must(!has(buf_span(faults), secret));
}

static bool fits(const char *text, size_t min, size_t max)
{
	size_t len = strlen(text);

	return len >= min && len <= max;
}

static void check(const struct values *values)
{
	must(values->number >= 5 && values->number <= 65535);
	must(fits(values->text, 4, 16));
	must(fits(values->secret, SECRET_MIN, SECRET_MAX));
	must(fits(values->filed, SECRET_MIN, SECRET_MAX));
}

/* Frees the copies, which otherwise live until the process ends. */
static void free_copy(const char **text, const struct setting *row)
{
	if (**text && *text != row->preset)
		mem_free(text);
}

static void free_copies(struct values *values)
{
	free_copy(&values->text, &rows[1]);
	free_copy(&values->secret, &rows[2]);
	free_copy(&values->filed, &rows[3]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf faults CLEANUP(buf_free) = BUF(FAULTS_MAX);
	struct values values = {0};
	struct span rest = span_make(data, size);
	struct span number;
	struct span text;
	struct span secret;
	enum status status;
	int fd;

	number = span_cut(rest, '\n', &rest);
	set("FUZZ_NUMBER", number);
	text = span_cut(rest, '\n', &rest);
	set("FUZZ_TEXT", text);
	secret = span_cut(rest, '\n', &rest);
	set("FUZZ_SECRET", secret);
	fd = set_file("FUZZ_FILED_FILE", rest);
	status = settings_load(&table, &values, &faults);
	must((status == ST_OK) == (faults.len == 0));
	must(!buf_overflowed(&faults));
	must_not_have(&faults, number, text, rest);
	must_not_have(&faults, number, text, secret);
	if (status == ST_OK)
		check(&values);
	free_copies(&values);
	(void)close(fd);
	return 0;
}
