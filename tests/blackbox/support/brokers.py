"""brokers - a Kafka of three brokers, of which a test may take two away.

The first one is the controller. The offsets of consumer groups and the topics of a test have
three replicas, two of them in sync at least.
"""

import base64
import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from support.stack import LOGS, ROOT, Stack, die_with_parent
from support.wait import until

COUNT = 3
START_S = 240  # a bound on hanging

SETTINGS = """
offsets.topic.num.partitions=4
offsets.topic.replication.factor=3
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=6000
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
num.network.threads=1
num.io.threads=2
background.threads=2
log.cleaner.dedupe.buffer.size=8388608
"""


class Brokers:
    def __init__(self, stack: Stack):
        self.libs = ROOT / (os.environ.get("PARLEY_CACHE_DIR") or ".cache") / "kafka" / "libs"
        self.ports = [stack.free_port() for _ in range(COUNT)]
        self.control = stack.free_port()
        self.folder = stack.run_dir / "brokers"
        self.logs = LOGS / "brokers"
        self.id = base64.urlsafe_b64encode(uuid.UUID(int=uuid.uuid4().int >> 8).bytes)
        self.children: list[subprocess.Popen | None] = [None] * COUNT

    @property
    def addresses(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    # --- start and stop -----------------------------------------------------------
    def __enter__(self) -> "Brokers":
        shutil.rmtree(self.folder, ignore_errors=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            for at in range(COUNT):
                self.write_settings(at)
                self.start(at)
            self.wait_in_sync(COUNT)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for child in self.children:
            if child and child.poll() is None:
                child.kill()
                child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def home(self, at: int) -> Path:
        return self.folder / str(at + 1)

    def write_settings(self, at: int) -> None:
        home = self.home(at)
        home.mkdir(parents=True)
        own = f"PLAINTEXT://127.0.0.1:{self.ports[at]}"
        control = f",CONTROLLER://127.0.0.1:{self.control}" if at == 0 else ""
        lines = {
            "process.roles": "broker,controller" if at == 0 else "broker",
            "node.id": at + 1,
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@127.0.0.1:{self.control}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "listeners": own + control,
            "advertised.listeners": own,
            "log.dirs": home / "logs",
        }
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        (home / "kafka.properties").write_text(text + SETTINGS)
        log4j = (ROOT / "deploy/kafka/log4j.properties").read_text()
        (home / "log4j.properties").write_text(log4j)
        subprocess.run([*self.java(at), "kafka.tools.StorageTool", "format", "-t",
                        self.id.decode().rstrip("="), "-c", home / "kafka.properties"],
                       check=True, stdout=subprocess.DEVNULL)

    def java(self, at: int) -> list[str]:
        return [os.environ.get("PARLEY_JAVA") or "java", "-cp", f"{self.libs}/*",
                "-XX:+UseSerialGC", "-Xmx256m",
                f"-Dlog4j.configuration=file:{self.home(at)}/log4j.properties"]

    def start(self, at: int) -> None:
        with open(self.logs / f"{at + 1}.log", "ab") as said:
            self.children[at] = subprocess.Popen(
                [*self.java(at), "kafka.Kafka", self.home(at) / "kafka.properties"],
                cwd=self.home(at), stdout=said, stderr=said, stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent)

    # --- faults -------------------------------------------------------------------
    def send(self, at: int, number: signal.Signals) -> None:
        self.children[at].send_signal(number)
        if number == signal.SIGKILL:
            self.children[at].wait()

    # --- state --------------------------------------------------------------------
    def wait_in_sync(self, count: int) -> None:
        """Until the controller counts that many brokers, and all partitions have a leader and
        that many replicas in sync."""
        admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{self.ports[0]}"})

        def in_sync() -> bool:
            try:
                seen = admin.list_topics(timeout=5)
            except KafkaException:
                return False
            return len(seen.brokers) == count and all(
                part.leader >= 0 and len(part.isrs) == count
                for topic in seen.topics.values() for part in topic.partitions.values())
        until(f"{count} brokers are in sync", in_sync, START_S)
