/*
 * text_check - what a test asserts about a long text, such as JSON.
 */
#ifndef PARLEY_TESTS_SUPPORT_TEXT_CHECK_H
#define PARLEY_TESTS_SUPPORT_TEXT_CHECK_H

void assert_has(const char *text, const char *part);
void assert_not(const char *text, const char *part);
/* How often `part` occurs. */
unsigned occurrences(const char *text, const char *part);

#endif
