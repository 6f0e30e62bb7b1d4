"""nemesis - carries out a plan, at its times, whatever it meets."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from nemesis import faults
from nemesis.cluster import Cluster
from nemesis.plan import Fault

HANDS = 8  # faults that are being done or undone at a time


class Nemesis:
    def __init__(self, cluster: Cluster, plan: list[Fault], say: Callable[[str], None]):
        self.cluster, self.plan, self.say = cluster, plan, say
        self.kills = 0
        self.done = 0
        self.skipped: dict[str, str] = {}  # kind -> why
        self.trouble: list[str] = []  # what could not be done or undone
        self.began = 0.0
        self.stopping = threading.Event()
        self.count = itertools.count()
        self.agenda: list[tuple[float, int, Callable[[], None]]] = []
        self.lock = threading.Lock()
        self.hands = ThreadPoolExecutor(HANDS, "nemesis")
        self.under_way: list[Future] = []

    def run(self) -> None:
        """Returns when all was done and undone, or after stop()."""
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
        except faults.NothingThere:
            self.tell("nothing there", fault)
            return
        except faults.Skipped as why:
            self.skipped[fault.kind] = str(why)
            self.tell("skipped", fault)
            return
        except Exception as error:  # ours, or a server that would not stop
            self.fail("could not be done", fault, error)
            return
        self.done += 1
        self.kills += fault.kind == "kill"
        self.tell("done", fault)
        if undo:
            # To do it may have taken a while.
            self.at(self.now() + fault.lasts_s, lambda: self.undo(fault, undo))

    def undo(self, fault: Fault, undo: Callable[[], None]) -> None:
        try:
            undo()
            self.tell("over", fault)
        except Exception as error:
            self.fail("could not be undone", fault, error)

    def tell(self, what: str, fault: Fault) -> None:
        self.say(f"{self.now():7.1f} s  {what:<13} {fault.kind} {fault.target}")

    def fail(self, what: str, fault: Fault, error: Exception) -> None:
        self.trouble.append(f"{fault}: {what}: {error!r}")
        self.say(f"{self.now():7.1f} s  {what}: {fault}: {error!r}")

    def stop(self) -> None:
        """Nothing new is broken, what is broken is mended now."""
        self.stopping.set()
