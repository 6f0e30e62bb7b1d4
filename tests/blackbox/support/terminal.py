"""terminal - a program on a terminal of 24 rows and 80 columns, and what a person sees."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

ROWS, COLUMNS = 24, 80
ERASE_TO_END = "\x1b[K"


def on_a_terminal() -> None:
    """What a shell on a terminal does before it starts a program. A program that is started in
    the background ignores SIGINT, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """`words` runs in a session of its own; `written` is what it has written so far."""

    def __init__(self, words: list[str], **options):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.written = ""
        self.child = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=on_a_terminal, **options)
        os.close(theirs)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self.ours)

    def type(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def read_until(self, text: str, timeout_s: float) -> bool:
        """False when the program has closed its terminal before."""
        deadline = time.monotonic() + timeout_s
        while text not in self.written:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.ours], [], [], left)[0]:
                raise TimeoutError(f"no {text!r} after {timeout_s:.0f} s in: {self.written}")
            try:
                self.written += os.read(self.ours, 65536).decode("utf-8", "replace")
            except OSError:  # the last program that had it open has closed it
                return False
        return True

    def finish(self, timeout_s: float) -> int:
        """Waits for the end; the exit code."""
        self.read_until("no program writes this", timeout_s)
        return self.child.wait(timeout=timeout_s)

    def screen(self) -> list[str]:
        """The rows of text on a terminal so high that it never scrolls."""
        rows, row, column, at = [""], 0, 0, 0
        while at < len(self.written):
            if self.written.startswith(ERASE_TO_END, at):
                rows[row] = rows[row][:column]
                at += len(ERASE_TO_END)
                continue
            char = self.written[at]
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
