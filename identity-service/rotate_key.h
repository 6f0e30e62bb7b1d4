/*
 * rotate_key - --rotate-key: makes a new signing key while instances run.
 */
#ifndef PARLEY_IDENTITY_ROTATE_KEY_H
#define PARLEY_IDENTITY_ROTATE_KEY_H

/* Says when the key signs; the exit code is 0 or 111. */
int rotate_key(const void *settings);

#endif
