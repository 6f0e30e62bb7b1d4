"""background - work that a test starts early and waits for later.

Each thread does the work of one stack. Stacks wait most of the time, so two of them share
two cores well.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future


def in_background(work: Callable[..., object], *arguments: object) -> Future:
    """Runs `work` in a thread. The thread does not keep an interrupted run alive."""
    future: Future = Future()

    def run() -> None:
        try:
            future.set_result(work(*arguments))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
