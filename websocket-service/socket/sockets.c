#define _GNU_SOURCE /* accept4 */
#include "websocket-service/socket/sockets.h"
#include "common/base/mem.h"
#include "common/io/http/listener.h"
#include "common/service/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

enum {
	READ_MAX = 16 * 1024, /* bytes from one socket in a turn */
	ACCEPT_BATCH = 64,    /* sockets in a turn */
	BACKLOG = 4096,
	UNSENT_MAX = 256 * 1024, /* bytes for one socket in the kernel */
	NO_DESCRIPTORS_WAIT_MS = 200,
	DESTROY_TURNS = 20,
	FIRST_DESCRIPTORS = 1024, /* that of lws is among them */
	OTHER_DESCRIPTORS = 1024, /* of Kafka, Redis, identity, logs */
};

static const char protocol_name[] = "gateway";

struct sockets {
	struct lws_context *context;
	struct lws_vhost *vhost;
	const struct socket_events *events;
	void *events_context;
	struct uv_loop_s *loop;
	int listen_fd;
	uv_poll_t *acceptor;
	uv_timer_t *retry; /* when the process has run out of descriptors */
};

static struct lws *to_lws(struct socket *socket)
{
	return (struct lws *)(void *)socket;
}

/* The per-session data is the pointer that `opened` returned. */
static int on_event(struct lws *wsi, enum lws_callback_reasons reason,
                    void *session, void *in, size_t len)
{
	void **connection = session;
	struct sockets *sockets;

	switch (reason) {
	case LWS_CALLBACK_RAW_ADOPT:
	case LWS_CALLBACK_RAW_RX:
	case LWS_CALLBACK_RAW_WRITEABLE:
	case LWS_CALLBACK_RAW_CLOSE:
		sockets = lws_context_user(lws_get_context(wsi));
		break;
	default:
		return 0;
	}
	if (reason == LWS_CALLBACK_RAW_ADOPT) {
		*connection = sockets->events->opened(
			sockets->events_context, (struct socket *)(void *)wsi);
		return *connection ? 0 : -1;
	}
	if (!*connection)
		return reason == LWS_CALLBACK_RAW_CLOSE ? 0 : -1;
	if (reason == LWS_CALLBACK_RAW_RX)
		return sockets->events->received(*connection, in, len) ? 0 : -1;
	if (reason == LWS_CALLBACK_RAW_WRITEABLE) {
		sockets->events->writable(*connection);
		return 0;
	}
	sockets->events->closed(*connection);
	*connection = NULL;
	return 0;
}

static void on_log(int level, const char *line)
{
	struct span text = span_of(line);

	while (text.len && text.data[text.len - 1] == '\n')
		text.len--;
	log_event(level == LLL_ERR ? LOG_WARN : LOG_INFO, "libwebsockets",
	          F_SPAN("text", text));
}

static struct lws_context *create_context(struct sockets *sockets)
{
	static const struct lws_protocols protocols[] = {
		{.name = protocol_name,
	         .callback = on_event,
	         .per_session_data_size = sizeof(void *)},
		{0},
	};
	void *loops[] = {sockets->loop};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_LIBUV,
		.foreign_loops = loops,
		.pt_serv_buf_size = READ_MAX,
		.user = sockets,
		.pcontext =
			&sockets->context, /* lws sets it to NULL on destroy */
		.vhost_name = protocol_name,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
	};

	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	return lws_create_context(&info);
}

static void limit_descriptors(uint32_t sockets_max)
{
	rlim_t needed = (rlim_t)sockets_max + OTHER_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur <= needed)
		return;
	limit.rlim_cur = needed;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

enum status sockets_create(struct uv_loop_s *loop, uint32_t sockets_max,
                           const struct socket_events *events, void *context,
                           struct sockets **ret_sockets)
{
	struct sockets *sockets CLEANUP(sockets_destroy) =
		mem_new(sizeof(*sockets));

	sockets->listen_fd = -1;
	sockets->loop = loop;
	sockets->events = events;
	sockets->events_context = context;
	limit_descriptors(sockets_max);
	sockets->context = create_context(sockets);
	if (!sockets->context)
		return ST_BROKEN;
	sockets->vhost = lws_get_vhost_by_name(sockets->context, protocol_name);
	if (!sockets->vhost)
		return ST_BROKEN;
	*ret_sockets = MOVE(sockets);
	return ST_OK;
}

/*
 * By default the kernel buffers megabytes for a peer that does not read, from
 * memory that all sockets share. Bytes in flight do not count as unsent.
 */
static void adopt(struct sockets *sockets, int fd)
{
	int unsent_max = UNSENT_MAX;
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max,
	                 sizeof(unsent_max));
	/* On failure lws has closed the descriptor. */
	(void)lws_adopt_descriptor_vhost(sockets->vhost, LWS_ADOPT_SOCKET,
	                                 (lws_sock_file_fd_type){.sockfd = fd},
	                                 protocol_name, NULL);
}

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer)
{
	struct sockets *sockets = timer->data;

	if (sockets->acceptor)
		(void)uv_poll_start(sockets->acceptor, UV_READABLE,
		                    on_acceptable);
}

