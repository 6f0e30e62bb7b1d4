"""terminal - a program on a terminal of 24 rows and 80 columns, and what a person sees."""

import fcntl
import os
import pty
import struct
import subprocess
import termios

ROWS, COLUMNS = 24, 80
ERASE_TO_END = "\x1b[K"


def run_on_terminal(words: list[str], timeout_s: float, **options) -> tuple[int, str]:
    """The exit code, and everything that the program wrote to the terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    child = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs,
                             start_new_session=True, **options)
    os.close(theirs)
    written = b""
    try:
        while True:
            try:
                written += os.read(ours, 65536)
            except OSError:  # the last one who had it open has closed it
                break
        return child.wait(timeout=timeout_s), written.decode("utf-8", "replace")
    finally:
        if child.poll() is None:
            child.kill()
        os.close(ours)


def screen(written: str) -> list[str]:
    """The rows that this text leaves on a terminal which never scrolls."""
    rows, row, column, at = [""], 0, 0, 0
    while at < len(written):
        if written.startswith(ERASE_TO_END, at):
            rows[row] = rows[row][:column]
            at += len(ERASE_TO_END)
            continue
        char = written[at]
        at += 1
        if char == "\r":
            column = 0
            continue
        if char == "\n" or column == COLUMNS:
            row, column = row + 1, 0 if column == COLUMNS else column
            rows += [""] * (row + 1 - len(rows))
        if char != "\n":
            rows[row] = rows[row][:column].ljust(column) + char + rows[row][column + 1:]
            column += 1
    return [text.rstrip() for text in rows]
