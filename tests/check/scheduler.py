"""scheduler - runs stages side by side, two slots wide, and shares stacks among them.

A stage is a make target. It starts when all that it needs has passed, a slot is
free and its stack is ready; among those that may start, the first of the table is
taken. A stage whose need failed is skipped and counts as failed.
"""

import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from stages import Stage

LOGS = Path("build/test-logs")
SLOTS = 2
HEARTBEAT_S = 30
# Bounds on hanging, far above the times of a slow machine.
HANG_MIN_S, HANG_BUDGETS = 900, 8
STACK_START_S, STACK_STOP_S = 300, 120
# The build variant of a stack's programs, where its name is another.
VARIANTS = {"valgrind": "debug"}
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
# How pytest and tests/check/unit name a test that failed.
NAMED = re.compile(r"^(?:FAILED|ERROR| +failed:) .*$", re.M)
# Printed by support.with_stack --keep when its stack is ready.
READY = re.compile(r"^PARLEY_TEST_STACK=(.+)$", re.M)
NAME_WIDTH = 240


class Job:
    """A make target in a process group of its own, its output in a log file."""

    def __init__(self, target: str, log: Path, env: dict[str, str], **options):
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")} | env
        self.log, self.started = log, time.monotonic()
        with open(log, "wb") as output:
            self.child = subprocess.Popen(
                ["make", "--no-print-directory", target], stdout=output,
                stderr=subprocess.STDOUT, env=environment, start_new_session=True,
                **{"stdin": subprocess.DEVNULL} | options)

    def end(self) -> None:
        """Sends SIGTERM to the process group, then SIGKILL to the processes that are left."""
        for number, wait_s in ((signal.SIGTERM, 60), (signal.SIGKILL, 10)):
            try:
                os.killpg(self.child.pid, number)
            except ProcessLookupError:
                pass
            try:
                self.child.wait(timeout=wait_s)
            except subprocess.TimeoutExpired:
                continue

    def text(self) -> str:
        return self.log.read_text("utf-8", "replace")


class Run:
    """The result of one stage."""

    def __init__(self, stage: Stage):
        self.stage, self.name = stage, stage.name
        self.passed = self.failed = 0
        self.state = "pending"  # then running, done, skipped or left out
        self.why = ""
        self.took_s = 0.0
        self.job: Job | None = None
        self.log = LOGS / f"{stage.name}.log"

    def start(self, env: dict[str, str]) -> None:
        self.state = "running"
        self.job = Job(self.name, self.log, env)

    def wait(self) -> None:
        bound_s = max(HANG_MIN_S, HANG_BUDGETS * self.stage.budget_s)
        try:
            self.job.child.wait(timeout=bound_s)
        except subprocess.TimeoutExpired:
            self.why = f"hung: ended after {bound_s} s"
            self.job.end()

    def finish(self) -> None:
        self.state, self.took_s = "done", time.monotonic() - self.job.started
        code, counts = self.job.child.returncode, COUNTS.findall(self.job.text())
        if counts:
            self.passed, self.failed = (int(number) for number in counts[-1])
        elif not code:
            self.passed = 1
        if (code or self.why) and not self.failed:
            self.failed = 1

    def drop(self, state: str, why: str) -> None:
        self.state, self.why = state, why
        self.failed = 1 if state == "skipped" else 0

    def named(self) -> list[str]:
        """The tests that failed."""
        if self.state != "done" or not self.failed:
            return []
        return [line.strip()[:NAME_WIDTH] for line in NAMED.findall(self.job.text())]

    @property
    def over_budget(self) -> bool:
        return self.took_s > self.stage.budget_s


class SharedStack:
    """The servers and services of one build, up as long as a stage may want them."""

    def __init__(self, build: str, owned: bool):
        self.build, self.owned = build, owned
        self.name = f"shared-{build}" + ("-alone" if owned else "")
        self.address = ""  # set when it is ready
        self.failed = False
        self.log = LOGS / f"{self.name}.log"
        self.job: Job | None = None
        self.stopper: threading.Thread | None = None

    def start(self) -> None:
        variant = VARIANTS.get(self.build, self.build)
        self.job = Job("shared-stack", self.log,
                       {"BLACKBOX_BUILD": f"build/{self.build}", "VARIANT": variant,
                        "STACK_NAME": self.name},
                       stdin=subprocess.PIPE)

    def wait_ready(self) -> None:
        deadline = time.monotonic() + STACK_START_S
        while time.monotonic() < deadline and self.job.child.poll() is None:
            if found := READY.search(self.job.text()):
                self.address = found[1]
                return
            time.sleep(0.1)
        self.failed = True

    def stop(self) -> None:
        """It ends at the end of its input; sanitizers' reports make it fail."""
        self.job.child.stdin.close()
        try:
            self.failed |= self.job.child.wait(timeout=STACK_STOP_S) != 0
        except subprocess.TimeoutExpired:
            self.failed = True
            self.job.end()


