/*
 * seeded_random - random choices that a seed repeats (splitmix64).
 */
#ifndef PARLEY_TESTS_LEDGER_CLIENTS_SEEDED_RANDOM_H
#define PARLEY_TESTS_LEDGER_CLIENTS_SEEDED_RANDOM_H

#include <stdint.h>

/* A number below `below`. `random` is the state, at first the seed. */
uint64_t seeded_random_below(uint64_t *random, uint64_t below);

#endif
