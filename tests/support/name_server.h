/*
 * name_server - answers getaddrinfo() for each name that ends with ".test", in
 * place of a name server. Link with --wrap=getaddrinfo.
 *
 * Threads    a look-up runs on any thread; the test calls these functions on
 *            one.
 */
#ifndef PARLEY_TESTS_SUPPORT_NAME_SERVER_H
#define PARLEY_TESTS_SUPPORT_NAME_SERVER_H

/* Look-ups wait from now on, also at the start. */
void name_server_hangs(void);
/*
 * Look-ups get these addresses from now on, also those that wait. `second` may
 * be NULL; when both are, the name server fails.
 */
void name_server_says(const char *first, const char *second);

#endif
