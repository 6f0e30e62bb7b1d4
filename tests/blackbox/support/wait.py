"""wait - waits until a condition holds, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
STEP_S = 0.02
# A bound on hanging. No test judges by it: a slow machine must never reach it.
HANG_S = 180


class NotInTime(AssertionError):
    pass


def until(what: str, check: Callable[[], T], timeout_s: float = HANG_S) -> T:
    """The first true value of `check`; an exception in `check` counts as false."""
    deadline = time.monotonic() + timeout_s
    while True:
        trouble = None
        try:
            value = check()
            if value:
                return value
        except Exception as error:  # usually a server that has not started yet
            trouble = error
        if time.monotonic() >= deadline:
            why = f": {trouble!r}" if trouble else ""
            raise NotInTime(f"not within {timeout_s:g} s: {what}{why}")
        time.sleep(STEP_S)
