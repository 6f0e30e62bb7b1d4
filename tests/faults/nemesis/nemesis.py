"""nemesis - carries out a plan at its times, in any state of the programs."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from nemesis import faults
from nemesis.cluster import Cluster
from nemesis.plan import Fault

WORKERS = 8  # faults that are begun or ended at the same time
# A program that is down can't be killed. The kill waits until it is up again.
LATER_S, GIVE_UP_S = 0.2, 300


class Nemesis:
    def __init__(self, cluster: Cluster, plan: list[Fault], say: Callable[[str], None]):
        self.cluster, self.plan, self.say = cluster, plan, say
        self.kills = 0
        self.done = 0
        self.skipped: dict[str, str] = {}  # kind -> why
        self.trouble: list[str] = []  # faults that could not be begun or ended
        self.began = 0.0
        self.stopping = threading.Event()
        self.count = itertools.count()
        self.agenda: list[tuple[float, int, Callable[[], None]]] = []
        self.lock = threading.Lock()
        self.hands = ThreadPoolExecutor(WORKERS, "nemesis")
        self.under_way: list[Future] = []

    def run(self) -> None:
        """Returns when every fault has begun and ended, or after stop()."""
        self.began = time.monotonic()
        for fault in self.plan:
            self.at(fault.at_s, lambda fault=fault: self.do(fault))
        while self.agenda or any(not work.done() for work in self.under_way):
            if self.stopping.is_set() and not self.agenda:
                break
            self.turn()
        self.hands.shutdown(wait=True)

    def turn(self) -> None:
        now = self.now()
        with self.lock:
            due = self.agenda and (self.agenda[0][0] <= now or self.stopping.is_set())
            work = heapq.heappop(self.agenda)[2] if due else None
        if work:
            self.under_way.append(self.hands.submit(work))
        else:
            time.sleep(0.02)

    def now(self) -> float:
        return time.monotonic() - self.began

    def at(self, when_s: float, work: Callable[[], None]) -> None:
        with self.lock:
            heapq.heappush(self.agenda, (when_s, next(self.count), work))

    def do(self, fault: Fault) -> None:
        if self.stopping.is_set():
            return
        try:
            undo = faults.do(self.cluster, fault)
        except faults.NotRunning:
            self.not_running(fault)
            return
        except faults.Skipped as why:
            self.skipped[fault.kind] = str(why)
            self.tell("skipped", fault)
            return
        except Exception as error:  # a fault of the test itself, or a server that does not stop
            self.fail("could not begin", fault, error)
            return
        self.done += 1
        self.kills += fault.kind == "kill"
        self.tell("begun", fault)
        if undo:
            # The begin may have taken a while.
            self.at(self.now() + fault.lasts_s, lambda: self.undo(fault, undo))

    def not_running(self, fault: Fault) -> None:
        if fault.kind != "kill":
            self.tell("not running", fault)
        elif self.now() < fault.at_s + GIVE_UP_S:
            self.at(self.now() + LATER_S, lambda: self.do(fault))
        else:
            self.fail("could not begin", fault, TimeoutError(f"down for {GIVE_UP_S} s"))

    def undo(self, fault: Fault, undo: Callable[[], None]) -> None:
        try:
            undo()
            self.tell("ended", fault)
        except Exception as error:
            self.fail("could not end", fault, error)

    def tell(self, what: str, fault: Fault) -> None:
        self.say(f"{self.now():7.1f} s  {what:<13} {fault.kind} {fault.target}")

    def fail(self, what: str, fault: Fault, error: Exception) -> None:
        self.trouble.append(f"{fault}: {what}: {error!r}")
        self.say(f"{self.now():7.1f} s  {what}: {fault}: {error!r}")

    def stop(self) -> None:
        """Begins no more faults, and ends those that last."""
        self.stopping.set()
