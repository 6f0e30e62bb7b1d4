"""main - a run of the nemesis: `make prove PART=faults SEED=n MINUTES=m`.

    --seed N       draws the plan; without it the usual seed, and after it each of
                   seeds.txt, which once failed
    --minutes M    of nemesis, 2
    --rate R       messages a second
    --outages WHICH  short, full (from ten minutes on) or none: see outages.py
    --plan         prints the plan and ends
"""

import argparse
import shutil
import signal
import sys
import threading
from dataclasses import dataclass

from nemesis import outages, plan
from nemesis.cluster import Cluster
from nemesis.ledger import Ledger, Pace
from nemesis.nemesis import Nemesis
from nemesis.report import Report, last_line
from support.load import SAVED, violations
from support.stack import LOGS, ROOT
from support.wait import NotInTime

SEED, MINUTES = 1, 2.0
SEEDS = ROOT / "tests" / "faults" / "seeds.txt"
REPLAYED_MAX, REPLAY_MINUTES = 3, 1.0
LONG_RUN_MINUTES = 10
# MariaDB's disk: its size without messages, and each message with its indexes. InnoDB
# takes more at a time than it needs, and a slow machine sends for longer.
DISK_MIB, ROW_BYTES, ROOM = 640, 600, 3
LEFT_MIB = 16  # with less it was full by itself, and the run shows nothing
# Seconds that MariaDB is down, that Kafka is down, that the disk is full; at least.
OUTAGES = {"none": None, "short": (10, 10, 10), "full": (60, 30, 30)}
OUTAGE_MORE_S = 60  # of sending, beside each outage
STOP_S = 60


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make prove PART=faults", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--rate", type=int, default=Pace.rate)
    parser.add_argument("--outages", choices=OUTAGES)
    parser.add_argument("--plan", action="store_true")
    return parser.parse_args()


def failed_seeds() -> list[int]:
    """The first word of each line that is not a comment."""
    lines = [line.split("#")[0].split() for line in SEEDS.read_text().splitlines()]
    return [int(words[0]) for words in lines if words]


@dataclass(frozen=True)
class Planned:
    """The faults of one seed."""

    seed: int
    minutes: float

    @property
    def faults(self) -> list[plan.Fault]:
        return plan.make(self.seed, self.minutes)

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.minutes:g} minutes"


class Run:
    """One cluster: some plans in turn, then the outages."""

    def __init__(self, plans: list[Planned], pace: Pace, outages_s: tuple | None):
        self.plans, self.pace, self.outages_s = plans, pace, outages_s
        self.logs = LOGS / f"faults-{plans[0].seed}"
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self.report = Report(self.logs)

    def disk_mib(self) -> int:
        bytes_s = self.pace.rate * (ROW_BYTES + self.pace.size)
        long_bytes_s = self.pace.rate * (ROW_BYTES + outages.LONG_TEXT)
        plans_s = 60 * sum(planned.minutes for planned in self.plans)
        outages_s = sum(3 * one + OUTAGE_MORE_S for one in self.outages_s or ())
        return DISK_MIB + ROOM * int(plans_s * bytes_s + outages_s * long_bytes_s) // 2**20

    def go(self) -> Report:
        cluster = Cluster(self.logs, self.disk_mib())
        try:
            cluster.up()
            self.report.tell_time("the cluster is up")
            for planned in self.plans:
                self.break_things(cluster, planned)
            if self.outages_s:
                outages.run(cluster, self.pace, self.outages_s, self.plans[0].seed, self.report)
                self.report.tell_time("outages judged")
            self.report.check("MariaDB's disk was large enough", cluster.disk.why_not
                              or cluster.disk.left_mib() >= LEFT_MIB)
        finally:
            cluster.down()
            self.report.tell_time("the cluster is down")
            self.report.check("no service ended by itself", not cluster.unexpected_deaths(),
                              "; ".join(cluster.unexpected_deaths()))
            self.report.write(plans=[str(planned) for planned in self.plans])
            if self.report.failed:
                self.report.say(f"logs are in {self.logs.relative_to(ROOT)}; to repeat one plan: "
                                "make prove PART=faults SEED=n MINUTES=m; a seed that found "
                                f"something goes into {SEEDS.relative_to(ROOT)}")
        return self.report

    def break_things(self, cluster: Cluster, planned: Planned) -> None:
        faults = planned.faults
        self.report.say(f"\n{planned}, {plan.kill_count(faults)} kills among "
                        f"{len(faults)} faults:")
        self.report.say("\n".join(str(fault) for fault in faults))
        name = f"{planned.seed}-{planned.minutes:g}"
        (self.logs / f"plan-{name}.txt").write_text("".join(f"{one}\n" for one in faults))
        if not faults:
            return
        nemesis = Nemesis(cluster, faults, self.report.say)
        thread = threading.Thread(target=nemesis.run, daemon=True)
        with Ledger(cluster, self.pace, planned.seed, f"ledger-{name}") as ledger:
            try:
                ledger.wait_sending()
                self.report.say("\nthe faults begin")
                thread.start()
                thread.join()
                self.judge(cluster, nemesis, ledger, str(planned))
            finally:
                nemesis.stop()
                if thread.ident:
                    thread.join(timeout=STOP_S)

    def judge(self, cluster: Cluster, nemesis: Nemesis, ledger: Ledger, when: str) -> None:
        check = self.report.check
        self.report.say()
        for kind, why in nemesis.skipped.items():
            self.report.say(f"SKIPPED: {kind}: {why}")
        check(f"{when}: every fault could begin and end", not nemesis.trouble,
              "; ".join(nemesis.trouble))
        check(f"{when}: all services are ready again, and messages are saved", *recovers(
            cluster, ledger, self.pace.rate))
        ledger.stop_sending()
        verdict = ledger.result()
        self.report.tell_time("judged")
        bad = violations(verdict)
        self.report.say(ledger.table())
        check(f"{when}: {verdict.get('accepted', 0)} accepted: none lost, duplicated, "
              "misordered, misrouted", not bad, bad)
        wanted = plan.kill_count(nemesis.plan)
        check(f"{when}: {nemesis.kills} of {wanted} kills done", nemesis.kills == wanted)
        outages.judge_answers(verdict, when, self.report)
        self.report.counts[when] = {"kills": nemesis.kills, "faults": nemesis.done,
                                    "ledger": verdict}


def recovers(cluster: Cluster, ledger: Ledger, more: int) -> tuple[bool, str]:
    """Whether it does, and what is missing; each wait is a bound on hanging."""
    try:
        cluster.wait_ready()
        ledger.wait_sockets()
        ledger.wait_more(SAVED, more)
    except NotInTime as late:
        return False, str(late)
    return True, ""


def main() -> int:
    chosen = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    seed = SEED if chosen.seed is None else chosen.seed
    if chosen.plan:
        print(*plan.make(seed, chosen.minutes), sep="\n")
        return 0
    plans = [Planned(seed, chosen.minutes)]
    if chosen.seed is None:
        plans += [Planned(failed, REPLAY_MINUTES) for failed in failed_seeds()[:REPLAYED_MAX]]
    which = chosen.outages or ("full" if chosen.minutes >= LONG_RUN_MINUTES else "short")
    report = Run(plans, Pace(rate=chosen.rate), OUTAGES[which]).go()
    last_line(len(report.checks) - report.failed, report.failed)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
