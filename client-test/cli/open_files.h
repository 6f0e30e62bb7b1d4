/*
 * open_files - the limit of open sockets and files of this process.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_OPEN_FILES_H
#define PARLEY_CLIENT_TEST_CLI_OPEN_FILES_H

/* Raises the soft limit to the hard limit, if the kernel allows it. */
void open_files_raise_limit(void);

#endif
