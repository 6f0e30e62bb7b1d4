"""outages - a server is away for a while, and what is promised for that.

MariaDB: sends go on being accepted, and the backlog is saved afterwards.
Kafka: nothing is accepted, gateways do not grow, and all goes on afterwards.
MariaDB's disk is full: as if it were away, though it answers.
Counts are checked; times are told beside what they should be.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from nemesis.cluster import GATEWAYS, Cluster
from nemesis.ledger import Ledger, Pace, Second
from nemesis.report import Report
from support.load import violations

# Until every gateway has met every recipient: identity can't look for one while MariaDB is
# away. The rarest recipient hears from one socket, every three seconds.
WARM_S = 16
AFTER_S = 12  # at least, and as long as it was away
ACCEPTED_SHARE = 0.999
GROWTH_MAX = 64 * 1024 * 1024
ACCEPTED_AGAIN_S = 15
SAVED_AGAIN_S = 10
# A frame that a gateway wrote just before may be read just after.
EDGE_S = 2
LOOK_S = 0.2
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Outage:
    """Unix times: when it was surely away, and when it was surely back."""

    gone: float
    returning: float  # told to start
    back: float  # answers again
    grown: int  # bytes, of the gateway that grew most


def resident(cluster: Cluster) -> dict[str, int]:
    """Bytes of each gateway; 0 of one that is just being started again."""
    return {name: pages(cluster.children[name].child.pid) * PAGE for name in GATEWAYS}


def pages(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1])
    except OSError:
        return 0


@dataclass(frozen=True)
class Fault:
    name: str
    begin: Callable[[], None]
    end: Callable[[], None]


def server_away(cluster: Cluster, program: str) -> Fault:
    return Fault(f"{program} away", lambda: cluster.stack.stop(program),
                 lambda: cluster.stack.start(program))


def take_away(cluster: Cluster, fault: Fault, lasts_s: float) -> Outage:
    before = resident(cluster)
    fault.begin()
    gone, grown = time.time(), 0
    while time.time() < gone + lasts_s:
        now = resident(cluster)
        grown = max(grown, *(now[name] - before[name] for name in GATEWAYS))
        time.sleep(LOOK_S)
    returning = time.time()
    fault.end()
    return Outage(gone, returning, time.time(), grown)


def run(cluster: Cluster, fault: Fault, pace: Pace, lasts_s: float, seed: int,
        report: Report) -> tuple[Outage, list[Second]]:
    report.say(f"\n{fault.name} for {lasts_s:g} s, {pace.rate} messages of {pace.size} bytes "
               "a second")
    cluster.wait_ready()
    pace = replace(pace, seconds=int(WARM_S + lasts_s + max(lasts_s, AFTER_S)))
    with Ledger(cluster, pace, seed, fault.name.replace(" ", "-")) as ledger:
        ledger.wait_sending()
        time.sleep(WARM_S)
        outage = take_away(cluster, fault, lasts_s)
        result = ledger.result()
    bad = violations(result)
    report.check(f"{fault.name}: {result.get('accepted', 0)} accepted, none lost, doubled, "
                 "misordered, misrouted", not bad, f"{bad}\n{ledger.table()}")
    return outage, ledger.timeline()


def total(timeline: list[Second], fits: Callable[[Second], bool], column: str) -> int:
    return sum(getattr(row, column) for row in timeline if fits(row))


def mariadb_away(cluster: Cluster, pace: Pace, lasts_s: float, seed: int,
                 report: Report) -> None:
    fault = server_away(cluster, "mariadb")
    judge_mariadb(*run(cluster, fault, pace, lasts_s, seed, report), report)


def judge_mariadb(outage: Outage, timeline: list[Second], report: Report) -> None:
    def meanwhile(row: Second) -> bool:
        return outage.gone <= row.second <= outage.returning
    sent = total(timeline, meanwhile, "sent")
    accepted = total(timeline, meanwhile, "acked_after_5s")
    report.check(f"mariadb away: {accepted} of {sent} sends accepted within 5 s, "
                 f"{ACCEPTED_SHARE:.1%} wanted", sent and accepted >= ACCEPTED_SHARE * sent)
    drained = drained_at(timeline, outage.returning)
    took = round(drained - outage.returning, 1) if drained else None
    report.figure("mariadb_backlog_drained_s", took,
                  f"backlog saved {took} s after its return; wanted: "
                  f"{2 * (outage.returning - outage.gone):.0f} s")


def drained_at(timeline: list[Second], after: float) -> int | None:
    """The first second in which all that was sent two before is saved."""
    sent: list[int] = []
    sum_sent = sum_saved = 0
    for row in timeline:
        sum_sent += row.sent
        sum_saved += row.saved
        sent.append(sum_sent)
        if row.second > after and sum_saved >= sent[max(0, len(sent) - 3)]:
            return row.second
    return None


def kafka_away(cluster: Cluster, pace: Pace, lasts_s: float, seed: int,
               report: Report) -> None:
    fault = server_away(cluster, "kafka")
    judge_kafka(*run(cluster, fault, pace, lasts_s, seed, report), report)


def judge_kafka(outage: Outage, timeline: list[Second], report: Report) -> None:
    def meanwhile(row: Second) -> bool:
        return outage.gone + EDGE_S <= row.second < outage.returning - 1
    accepted = total(timeline, meanwhile, "acked")
    sent = total(timeline, meanwhile, "sent")
    report.check(f"kafka away: {accepted} of {sent} sends accepted, none wanted",
                 sent and accepted == 0)
    report.check(f"kafka away: gateways grew by {outage.grown / 2**20:.1f} MiB at most, "
                 f"{GROWTH_MAX >> 20} MiB allowed", outage.grown <= GROWTH_MAX)
    again = next((row.second for row in timeline
                  if row.second >= outage.returning and row.acked), None)
    # It may accept before our own question is answered.
    took = round(max(0, again - outage.back), 1) if again else None
    report.figure("kafka_accepted_again_s", took,
                  f"accepting {took} s after it answered, which it did "
                  f"{outage.back - outage.returning:.1f} s after it was told to start; "
                  f"wanted: {ACCEPTED_AGAIN_S} s")


def disk_full(cluster: Cluster, pace: Pace, lasts_s: float, seed: int,
              report: Report) -> None:
    if cluster.disk.why_not:
        report.say(f"\nSKIPPED: disk full: no file system of our own: {cluster.disk.why_not}")
        return
    fault = Fault("disk full", cluster.disk.fill, cluster.disk.free)
    judge_disk(*run(cluster, fault, pace, lasts_s, seed, report), report)


def judge_disk(outage: Outage, timeline: list[Second], report: Report) -> None:
    def meanwhile(row: Second) -> bool:
        return outage.gone <= row.second < outage.returning - 1
    still = [row.second for row in timeline if meanwhile(row) and not row.saved]
    report.check(f"disk full: nothing saved in {len(still)} of "
                 f"{outage.returning - outage.gone:.0f} s", bool(still),
                 "it never got so full that it mattered")
    again = next((row.second for row in timeline
                  if row.second >= outage.returning and row.saved), None)
    took = round(again - outage.returning, 1) if again else None
    report.figure("disk_saved_again_s", took,
                  f"saving {took} s after there was space; wanted: {SAVED_AGAIN_S} s")