/* Without this pause accept4() would spin: the listener stays readable. */
static void wait_for_descriptors(struct sockets *sockets)
{
	log_event(LOG_ERROR, "sockets.no_descriptors",
	          F_TEXT("why", strerror(errno)));
	(void)uv_poll_stop(sockets->acceptor);
	(void)uv_timer_start(sockets->retry, on_retry, NO_DESCRIPTORS_WAIT_MS,
	                     0);
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct sockets *sockets = poll->data;

	(void)status;
	(void)events;
	for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(sockets->listen_fd, NULL, NULL,
		                 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			adopt(sockets, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			wait_for_descriptors(sockets);
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

enum status sockets_listen(struct sockets *sockets, const char *bind_address,
                           uint16_t port)
{
	sockets->listen_fd = listener_open(bind_address, port, BACKLOG);
	if (sockets->listen_fd < 0)
		return ST_UNAVAILABLE;
	sockets->retry = mem_new(sizeof(*sockets->retry));
	sockets->retry->data = sockets;
	(void)uv_timer_init(sockets->loop, sockets->retry);
	sockets->acceptor = mem_new(sizeof(*sockets->acceptor));
	sockets->acceptor->data = sockets;
	(void)uv_poll_init(sockets->loop, sockets->acceptor,
	                   sockets->listen_fd);
	(void)uv_poll_start(sockets->acceptor, UV_READABLE, on_acceptable);
	return ST_OK;
}

static void free_handle(uv_handle_t *handle)
{
	void *memory = handle;

	mem_free(&memory);
}

void sockets_stop_listening(struct sockets *sockets)
{
	if (!sockets->acceptor)
		return;
	uv_close((uv_handle_t *)sockets->acceptor, free_handle);
	uv_close((uv_handle_t *)sockets->retry, free_handle);
	sockets->acceptor = NULL;
	sockets->retry = NULL;
	(void)close(sockets->listen_fd);
	sockets->listen_fd = -1;
}

/* The lowest open descriptors. */
static unsigned list_descriptors(int *fds, unsigned max)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned count = 0;

	while (folder && count < max && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.')
			fds[count++] = (int)strtol(entry->d_name, NULL, 10);
	}
	if (folder)
		(void)closedir(folder);
	return count;
}

/*
 * lws 4.1 closes the descriptor of its event pipe in its first call, and once
 * more when the handle has closed. Until then the number must not go to a new
 * socket of libcurl or hiredis: libuv aborts when that is closed under it. So
 * the numbers that the call has set free are taken, until the process ends.
 */
static void begin_destroying(struct lws_context *context)
{
	int fds[FIRST_DESCRIPTORS];
	unsigned count = list_descriptors(fds, FIRST_DESCRIPTORS);
	int holder = open("/dev/null", O_RDONLY | O_CLOEXEC);

	lws_context_destroy(context);
	for (unsigned i = 0; i < count; i++) {
		if (fcntl(fds[i], F_GETFD) < 0)
			(void)dup3(holder, fds[i], O_CLOEXEC);
	}
	(void)close(holder);
}

/*
 * On a foreign loop this takes two calls. The loop turns in between, so that
 * the handles of lws close.
 */
static void destroy_context(struct sockets *sockets)
{
	if (sockets->context)
		begin_destroying(sockets->context);
	for (unsigned i = 0; i < DESTROY_TURNS && sockets->context; i++)
		(void)uv_run(sockets->loop, UV_RUN_NOWAIT);
	if (sockets->context)
		lws_context_destroy(sockets->context);
}

void sockets_destroy(struct sockets **sockets)
{
	if (!*sockets)
		return;
	sockets_stop_listening(*sockets);
	destroy_context(*sockets);
	mem_free(sockets);
}

bool socket_write(struct socket *socket, struct span bytes)
{
	/* lws does not change raw bytes; its parameter only lacks the const. */
	return lws_write(to_lws(socket), (unsigned char *)(uintptr_t)bytes.data,
	                 bytes.len, LWS_WRITE_RAW) >= 0;
}

bool socket_blocked(struct socket *socket)
{
	return lws_partial_buffered(to_lws(socket));
}

void socket_want_writable(struct socket *socket)
{
	(void)lws_callback_on_writable(to_lws(socket));
}

void socket_pause(struct socket *socket, bool paused)
{
	(void)lws_rx_flow_control(to_lws(socket), !paused);
}

void socket_shutdown(struct socket *socket)
{
	(void)shutdown(lws_get_socket_fd(to_lws(socket)), SHUT_WR);
}

void socket_abort(struct socket *socket)
{
	static const struct linger none = {.l_onoff = 1, .l_linger = 0};
	struct lws *wsi = to_lws(socket);

	/* Otherwise the kernel keeps sending the rest to a peer that does not
	   read. */
	(void)setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_LINGER, &none,
	                 sizeof(none));
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE,
	                LWS_TO_KILL_ASYNC);
	/* Outside its callbacks lws would act on the timeout much later. */
	lws_cancel_service(lws_get_context(wsi));
}
