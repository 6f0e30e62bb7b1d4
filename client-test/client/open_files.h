/*
 * open_files - how many sockets and files this process may have open.
 */
#ifndef PARLEY_CLIENT_TEST_CLIENT_OPEN_FILES_H
#define PARLEY_CLIENT_TEST_CLIENT_OPEN_FILES_H

/* Raises the soft limit to the hard one, if the kernel allows it. */
void open_files_raise_limit(void);

#endif
