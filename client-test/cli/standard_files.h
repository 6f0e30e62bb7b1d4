/*
 * standard_files - stdin, stdout and stderr of a program.
 */
#ifndef PARLEY_CLIENT_TEST_CLI_STANDARD_FILES_H
#define PARLEY_CLIENT_TEST_CLI_STANDARD_FILES_H

#include <stdbool.h>

/*
 * Makes sure that descriptors 0 to 2 are in use, before the program opens
 * anything else: a socket with the number of a closed stdout would get what is
 * printed. A replaced descriptor fails like a closed one.
 */
void standard_files_open(void);
/* Flushes stdout. False if some of the output was lost. */
bool standard_files_flush(void);

#endif
