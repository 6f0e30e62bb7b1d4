"""service - an additional process of a service, with its own settings."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from support import reports, turns
from support.stack import Stack, die_with_parent, status_of
from support.wait import HANG_S, until

# Settings that name the port and the admin port of each service.
PREFIX = {"identity-service": "IDENTITY", "websocket-service": "WEBSOCKET",
          "persistence-service": "PERSISTENCE"}


def environment(stack: Stack, **changes: str) -> dict[str, str]:
    """The settings of the stack's services, with these changes."""
    plain = {name: value for name, value in os.environ.items()
             if name in ("PATH", "HOME", "LANG", *reports.OPTIONS)}
    return plain | stack.settings | {name: str(value) for name, value in changes.items()}


def apart(stack: Stack) -> dict[str, str]:
    """Settings for a persistence outside the stack's consumer group. When a member of a
    group ends, no other member gets its partitions before the session timeout (10 s)."""
    topic = stack.make_topic("apart_save")
    return {"KAFKA_TOPIC_SAVE": topic, "PERSISTENCE_GROUP": topic, "PERSISTENCE_INSTANCE": topic}


class Service:
    def __init__(self, stack: Stack, program: str, **changes: str):
        self.prefix = prefix = PREFIX[program]
        self.program, self.binary = program, stack.binary(program)
        own = {f"{prefix}_PORT": stack.free_port(),
               f"{prefix}_ADMIN_PORT": stack.free_port()}
        # A test that sets the instance id wants a member of the stack's group.
        if program == "persistence-service" and "PERSISTENCE_INSTANCE" not in changes:
            own |= apart(stack)
        if program in turns.MEASURED:
            own |= turns.settings(stack.build)
        self.env = environment(stack, **(own | changes))
        self.port = int(self.env[f"{prefix}_PORT"])
        self.admin_port = int(self.env[f"{prefix}_ADMIN_PORT"])
        self.said = Path(tempfile.mkstemp(suffix=".log")[1])
        self.child: subprocess.Popen | None = None

    def start(self) -> "Service":
        with open(self.said, "ab") as said:
            self.child = subprocess.Popen([self.binary], env=self.env, stdout=said,
                                          stderr=said, stdin=subprocess.DEVNULL,
                                          preexec_fn=die_with_parent)
        return self

    def ready(self, timeout_s: float = HANG_S) -> "Service":
        def answered() -> bool:
            assert self.child.poll() is None
            return status_of(self.admin_port, "/readyz") == 200
        try:
            until(f"{self.program} is ready", answered, timeout_s)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.log()[-2000:]}") from None
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def log(self) -> str:
        return self.said.read_text("utf-8", "replace")

    def events(self, name: str) -> list[dict]:
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    def metric(self, name: str) -> float:
        """The sum over all labels."""
        families = text_string_to_metric_families(self.ask_admin("/metrics").text)
        return sum(sample.value for family in families
                   for sample in family.samples if sample.name == name)

    def readiness(self) -> dict:
        return self.ask_admin("/readyz").json()

    def ask_admin(self, path: str) -> httpx.Response:
        return self.ask_port(self.admin_port, path)

    @staticmethod
    def ask_port(port: int, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=HANG_S)

    def stop(self) -> int:
        if self.child.poll() is None:
            self.child.terminate()
        try:
            return self.child.wait(timeout=HANG_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise

    def kill(self) -> None:
        """SIGKILL; start() starts it again."""
        self.child.kill()
        self.child.wait(timeout=HANG_S)

    def check_turns(self) -> None:
        if self.env.get(f"{self.prefix}_TURN_MAX_MS") == str(turns.TURN_MAX_MS):
            turns.check(self.said)

    def __enter__(self) -> "Service":
        return self.start().ready()

    def __exit__(self, *_) -> None:
        try:
            self.stop()
            self.check_turns()
        finally:
            self.said.unlink(missing_ok=True)
