"""ledger - one run of the ledger against a cluster; its files are kept."""

import json
from dataclasses import asdict, dataclass

from nemesis.cluster import Cluster
from support.load import Load


@dataclass(frozen=True)
class Pace:
    """Options of the ledger, by the same names."""

    rate: int = 200
    seconds: int = 3600  # the test ends the run
    users: int = 40
    sockets: int = 2
    peers: int = 6
    groups: int = 8  # groups and channels; joins let them grow past FANOUT_LIST_MAX
    group_size: int = 5
    churn: int = 60
    list_max: int = 5  # the FANOUT_LIST_MAX of the cluster
    receipts: int = 2000
    size: int = 200
    calm: int = 900  # a bound on hanging
    drain: int = 900  # a bound on hanging


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
        """Stops the ledger; returns its verdict when it has drained and judged."""
        verdict = self.verdict(3 * self.pace.drain)
        self.verdict_file.write_text(json.dumps(verdict, indent=2) + "\n")
        return verdict

    def table(self) -> str:
        text = self.log()
        return text[text.rfind("\nledger:") + 1:]
