"""outages - stops a server for a while and checks every message.

MariaDB down: the gateways still accept sends, and persistence saves the backlog afterwards.
Kafka down: the gateways accept nothing, do not grow, and accept again afterwards.
MariaDB's disk full: persistence saves nothing, and saves the backlog afterwards.

An outage lasts some seconds, or longer until its checks are done. No check depends on the
speed of the machine; `make bench PARTS=outages` measures how long recovery takes.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from nemesis.cluster import GATEWAYS, Cluster
from nemesis.ledger import Ledger, Pace
from nemesis.report import Report
from support.load import ACCEPTED, SAVED, violations
from support.wait import NotInTime, until

GROWTH_MAX = 64 * 1024 * 1024
STANDSTILL_LINES = 2  # of the ledger's progress, which it prints once a second
LONG_TEXT = 4000
LOOK_S = 0.2
PAGE = os.sysconf("SC_PAGE_SIZE")
KAFKA_REFUSED = "parley_kafka_refused_total"
# A bound on hanging, for each thing that an outage has to show.
SHOWN_S = 300


@dataclass(frozen=True)
class Fault:
    """The functions that begin and end an outage."""

    name: str
    begin: Callable[[], None]
    end: Callable[[], None]


# --- memory -------------------------------------------------------------------------
def resident(cluster: Cluster) -> dict[str, int]:
    """Bytes of each gateway; 0 for one that restarts."""
    return {name: pages(cluster.children[name].child.pid) * PAGE for name in GATEWAYS}


def pages(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1])
    except OSError:
        return 0


class Growth:
    """The largest growth of a gateway in bytes."""

    def __init__(self, cluster: Cluster):
        self.cluster, self.before, self.most = cluster, resident(cluster), 0

    def look(self) -> None:
        now = resident(self.cluster)
        self.most = max(self.most, *(now[name] - self.before[name] for name in GATEWAYS))


# --- one outage -----------------------------------------------------------------------
class Outage:
    """A fault during a run of the ledger."""

    def __init__(self, cluster: Cluster, fault: Fault, ledger: Ledger, lasts_s: float,
                 report: Report):
        self.cluster, self.fault, self.ledger = cluster, fault, ledger
        self.lasts_s, self.report = lasts_s, report
        self.rate = ledger.pace.rate

    def run(self, show: Callable[["Outage"], None]) -> None:
        """`show` checks what must happen while the fault lasts."""
        self.report.say(f"\n{self.fault.name} for {self.lasts_s:g} s or longer")
        self.growth = Growth(self.cluster)
        self.fault.begin()
        try:
            self.wait_end()
            show(self)
        finally:
            self.fault.end()
        self.check_shown("afterwards the services accept and save messages again", self.recovers)

    def wait_end(self) -> None:
        ends = time.monotonic() + self.lasts_s
        while time.monotonic() < ends:
            self.growth.look()
            time.sleep(LOOK_S)

    def recovers(self) -> None:
        self.cluster.wait_ready()
        self.ledger.wait_more(ACCEPTED, self.rate, SHOWN_S)
        self.ledger.wait_more(SAVED, self.rate, SHOWN_S)

    def check(self, what: str, holds: bool, why: str = "") -> None:
        self.report.check(f"{self.fault.name}: {what}", holds, why)

    def check_shown(self, what: str, wait: Callable[[], object]) -> None:
        try:
            wait()
            self.check(what, True)
        except NotInTime as late:
            self.check(what, False, str(late))


def judge_answers(verdict: dict, when: str, report: Report) -> None:
    """The ledger repeats a send until the gateway answers: it accepts or refuses each message."""
    sent, accepted, unknown = (verdict.get(name, 0) for name in ("sent", "accepted", "unknown"))
    report.check(f"{when}: {sent} sent: the gateways answered each", sent and not unknown,
                 f"{unknown} were not answered and are not saved")
    # Only a message to a room may be refused: its sender may have left the room.
    to_users = sent - verdict.get("to_rooms", 0)
    report.check(f"{when}: {accepted} accepted, among them the {to_users} to users",
                 accepted + verdict.get("unanswered_kept", 0) >= to_users > 0)


# --- the outages -----------------------------------------------------------------------
def run(cluster: Cluster, pace: Pace, lasts_s: tuple, seed: int, report: Report) -> None:
    """All three outages, one after the other, during one run of the ledger."""
    cluster.wait_ready()
    # Long texts fill memory and disk fastest.
    pace = replace(pace, size=LONG_TEXT)
    report.say(f"\noutages: {pace.rate} messages of {pace.size} bytes a second")
    with Ledger(cluster, pace, seed, "outages") as ledger:
        ledger.wait_sending()
        ledger.wait_more(SAVED, pace.rate)
        for fault, show, fault_s in zip((server_down(cluster, "mariadb"),
                                         server_down(cluster, "kafka"), disk_full(cluster)),
                                        (accepts_meanwhile, accepts_nothing, saves_nothing),
                                        lasts_s, strict=True):
            if fault:
                Outage(cluster, fault, ledger, fault_s, report).run(show)
            else:
                report.say(f"\nSKIPPED: disk full: no own file system: "
                           f"{cluster.disk.why_not}")
        ledger.stop_sending()
        verdict = ledger.result()
    bad = violations(verdict)
    report.check(f"outages: {verdict.get('accepted', 0)} accepted: all saved, none lost, "
                 "duplicated, misordered, misrouted", not bad, f"{bad}\n{ledger.table()}")
    judge_answers(verdict, "outages", report)
    report.counts["outages"] = verdict


def server_down(cluster: Cluster, program: str) -> Fault:
    return Fault(f"{program} down", lambda: cluster.stack.stop(program),
                 lambda: cluster.stack.start(program))


def disk_full(cluster: Cluster) -> Fault | None:
    if cluster.disk.why_not:
        return None
    return Fault("disk full", cluster.disk.fill, cluster.disk.free)


def accepts_meanwhile(outage: Outage) -> None:
    wanted = outage.rate * 2
    outage.check_shown(f"{wanted} more sends are accepted during the outage",
                       lambda: outage.ledger.wait_more(ACCEPTED, wanted, SHOWN_S))


def accepts_nothing(outage: Outage) -> None:
    """Once every gateway refuses sends, the gateways have reported all of Kafka's confirmations."""
    cluster, ledger = outage.cluster, outage.ledger

    def refused() -> dict[str, float]:
        outage.growth.look()
        return {name: cluster.metric(name, KAFKA_REFUSED) for name in GATEWAYS}

    before = refused()
    outage.check_shown("every gateway tells senders that Kafka did not take their messages",
                       lambda: until("refusals", lambda: all(
                           now > before[name] for name, now in refused().items()), SHOWN_S))
    # The ledger may still have to read what a gateway wrote before.
    outage.check_shown("no more messages are accepted",
                       lambda: ledger.wait_standstill(ACCEPTED, STANDSTILL_LINES, SHOWN_S))
    accepted = ledger.count(ACCEPTED)
    outage.wait_end()
    more = ledger.count(ACCEPTED) - accepted
    outage.check(f"{more} sends accepted in {outage.lasts_s:g} s; none may be", more == 0)
    outage.check(f"the gateways grew by {outage.growth.most / 2**20:.1f} MiB at most, "
                 f"{GROWTH_MAX >> 20} MiB allowed", outage.growth.most <= GROWTH_MAX)


def saves_nothing(outage: Outage) -> None:
    """Without this check the disk may never have been full."""
    outage.check_shown("nothing is saved", lambda: outage.ledger.wait_standstill(
        SAVED, STANDSTILL_LINES, SHOWN_S))
