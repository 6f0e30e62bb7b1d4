"""comments - leaves out the comments of a module that have lines of their own.

They are a third of what a browser would load. The line breaks stay, so that an error in a browser
names the line of the source. Comments behind code stay, too: to find those, one must know
strings, templates and regular expressions.

A line of a template, or the end of a comment that begins behind code, could look like such a
comment. The tests compare every module of the site with its source, as TypeScript reads them.
"""

import re

COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*(?:[^*]|\*(?!/))*\*/[ \t]*)$", re.M)


def without_comments(module: bytes) -> bytes:
    return COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), module)
