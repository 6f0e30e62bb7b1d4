/*
 * topics - the three topics, and whether they are as the settings say.
 */
#ifndef PARLEY_PERSISTENCE_TOPICS_H
#define PARLEY_PERSISTENCE_TOPICS_H

#include "persistence-service/settings.h"

/* --init-topics: creates what is missing; exit code 0, 100 or 111. */
int topics_init(const void *settings);
/* ST_OK, ST_UNAVAILABLE, or what is wrong with ret_why saying it. */
MUST_CHECK enum status topics_check(const struct settings *settings,
                                    unsigned wait_ms, char *ret_why,
                                    size_t why_size);

#endif
