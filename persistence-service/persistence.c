#include "persistence-service/persistence.h"

#include "common/base/mem.h"
#include "common/io/sql/sql.h"
#include "common/service/clock_watch.h"
#include "common/service/log.h"
#include "common/service/slow_turn.h"
#include "persistence-service/outbox_publisher.h"
#include "persistence-service/persistence_metrics.h"
#include "persistence-service/rest/api.h"
#include "persistence-service/rest/deleted_users.h"
#include "persistence-service/save/query_worker.h"
#include "persistence-service/save/saver.h"

#include <errno.h>
#include <string.h>

struct persistence {
	struct saver *saver;
	struct turn_watch saver_turns;
	struct query_worker *queries;
	struct outbox_publisher *outbox_publisher;
	struct api *api;
	struct deleted_users *deleted_users;
};

enum status persistence_start(const void *context, void **ret_state)
{
	const struct settings *settings = context;
	struct persistence *p = mem_new(sizeof(*p));
	enum status status;

	turn_watch_start(&p->saver_turns, settings->turn_max_ms, 0);
	*ret_state = p; /* persistence_stop() stops a half-started one, too */
	clock_watch_start();
	persistence_metrics_start();
	sql_library_start();
	status = outbox_publisher_start(settings, &p->outbox_publisher);
	if (status != ST_OK)
		return status;
	status = api_start(settings, p->outbox_publisher, &p->api);
	if (status != ST_OK) {
		log_event(LOG_ERROR, "service.port_taken",
		          F_NUMBER("port", settings->port),
		          F_TEXT("why", strerror(errno)));
		return status;
	}
	log_event(LOG_INFO, "api.listening", F_NUMBER("port", settings->port));
	p->deleted_users = deleted_users_start(settings, p->outbox_publisher);
	status = query_worker_start(settings, &p->queries);
	if (status == ST_OK)
		p->saver =
			saver_create(settings, p->queries, p->outbox_publisher);
	return status;
}

enum status persistence_step(void *state)
{
	struct persistence *p = state;

	turn_watch_begin(&p->saver_turns, 0);
	api_update_metrics(p->api);
	saver_step(p->saver);
	slow_turn_end("saver", &p->saver_turns);
	return ST_OK;
}

/* The REST API keeps answering while the last batch is saved. */
void persistence_drain(void *state)
{
	saver_drain(((struct persistence *)state)->saver);
}

bool persistence_drained(void *state)
{
	return saver_drained(((struct persistence *)state)->saver);
}

/* The outbox publisher stops last: it sends the events of the last requests. */
void persistence_stop(void **state)
{
	struct persistence *p = *state;

	saver_destroy(&p->saver);
	query_worker_stop(&p->queries);
	api_stop(&p->api);
	deleted_users_stop(&p->deleted_users);
	outbox_publisher_stop(&p->outbox_publisher);
	mem_free(state);
}
