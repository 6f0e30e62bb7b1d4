/*
 * topics - creates the three topics and checks them against the settings.
 */
#ifndef PARLEY_PERSISTENCE_TOPICS_H
#define PARLEY_PERSISTENCE_TOPICS_H

#include "persistence-service/settings.h"

/* --init-topics: creates the missing topics; exit code 0, 100 or 111. */
int topics_init(const void *settings);
/* ST_OK, ST_UNAVAILABLE or another fault; ret_why describes it. */
MUST_CHECK enum status topics_check(const struct settings *settings,
                                    unsigned wait_ms, char *ret_why,
                                    size_t why_size);

#endif
