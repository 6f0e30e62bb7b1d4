"""outages - part (j): the effect of a server's outage on 40 users who send.

The ledger (tests/ledger) sends and judges, as in the fault tests; its timeline, a row for
each second, gives the times. The tests judge what became of each message; here are the
figures that depend on the machine.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import Bench, say
from stack import ROOT, Stack, StackError

for _folder in ("tests/blackbox", "tests/faults"):
    sys.path.insert(0, os.path.join(ROOT, _folder))

from nemesis.disk import Disk  # noqa: E402
from nemesis.timeline import Second, drained_at, first_with, read, total  # noqa: E402
from support.load import Load, violations  # noqa: E402

RATE, USERS, LIST_MAX = 200, 40, 100
SHORT_TEXT, LONG_TEXT = 200, 4000  # bytes; long ones fill the disk soonest
# Until the gateway has looked up every recipient. While MariaDB is down identity can't find
# one, and a send to a user whom the gateway does not know waits until MariaDB is back.
WARM_S = 16
AWAY_S, AFTER_S = 10, 12
LEDGER_S = 3600  # the measurement ends it
VERDICT_S = 600
DISK_MIB = 640


class Bystander:
    """The interface of a stack that the classes of the tests need."""

    def __init__(self, stack: Stack):
        self.stack = stack
        self.url = stack.url("PARLEY_PORT")
        self.run_dir = Path(stack.settings["PARLEY_RUN_DIR"])

    def binary(self, program: str) -> Path:
        return Path(self.stack.build()) / program / Path(program).name

    def stop(self, program: str) -> None:
        self.stack.call("stop", program)

    def start(self, program: str) -> None:
        self.stack.call("start", program)


def outages(bench: Bench) -> dict:
    stack = Bystander(bench.stack)
    timeline = Path(bench.folder) / "outage.csv"
    result = {
        "mariadb": bench.repeat(lambda _: mariadb_down(stack, timeline)),
        "kafka": bench.repeat(lambda _: kafka_down(stack, timeline)),
    }
    disk = Disk(stack, DISK_MIB + (used_bytes(stack.run_dir / "data" / "mariadb") >> 20))
    disk.mount()
    if disk.why_not:
        say(f"(j) skipped: a full disk: no file system of its own: {disk.why_not}")
        return result
    try:
        result["disk"] = bench.repeat(lambda _: disk_full(stack, disk, timeline))
    finally:
        move_back(stack, disk)
    return result


def used_bytes(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))


def move_back(stack: Bystander, disk: Disk) -> None:
    """MariaDB's data leaves the file system that can be full: other parts go on with it."""
    stack.stop("mariadb")
    disk.free()
    aside = disk.place.with_name("mariadb.aside")
    shutil.copytree(disk.place, aside)
    disk.unmount()
    disk.place.rmdir()
    aside.rename(disk.place)
    stack.start("mariadb")


def during(stack: Bystander, timeline: Path, size: int, begin: Callable[[], None],
           end: Callable[[], None]) -> tuple[dict, list[Second]]:
    """One outage under load: its times, and what the ledger saw."""
    with Load(stack, rate=RATE, users=USERS, size=size, list_max=LIST_MAX,
              seconds=LEDGER_S, drain=VERDICT_S // 2,
              timeline=timeline) as ledger:
        ledger.wait_sending()
        time.sleep(WARM_S)
        begin()
        gone = time.time()
        time.sleep(AWAY_S)
        returning = time.time()
        end()
        back = time.time()
        time.sleep(AFTER_S)
        ledger.stop_sending()
        verdict = ledger.verdict(VERDICT_S)
    if bad := violations(verdict):
        say(f"(j) the ledger found: {bad}")
    return {"gone": gone, "returning": returning, "back": back, "clean": not bad}, read(timeline)


def mariadb_down(stack: Bystander, timeline: Path) -> dict:
    say(f"(j) MariaDB down for {AWAY_S} s")
    at, rows = during(stack, timeline, SHORT_TEXT, lambda: stack.stop("mariadb"),
                      lambda: stack.start("mariadb"))

    def meanwhile(row: Second) -> bool:
        return at["gone"] <= row.second <= at["returning"]
    sent = total(rows, meanwhile, "sent")
    accepted = total(rows, meanwhile, "acked_after_5s")
    drained = drained_at(rows, at["returning"])
    if not sent or not drained:
        raise StackError("nothing was sent, or the backlog was not saved")
    return {"clean": at["clean"], "sent": sent, "accepted_percent": 100 * accepted / sent,
            "drained_s": max(0.0, drained - at["returning"])}


def kafka_down(stack: Bystander, timeline: Path) -> dict:
    say(f"(j) Kafka down for {AWAY_S} s")
    at, rows = during(stack, timeline, LONG_TEXT, lambda: stack.stop("kafka"),
                      lambda: stack.start("kafka"))
    again = first_with(rows, at["returning"], "acked")
    if not again:
        raise StackError("nothing was accepted after Kafka was back")
    # The gateway may accept before the stack's own question is answered.
    return {"clean": at["clean"], "accepted_again_s": max(0.0, again - at["back"]),
            "start_s": at["back"] - at["returning"]}


def disk_full(stack: Bystander, disk: Disk, timeline: Path) -> dict:
    say(f"(j) MariaDB's disk full for {AWAY_S} s")
    at, rows = during(stack, timeline, LONG_TEXT, disk.fill, disk.free)
    again = first_with(rows, at["returning"], "saved")
    if not again:
        raise StackError("nothing was saved after there was space")
    return {"clean": at["clean"], "saved_again_s": max(0.0, again - at["returning"])}
