"""ledger - one run of the ledger against a cluster; its files are kept."""

import csv
import json
from dataclasses import asdict, dataclass

from nemesis.cluster import Cluster
from support.load import Load


@dataclass(frozen=True)
class Pace:
    """The ledger's options, of the same names."""

    rate: int = 200
    seconds: int = 60
    users: int = 40
    sockets: int = 2
    peers: int = 6
    groups: int = 8  # and channels; with those who come they grow past FANOUT_LIST_MAX
    group_size: int = 5
    churn: int = 60
    list_max: int = 5  # as the cluster has it
    receipts: int = 2000
    size: int = 200
    drain: int = 180


@dataclass(frozen=True)
class Second:
    """One row of the timeline."""

    second: int  # unix time
    sent: int  # for the first time, in this second
    acked: int  # told `accepted` or `saved` in this second, for the first time
    acked_after_5s: int  # of those sent in this second, told within five
    saved: int
    received: int
    retryable_errors: int
    connects: int


class Ledger(Load):
    def __init__(self, cluster: Cluster, pace: Pace, seed: int, name: str):
        self.pace = pace
        self.timeline_file = cluster.logs / f"{name}.csv"
        self.verdict_file = cluster.logs / f"{name}.json"
        super().__init__(cluster.stack, gateways=",".join(cluster.gateway_urls), seed=seed,
                         timeline=self.timeline_file, **asdict(pace))
        self.said.unlink()
        self.said = cluster.logs / f"{name}.log"

    def __exit__(self, *_) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdout.close()

    def result(self) -> dict:
        """Its verdict, once it has drained and judged."""
        verdict = self.verdict(self.pace.seconds + 2 * self.pace.drain + 60)
        self.verdict_file.write_text(json.dumps(verdict, indent=2) + "\n")
        return verdict

    def timeline(self) -> list[Second]:
        with open(self.timeline_file, newline="") as file:
            return [Second(**{name: int(value) for name, value in row.items()})
                    for row in csv.DictReader(file)]

    def table(self) -> str:
        text = self.log()
        return text[text.rfind("\nledger:") + 1:]
