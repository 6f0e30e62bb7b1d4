"""The ledger must see each planted bug, and must find nothing without one. See README.md."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mutants import CHURN, EDITS, MUTANTS, NO_RECEIPTS, ROOMS, Act, Mutant, churning
from support.background import in_background
from support.load import FAULTS, Load, one_line
from support.own_programs import OwnPrograms
from support.stack import LOGS, ROOT, Stack
from tree import Tree

BUILD = ROOT / os.environ.get("PARLEY_BUILD", "build/faults")
TREE, BUILT = ROOT / "build" / "mutants" / "tree", ROOT / "build" / "mutants" / "built"
WORKERS = 2
# The test ends the ledger; the times are bounds on hanging.
LEDGER = {"users": 12, "sockets": 2, "peers": 6, "rate": 200, "seconds": 3600, "drain": 300}
VERDICT_S, READY_S, ALL_S = 900, 240, 3600

pytestmark = pytest.mark.timeout(ALL_S)


@dataclass
class Trial:
    """One run of the ledger: the programs, the settings, and the act during the run."""

    name: str
    build: Future  # yields the folder with the programs
    act: Act
    options: dict[str, object]
    env: dict[str, str]
    own_stack: bool = False
    last: bool = False  # runs after the others with the same settings
    verdict: Future = field(default_factory=Future)


def all_acts(stack: Stack, load: Load) -> None:
    for name in ("offsets_before_transaction", "no_unique_key", "errors_taken_for_saved",
                 "listening_before_positioned", "accepted_before_report"):
        next(mutant for mutant in MUTANTS if mutant.name == name).act(stack, load)


CONTROLS = {
    "lists": (all_acts, {"receipts": 500}, {}),
    "rooms": (all_acts, NO_RECEIPTS, ROOMS),
    "lists, churn": (churning, {"receipts": 500, "calm": 300} | CHURN | EDITS, {}),
    "rooms, churn": (churning, NO_RECEIPTS | CHURN, ROOMS),
}


class TrialWorkers:
    """Each worker thread takes trials from one queue and has one stack at a time.

    A separate thread builds the mutants in advance. A worker keeps its stack for the next
    trial and replaces only the programs that differ. It stops the stack when the next trial
    has other settings or needs its own stack, and when a trial could not finish.
    """

    def __init__(self, trials: list[Trial], mutants: list[Mutant]):
        self.waiting = list(trials)
        self.lock = threading.Lock()
        self.builds = {trial.name: trial.build for trial in trials}
        self.stopping = False
        self.began = time.monotonic()
        self.log = open(LOGS / "mutants.log", "w", buffering=1, encoding="utf-8")
        in_background(self.build_all, mutants)
        for _ in range(WORKERS):
            in_background(self.work)

    def note(self, what: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s  {threading.current_thread().name:<12} "
              f"{what}", file=self.log)

    def build_all(self, mutants: list[Mutant]) -> None:
        tree = None
        for mutant in mutants:
            future = self.builds[mutant.name]
            try:
                tree = tree or Tree(TREE, BUILD)
                future.set_result(tree.build(mutant, BUILT / mutant.name))
                self.note(f"{mutant.name}: built")
            except BaseException as error:
                future.set_exception(error)

    def next(self, env: dict[str, str] | None) -> Trial | None:
        """The next trial; prefers the settings of the running stack, and a finished build."""
        with self.lock:
            if self.stopping or not self.waiting:
                return None
            trial = min(self.waiting, key=lambda one: (
                one.env != env or one.own_stack, one.last, not one.build.done()))
            self.waiting.remove(trial)
            return trial

    def work(self) -> None:
        stack, env = None, None
        while trial := self.next(env):
            try:
                build = trial.build.result()
                if stack and (trial.own_stack or env != trial.env):
                    stack = stack.down()
                if not stack:
                    env = trial.env
                    stack = OwnPrograms(f"mutants-{threading.get_native_id()}", build, env)
                    stack.up()
                    self.note("stack up")
                stack.use(build)
                self.note(f"{trial.name}: begins")
                trial.verdict.set_result(judge(stack, trial, self.note))
                self.note(f"{trial.name}: judged")
                if not trial.own_stack:
                    continue
            except BaseException as error:
                trial.verdict.set_exception(error)
            if stack:
                stack = stack.down()
            env = None
        if stack:
            stack.down()

    def stop(self) -> None:
        with self.lock:
            self.stopping = True


def judge(stack: Stack, trial: Trial, note: Callable[[str], None]) -> dict:
    with Load(stack, **(LEDGER | trial.options)) as ledger:
        ledger.wait_sending()
        trial.act(stack, ledger)
        note(f"{trial.name}: drains")
        ledger.stop_sending()
        verdict = ledger.verdict(VERDICT_S)
    stack.wait_ready(READY_S)
    return verdict


def build_order(mutants: list[Mutant]) -> list[Mutant]:
    """An order of builds in which no worker waits long: the settings alternate."""
    lists = [mutant for mutant in mutants if not mutant.env]
    rooms = [mutant for mutant in mutants if mutant.env]
    pairs = itertools.zip_longest(lists, rooms)
    return [mutant for pair in pairs for mutant in pair if mutant]


def done(folder: Path) -> Future:
    future: Future = Future()
    future.set_result(folder)
    return future


@pytest.fixture(scope="session")
def trials(request: pytest.FixtureRequest) -> Iterator[dict[str, Trial]]:
    """Name -> trial, for the tests that pytest selected; the trials are running."""
    found: dict[str, Trial] = {}
    mutants: list[Mutant] = []
    for item in request.session.items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        if mutant := params.get("mutant"):
            mutants.append(mutant)
            found[mutant.name] = Trial(mutant.name, Future(), mutant.act, mutant.options,
                                       mutant.env, mutant.own_stack)
        elif control := params.get("control"):
            found[control] = Trial(control, done(BUILD), *CONTROLS[control])
    # Controls run first, while mutants are built, and last, to show that no mutant leaves a trace.
    for name in list(CONTROLS)[2:]:
        if name in found:
            found[name].last = True
    workers = TrialWorkers(list(found.values()), build_order(mutants))
    yield found
    workers.stop()


def test_there_are_enough_mutants():
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names) >= 8
    assert all(mutant.faults and mutant.faults <= set(FAULTS) for mutant in MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_ledger_sees_the_mutant(trials: dict[str, Trial], mutant: Mutant):
    verdict = trials[mutant.name].verdict.result(ALL_S)
    seen = {name for name in FAULTS if verdict[name]}
    print(mutant.name, {name: verdict[name] for name in sorted(seen)}, verdict["verdict"])
    assert seen & mutant.faults, f"{mutant.why}: not seen, {verdict}"


@pytest.mark.parametrize("control", CONTROLS)
def test_the_ledger_is_clean_without_a_mutant(trials: dict[str, Trial], control: str):
    """The acts of the trials cause no faults in a correct program."""
    verdict = trials[control].verdict.result(ALL_S)
    assert verdict["verdict"] == "clean", one_line(verdict)