class Scheduler:
    """`tell` gets each line of progress as (event, run or stack)."""

    def __init__(self, stages: list[Stage], expected: Callable[[Stage], float],
                 within_s: float | None, tell: Callable):
        self.runs = [Run(stage) for stage in stages]
        self.by_name = {run.name: run for run in self.runs}
        self.stacks = {(stage.stack, stage.owns): SharedStack(stage.stack, stage.owns)
                       for stage in stages if stage.stack}
        self.expected, self.tell = expected, tell
        self.ends: queue.Queue = queue.Queue()
        self.began = time.monotonic()
        self.deadline = None if within_s is None else self.began + within_s

    def go(self) -> None:
        try:
            while self.in_state("pending") or self.in_state("running"):
                self.start_what_may()
                self.wait_for_one()
        finally:
            for run in self.in_state("running"):
                run.job.end()
            self.stop_stacks(list(self.stacks.values()))
            for stack in self.stacks.values():
                if stack.stopper:
                    stack.stopper.join()
                if stack.failed:
                    self.tell("stack failed", stack)

    def in_state(self, state: str) -> list[Run]:
        return [run for run in self.runs if run.state == state]

    # --- starting ---------------------------------------------------------------
    def start_what_may(self) -> None:
        for run in self.in_state("pending"):
            if not self.dropped(run) and self.may_start(run):
                self.start(run)
        wanted = {(run.stage.stack, run.stage.owns)
                  for run in self.in_state("pending") + self.in_state("running")}
        self.stop_stacks([stack for key, stack in self.stacks.items() if key not in wanted])

    def dropped(self, run: Run) -> bool:
        for need in (self.by_name[name] for name in run.stage.needs):
            if need.state == "left out":
                run.drop("left out", f"{need.name} is left out")
            elif need.failed:
                run.drop("skipped", f"{need.name} failed")
        stack = self.stack_of(run.stage)
        if stack and stack.failed and run.state == "pending":
            run.drop("skipped", f"{stack.name} failed")
        left_s = self.deadline and self.deadline - time.monotonic()
        if left_s is not None and run.state == "pending" and self.expected(run.stage) > left_s:
            run.drop("left out", f"takes about {self.expected(run.stage):.0f} s, "
                     f"{max(0, left_s):.0f} s are left")
        if run.state != "pending":
            self.tell("dropped", run)
        return run.state != "pending"

    def may_start(self, run: Run) -> bool:
        stage = run.stage
        if any(self.by_name[name].state != "done" for name in stage.needs):
            return False
        if not self.stack_is_free(stage):
            return False
        taken = sum(other.stage.slots for other in self.in_state("running"))
        return taken + stage.slots <= SLOTS or not taken

    def stack_is_free(self, stage: Stage) -> bool:
        if not stage.stack:
            return True
        stack = self.stack_of(stage)
        if not stack.job:
            stack.start()
            self.in_thread(stack, stack.wait_ready)
        used = any(self.stack_of(run.stage) is stack for run in self.in_state("running"))
        return bool(stack.address) and not (used and stage.owns)

    def stack_of(self, stage: Stage) -> SharedStack | None:
        return self.stacks.get((stage.stack, stage.owns))

    def start(self, run: Run) -> None:
        env = {"PARLEY_TEST_STACK": ""}
        if run.stage.stack:
            env = {"PARLEY_TEST_STACK": self.stack_of(run.stage).address,
                   "BLACKBOX_BUILD": f"build/{run.stage.stack}"}
        run.start(env)
        self.in_thread(run, run.wait)
        self.tell("start", run)

    # --- ends ---------------------------------------------------------------------
    def in_thread(self, what, work: Callable) -> None:
        def body() -> None:
            work()
            self.ends.put(what)

        threading.Thread(target=body, daemon=True).start()

    def wait_for_one(self) -> None:
        if not self.in_state("running") and not any(
                stack.job and not stack.address and not stack.failed
                for stack in self.stacks.values()):
            return
        try:
            ended = self.ends.get(timeout=HEARTBEAT_S)
        except queue.Empty:
            self.tell("heartbeat", None)
            return
        if isinstance(ended, Run):
            ended.finish()
            self.tell("end", ended)

    def stop_stacks(self, stacks: list[SharedStack]) -> None:
        """Beside the stages that still run."""
        for stack in stacks:
            if stack.job and not stack.stopper:
                stack.stopper = threading.Thread(target=stack.stop)
                stack.stopper.start()
