"""with_stack COMMAND... - runs a command while a stack is up.
with_stack --keep - keeps a stack up until the end of our input.

The command gets the servers' addresses in its environment (Stack.server_env),
PARLEY_URL, and PARLEY_TEST_STACK, with which tests attach to the stack. When
PARLEY_TEST_STACK is set already, that stack is used and none is started. --keep
prints PARLEY_TEST_STACK=… when its stack is ready.

The exit code is that of the command, or not 0 when a sanitizer or valgrind has
reported something.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support import reports, turns
from support.stack import LOGS, SHARED, Stack


@contextmanager
def test_stack(name: str) -> Iterator[Stack]:
    """The shared stack when there is one, otherwise a new one."""
    if shared := os.environ.get(SHARED):
        stack = Stack.attach(shared)
        reports.join(stack.name)
        yield stack
        return
    reports.start(name)  # first, because the stack copies our environment
    stack = Stack(name)
    try:
        yield stack.up()
    finally:
        stack.down()
    reports.check(name, stack.build)
    turns.check_stack(LOGS / f"stack-{name}")


def keep() -> int:
    with test_stack(os.environ.get("STACK_NAME", "kept")) as stack:
        print(f"{SHARED}={stack.address()}", flush=True)
        sys.stdin.read()
    return 0


def run(command: list[str]) -> int:
    with test_stack(Path(command[0]).name) as stack:
        environment = os.environ | stack.server_env() | {SHARED: stack.address()}
        return subprocess.run(command, env=environment).returncode


def main(words: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return keep() if words == ["--keep"] else run(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
