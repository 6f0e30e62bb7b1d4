"""faults - how each kind of fault begins and ends.

A handler begins a fault and returns the function that ends it, or None.
"""

import itertools
import signal
import threading
from collections.abc import Callable

import redis

from nemesis.cluster import Cluster
from nemesis.plan import Fault
from support.stores import hints
from support.wait import until

Undo = Callable[[], None] | None
STROBE_EVERY_S = 0.25
BACK_S = 300  # a bound on hanging
ENDING = ("kill", "term", "stop", "away")
TOXICS = {"cut": {"cut": True}, "blackhole": {"blackhole": True}}


class NotRunning(Exception):
    """The program is down, because another fault has ended it."""


class Skipped(Exception):
    """This machine does not allow the fault."""


def do(cluster: Cluster, fault: Fault) -> Undo:
    handler = HANDLERS.get(fault.kind, toxic)
    if fault.kind in ENDING and not cluster.is_up(fault.target):
        raise NotRunning
    return handler(cluster, fault)


def toxic(cluster: Cluster, fault: Fault) -> Undo:
    name = str(fault)
    cluster.links.put(fault.target, name, **TOXICS.get(fault.kind, fault.how))
    return lambda: cluster.links.take(fault.target, name)


def kill(cluster: Cluster, fault: Fault) -> Undo:
    if cluster.send(fault.target, signal.SIGKILL) is None:
        raise NotRunning
    return None


def term(cluster: Cluster, fault: Fault) -> Undo:
    if cluster.send(fault.target, signal.SIGTERM) is None:
        raise NotRunning
    return None


def stop(cluster: Cluster, fault: Fault) -> Undo:
    pid = cluster.send(fault.target, signal.SIGSTOP)
    if pid is None:
        raise NotRunning
    return lambda: cluster.resume(fault.target, pid)


def away(cluster: Cluster, fault: Fault) -> Undo:
    cluster.stack.stop(fault.target)
    return lambda: bring_back(cluster, fault.target)


def bring_back(cluster: Cluster, program: str) -> None:
    """A kill may hit the program while it starts: tries again, as supervisord does."""
    def started() -> bool:
        cluster.stack.start(program)
        return True
    until(f"{program} is back", started, BACK_S)


def flushall(cluster: Cluster, fault: Fault) -> Undo:
    try:
        hints(cluster.stack).flushall()
    except redis.RedisError as error:
        raise NotRunning from error
    return None


def disk(cluster: Cluster, fault: Fault) -> Undo:
    if cluster.disk.why_not:
        raise Skipped(f"no file system of its own: {cluster.disk.why_not}")
    cluster.disk.fill()
    return cluster.disk.free


def jump(cluster: Cluster, fault: Fault) -> Undo:
    clock = cluster.clocks[fault.target]
    clock.set(fault.how["by_s"])
    return lambda: clock.set(0)


def strobe(cluster: Cluster, fault: Fault) -> Undo:
    clock, stopping = cluster.clocks[fault.target], threading.Event()
    by_s = fault.how["by_s"]

    def run() -> None:
        for added in itertools.cycle((by_s, 0, -by_s, 0)):
            if stopping.wait(STROBE_EVERY_S):
                break
            clock.set(added)
        clock.set(0)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def undo() -> None:
        stopping.set()
        thread.join()
    return undo


HANDLERS: dict[str, Callable[[Cluster, Fault], Undo]] = {
    "kill": kill, "term": term, "stop": stop, "away": away, "flushall": flushall,
    "disk": disk, "jump": jump, "strobe": strobe,
}
