#include "client-test/client/session_file.h"
#include "common/base/buf.h"
#include "common/base/json_write.h"
#include "common/base/mem.h"
#include "common/io/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct session_file {
	char *folder, *path, *new_path, *lock_path;
	int lock_fd; /* -1: not held */
};

/* --- the session --------------------------------------------------------- */

static void free_secret(char **secret)
{
	if (*secret)
		mem_wipe(*secret, strlen(*secret));
	mem_free(secret);
}

void saved_session_free(struct saved_session *session)
{
	mem_free(&session->url);
	mem_free(&session->name);
	free_secret(&session->token);
	free_secret(&session->refresh_token);
	*session = (struct saved_session){0};
}

static bool read_text(const struct json *json, const char *name, char **ret)
{
	struct span text;

	if (!json_get_text(json, name, &text) || text.len == 0)
		return false;
	*ret = mem_text(text.data, text.len);
	return true;
}

enum status saved_session_read(struct span text,
                               struct saved_session *ret_session)
{
	struct json *json CLEANUP(json_destroy) = NULL;
	struct saved_session session CLEANUP(saved_session_free) = {0};
	const char *why;

	if (json_parse(text, &json, &why) != ST_OK ||
	    !read_text(json, "url", &session.url) ||
	    !read_text(json, "name", &session.name) ||
	    !json_get_id(json, "user", &session.user) || session.user == 0 ||
	    !read_text(json, "token", &session.token) ||
	    !read_text(json, "refresh_token", &session.refresh_token) ||
	    !json_get_id(json, "refreshed_at_ms", &session.refreshed_at_ms) ||
	    !json_get_id(json, "expires_at_ms", &session.expires_at_ms))
		return ST_INVALID;
	*ret_session = session;
	mem_wipe(&session, sizeof(session)); /* its texts are the caller's */
	return ST_OK;
}

static void write_session(struct buf *out, const struct saved_session *session)
{
	struct json_writer w = json_writer(out);

	json_open(&w);
	json_text(&w, "url", span_of(session->url));
	json_text(&w, "name", span_of(session->name));
	json_number(&w, "user", session->user);
	json_text(&w, "token", span_of(session->token));
	json_text(&w, "refresh_token", span_of(session->refresh_token));
	json_number(&w, "refreshed_at_ms", session->refreshed_at_ms);
	json_number(&w, "expires_at_ms", session->expires_at_ms);
	json_close(&w);
	buf_byte(out, '\n');
}

/* --- the file ------------------------------------------------------------ */

static char *path_in(const char *folder, const char *name)
{
	struct buf path CLEANUP(buf_free) = BUF(SESSION_FILE_MAX);

	buf_format(&path, "%s/%s", folder, name);
	return mem_text(path.data, path.len);
}

struct session_file *session_file_create(const char *folder)
{
	struct session_file *file = mem_new(sizeof(*file));

	file->folder = mem_text(folder, strlen(folder));
	file->path = path_in(folder, "session");
	file->new_path = path_in(folder, "session.new");
	file->lock_path = path_in(folder, "session.lock");
	file->lock_fd = -1;
	return file;
}

void session_file_destroy(struct session_file **file)
{
	if (!*file)
		return;
	session_file_unlock(*file);
	mem_free(&(*file)->folder);
	mem_free(&(*file)->path);
	mem_free(&(*file)->new_path);
	mem_free(&(*file)->lock_path);
	mem_free(file);
}

const char *session_file_path(const struct session_file *file)
{
	return file->path;
}

/* Creates the folder and those above it. */
static bool make_folder(const char *folder)
{
	char *path CLEANUP(mem_free) = mem_text(folder, strlen(folder));

	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		(void)mkdir(path, 0700); /* the last mkdir() tells */
		*at = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

enum status session_file_lock(struct session_file *file)
{
	if (file->lock_fd >= 0)
		return ST_OK;
	if (!make_folder(file->folder))
		return ST_UNAVAILABLE;
	file->lock_fd = open(file->lock_path,
	                     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file->lock_fd < 0)
		return ST_UNAVAILABLE;
	if (flock(file->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return ST_OK;
	int error = errno;

	session_file_unlock(file);
	errno = error;
	return error == EWOULDBLOCK || error == EINTR ? ST_BUSY
	                                              : ST_UNAVAILABLE;
}

void session_file_unlock(struct session_file *file)
{
	if (file->lock_fd >= 0)
		(void)close(file->lock_fd);
	file->lock_fd = -1;
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

enum status session_file_read(const struct session_file *file,
                              struct saved_session *ret_session)
{
	int fd CLEANUP(close_fd) = open(file->path, O_RDONLY | O_CLOEXEC);
	char text[SESSION_FILE_MAX + 1];
	size_t len = 0;
	ssize_t got;
	enum status st;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? ST_NOT_FOUND
		                                           : ST_UNAVAILABLE;
	do {
		got = read(fd, text + len, sizeof(text) - len);
		if (got > 0)
			len += (size_t)got;
	} while ((got > 0 && len < sizeof(text)) ||
	         (got < 0 && errno == EINTR));
	if (got < 0)
		return ST_UNAVAILABLE;
	st = len > SESSION_FILE_MAX
	             ? ST_INVALID
	             : saved_session_read(span_make(text, len), ret_session);
	mem_wipe(text, sizeof(text));
	return st;
}

static bool write_all(int fd, struct span bytes)
{
	while (bytes.len) {
		ssize_t put = write(fd, bytes.data, bytes.len);

		if (put < 0 && errno != EINTR)
			return false;
		if (put > 0)
			bytes = span_make(bytes.data + put,
			                  bytes.len - (size_t)put);
	}
	return true;
}

enum status session_file_write(struct session_file *file,
                               const struct saved_session *session)
{
	struct buf text CLEANUP(buf_free) = BUF(SESSION_FILE_MAX);
	int fd CLEANUP(close_fd) = -1;

	write_session(&text, session);
	if (buf_overflowed(&text)) {
		errno = EFBIG;
		return ST_UNAVAILABLE;
	}
	/* A process that died with the lock may have left one. */
	(void)unlink(file->new_path);
	fd = open(file->new_path,
	          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || !write_all(fd, buf_span(&text)) || fsync(fd) != 0 ||
	    rename(file->new_path, file->path) != 0)
		return ST_UNAVAILABLE;
	return ST_OK;
}

enum status session_file_remove(struct session_file *file)
{
	return unlink(file->path) == 0 || errno == ENOENT ? ST_OK
	                                                  : ST_UNAVAILABLE;
}
