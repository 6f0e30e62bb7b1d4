/*
 * topics - creates the three topics and checks them against the settings.
 */
#ifndef PARLEY_PERSISTENCE_TOPICS_H
#define PARLEY_PERSISTENCE_TOPICS_H

#include "persistence-service/settings.h"

enum { TOPICS_WHY_MAX = 512 };

/* --init-topics: creates the missing topics; exit code 0, 100 or 111. */
int topics_init(const void *settings);
/* As kafka_topics_check(). */
MUST_CHECK enum status topics_check(const struct settings *settings,
                                    unsigned wait_ms,
                                    const char **ret_unchecked,
                                    char ret_why[TOPICS_WHY_MAX]);

#endif
