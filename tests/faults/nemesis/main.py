"""main - a run of the nemesis: `make test-faults SEED=n MINUTES=m`.

    --seed N       draws the plan; without it the usual one, and after it those
                   of seeds.txt, which once failed
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
from dataclasses import replace
from pathlib import Path

from nemesis import outages, plan
from nemesis.cluster import Cluster
from nemesis.ledger import Ledger, Pace
from nemesis.nemesis import Nemesis
from nemesis.report import Report, last_line
from support.load import violations
from support.stack import LOGS, ROOT
from support.wait import NotInTime

SEED, MINUTES = 1, 2.0
SEEDS = Path(__file__).resolve().parents[1] / "seeds.txt"
REPLAYED_MAX, REPLAY_MINUTES = 3, 1.0
ACCEPTED_SHARE_MIN = 0.9  # of what is sent; the rest was refused and said so
LONG_RUN_MINUTES, LONG_DRAIN_S = 10, 900
# MariaDB's disk: what it takes empty, and each message with its indexes; InnoDB
# takes more at a time than it needs.
DISK_MIB, ROW_BYTES, ROOM = 640, 600, 2
LEFT_MIB = 16  # with less it was full by itself, and shows nothing
# Seconds that MariaDB is away, Kafka is away, the disk is full.
OUTAGES = {"none": None, "short": (10, 10, 10), "full": (60, 30, 30)}
STOP_S = 60
LONG_TEXT = 4000  # fills memory and disk soonest


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make test-faults", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--rate", type=int, default=Pace.rate)
    parser.add_argument("--outages", choices=OUTAGES)
    parser.add_argument("--plan", action="store_true")
    return parser.parse_args()


def failed_seeds() -> list[int]:
    """The first word of each line that is no comment."""
    lines = [line.split("#")[0].split() for line in SEEDS.read_text().splitlines()]
    return [int(words[0]) for words in lines if words]


class Run:
    def __init__(self, seed: int, minutes: float, pace: Pace, outages_s: tuple | None):
        self.seed, self.minutes, self.outages_s = seed, minutes, outages_s
        self.pace = replace(pace, seconds=int(minutes * 60),
                            drain=pace.drain if minutes < LONG_RUN_MINUTES else LONG_DRAIN_S)
        self.logs = LOGS / f"faults-{seed}"
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self.plan = plan.make(seed, minutes)
        self.report = Report(self.logs)

    def disk_mib(self) -> int:
        """Outages last as long again as they do, and some more."""
        outages_s = sum(3 * one for one in self.outages_s or ())
        bytes_s = self.pace.rate * (ROW_BYTES + self.pace.size)
        long_bytes_s = self.pace.rate * (ROW_BYTES + LONG_TEXT)
        needed = self.pace.seconds * bytes_s + outages_s * long_bytes_s
        return DISK_MIB + ROOM * needed // 2**20

    def go(self) -> Report:
        self.report.say(f"seed {self.seed}, {self.minutes:g} minutes, "
                        f"{plan.kill_count(self.plan)} kills among {len(self.plan)} faults:")
        self.report.say("\n".join(str(fault) for fault in self.plan))
        (self.logs / "plan.txt").write_text("".join(f"{fault}\n" for fault in self.plan))
        cluster = Cluster(self.logs, self.disk_mib())
        try:
            cluster.up()
            self.report.tell_time("the cluster is up")
            if self.plan:
                self.break_things(cluster)
            self.take_servers_away(cluster)
            self.report.check("MariaDB's disk was large enough", cluster.disk.why_not
                              or cluster.disk.left_mib() >= LEFT_MIB)
        finally:
            cluster.down()
            self.report.tell_time("the cluster is down")
            self.report.check("no service ended by itself", not cluster.unexpected_deaths(),
                              "; ".join(cluster.unexpected_deaths()))
            self.report.write(seed=self.seed, minutes=self.minutes)
            if self.report.failed:
                self.report.say(f"kept in {self.logs.relative_to(ROOT)}; again: make test-faults "
                                f"SEED={self.seed} MINUTES={self.minutes:g}; a seed that found "
                                f"something goes into {SEEDS.relative_to(ROOT)}")
        return self.report

    def break_things(self, cluster: Cluster) -> None:
        nemesis = Nemesis(cluster, self.plan, self.report.say)
        thread = threading.Thread(target=nemesis.run, daemon=True)
        with Ledger(cluster, self.pace, self.seed, "ledger") as ledger:
            try:
                ledger.wait_sending()
                self.report.say("\nit begins")
                thread.start()
                thread.join()
                self.judge(cluster, nemesis, ledger)
            finally:
                nemesis.stop()
                if thread.ident:
                    thread.join(timeout=STOP_S)

    def judge(self, cluster: Cluster, nemesis: Nemesis, ledger: Ledger) -> None:
        check = self.report.check
        self.report.say()
        for kind, why in nemesis.skipped.items():
            self.report.say(f"SKIPPED: {kind}: {why}")
        check("all that was broken could be broken and mended", not nemesis.trouble,
              "; ".join(nemesis.trouble))
        try:
            cluster.wait_ready()
            waiting = ""
        except NotInTime as late:
            waiting = str(late)
        check("all services are ready again", not waiting, waiting)
        result = ledger.result()
        self.report.tell_time("judged")
        bad = violations(result)
        self.report.say(ledger.table())
        check(f"{result.get('accepted', 0)} accepted: none lost, doubled, misordered, "
              "misrouted", not bad, bad)
        wanted = int(0.8 * plan.kill_count(self.plan))
        check(f"{nemesis.kills} kills, {wanted} wanted", nemesis.kills >= wanted)
        sent, accepted = result.get("sent", 0), result.get("accepted", 0)
        check(f"{accepted} of {sent} sends accepted in the end, "
              f"{ACCEPTED_SHARE_MIN:.0%} wanted", accepted >= ACCEPTED_SHARE_MIN * sent > 0)
        self.report.figures |= {"kills": nemesis.kills, "faults": nemesis.done,
                                "accepted": accepted, "ledger": result}

    def take_servers_away(self, cluster: Cluster) -> None:
        if not self.outages_s:
            return
        mariadb_s, kafka_s, disk_s = self.outages_s
        long_texts = replace(self.pace, size=LONG_TEXT)
        outages.mariadb_away(cluster, self.pace, mariadb_s, self.seed, self.report)
        outages.kafka_away(cluster, long_texts, kafka_s, self.seed, self.report)
        outages.disk_full(cluster, long_texts, disk_s, self.seed, self.report)


def main() -> int:
    chosen = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    seed = SEED if chosen.seed is None else chosen.seed
    if chosen.plan:
        print(*plan.make(seed, chosen.minutes), sep="\n")
        return 0
    pace = Pace(rate=chosen.rate)
    which = chosen.outages or ("full" if chosen.minutes >= LONG_RUN_MINUTES else "short")
    reports = [Run(seed, chosen.minutes, pace, OUTAGES[which]).go()]
    if chosen.seed is None:
        for failed in failed_seeds()[:REPLAYED_MAX]:
            reports.append(Run(failed, REPLAY_MINUTES, pace, None).go())
    failures = sum(report.failed for report in reports)
    last_line(sum(len(report.checks) for report in reports) - failures, failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
