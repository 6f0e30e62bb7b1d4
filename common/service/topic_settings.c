#include "common/service/topic_settings.h"
#include "common/service/log.h"

#include <string.h>

void topic_settings_log(struct topic_settings_logged *logged, const char *unfit)
{
	if (!strcmp(unfit, logged->unfit))
		return;
	if (*unfit)
		log_event(LOG_ERROR, "topic.unfit", F_TEXT("why", unfit));
	else
		log_event(LOG_INFO, "topic.fit");
	memcpy(logged->unfit, unfit, strlen(unfit) + 1);
}
