"""wait - until something is so, with a deadline. Nothing here sleeps blindly."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
STEP_S = 0.02


class NotInTime(AssertionError):
    pass


def until(what: str, check: Callable[[], T], timeout_s: float = 10) -> T:
    """The first true thing that `check` gives; errors in it count as not yet."""
    deadline = time.monotonic() + timeout_s
    while True:
        trouble = None
        try:
            value = check()
            if value:
                return value
        except Exception as error:  # a server that is not there yet, mostly
            trouble = error
        if time.monotonic() >= deadline:
            why = f": {trouble!r}" if trouble else ""
            raise NotInTime(f"not within {timeout_s:g} s: {what}{why}")
        time.sleep(STEP_S)
