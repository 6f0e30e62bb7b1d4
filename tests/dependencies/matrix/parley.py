"""parley - a Parley whose services reach Kafka, MariaDB, Redis and identity by name, each through
one link that can be made bad.

deploy/stack starts the servers. Its own services are stopped; those of the test take their ports:

    gateway ─────► kafka.parley.test, redis.parley.test, identity.parley.test
    persistence ─► kafka.parley.test, mysql.parley.test, identity.parley.test
    identity ────► mysql.parley.test

A name leads to 127.0.0.1 or to 127.0.0.2; the proxy listens at both.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from matrix.names import Names
from nemesis.links import Links
from support.service import Service
from support.stack import LOGS, SERVICES, Stack, die_with_parent
from support.wait import HANG_S, until

DEPENDENCIES = ("kafka", "mysql", "redis", "identity")
HOMES = ("127.0.0.1", "127.0.0.2")
# A bound on hanging.
READY_S = 240
# Offsets from the stack's first port.
PROXY, BROKER = 20, 40


def host(dependency: str) -> str:
    return f"{dependency}.parley.test"


class Named(Service):
    """A service of the site, on the port of the stack's own."""

    def __init__(self, parley: "Parley", program: str, **changes: str):
        super().__init__(parley.stack, program, **changes)
        self.names = parley.names
        self.said.unlink()
        self.said = parley.logs / f"{program}.log"
        self.said.unlink(missing_ok=True)  # an earlier run's lines are not judged again

    def start(self) -> "Named":
        with open(self.said, "ab") as said:
            self.child = subprocess.Popen(self.names.command(str(self.binary)), env=self.env,
                                          stdout=said, stderr=said, stdin=subprocess.DEVNULL,
                                          preexec_fn=die_with_parent)
        return self

    def health(self) -> dict:
        """The body of /readyz: ready, parts, why."""
        answer = httpx.get(f"http://127.0.0.1:{self.admin_port}/readyz", trust_env=False,
                           timeout=HANG_S)
        return answer.json()

    def state(self, part: str) -> tuple[str, str]:
        """up, down or degraded, and the reason."""
        health = self.health()
        return health["parts"].get(part, "unknown"), health.get("why", {}).get(part, "")

    def metric(self, name: str) -> float:
        text = httpx.get(f"http://127.0.0.1:{self.admin_port}/metrics", trust_env=False,
                         timeout=HANG_S).text
        values = [line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(values[0])


class Parley:
    def __init__(self, name: str):
        self.stack = Stack(name, others=range(PROXY, BROKER + 1))
        self.base = self.stack.base
        self.logs = LOGS / name
        self.logs.mkdir(parents=True, exist_ok=True)
        self.links = Links()
        self.names: Names | None = None
        self.services: dict[str, Named] = {}
        self.ports = {name: self.base + PROXY + at for at, name in enumerate(DEPENDENCIES)}

    def up(self) -> "Parley":
        try:
            self.stack.up()
            for service in SERVICES:
                self.stack.stop(service)
            self.names = Names(self.logs / "etc", self.base)
            self.names.answers = {host(name): HOMES[0] for name in DEPENDENCIES}
            self.give_kafka_a_name()
            self.links.open({self.link(name, home): (self.ports[name], self.target(name), home)
                             for name in DEPENDENCIES for home in HOMES})
            for name in DEPENDENCIES:
                self.put(name, HOMES[1], refuse=True)
            self.services = {program: self.service(program) for program in SERVICES}
            for service in self.services.values():
                service.start()
            self.wait_ready()
        except BaseException:
            self.down()
            raise
        return self

    def down(self) -> None:
        try:
            started = [service for service in self.services.values() if service.child]
            for service in started:
                service.stop()
            for service in started:
                service.check_turns()
            self.links.close()
            if self.names:
                self.names.close()
        finally:
            self.stack.down()

    # --- addresses --------------------------------------------------------------
    @staticmethod
    def link(name: str, home: str) -> str:
        return f"{name}@{home}"

    def target(self, name: str) -> int:
        return {"kafka": self.base + BROKER, "mysql": self.stack.port("MYSQL_PORT"),
                "redis": self.stack.port("REDIS_PORT"),
                "identity": self.stack.port("IDENTITY_PORT")}[name]

    def give_kafka_a_name(self) -> None:
        """Kafka's clients follow the address that the broker gives them."""
        port, own = self.stack.port("KAFKA_PORT"), f"127.0.0.1:{self.base + BROKER}"
        control = f"CONTROLLER://127.0.0.1:{self.stack.port('KAFKA_CONTROLLER_PORT')}"
        plain = f"PLAINTEXT://127.0.0.1:{port}"
        lines = {
            "listeners": f"{plain},{control},NAMED://{own}",
            "advertised.listeners": f"{plain},NAMED://{host('kafka')}:{self.ports['kafka']}",
            "listener.security.protocol.map":
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,NAMED:PLAINTEXT",
            # A fault may forbid something; all else is allowed.
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "true",
        }
        with open(self.stack.run_dir / "conf" / "kafka.properties", "a") as file:
            file.writelines(f"{name}={value}\n" for name, value in lines.items())
        self.stack.restart("kafka")

    def service(self, program: str) -> Named:
        prefix = program.removesuffix("-service").upper()
        changes = {name: self.stack.port(name) for name in (f"{prefix}_PORT",
                                                            f"{prefix}_ADMIN_PORT")}
        changes |= {"KAFKA_BROKERS": f"{host('kafka')}:{self.ports['kafka']}",
                    "MYSQL_HOST": host("mysql"), "MYSQL_PORT": self.ports["mysql"],
                    "REDIS_HOST": host("redis"), "REDIS_PORT": self.ports["redis"],
                    "IDENTITY_URL": f"http://{host('identity')}:{self.ports['identity']}",
                    "PERSISTENCE_INSTANCE": "matrix"}
        return Named(self, program, **changes)

    @property
    def broker(self) -> str:
        """Kafka, not through a link."""
        return f"127.0.0.1:{self.stack.port('KAFKA_PORT')}"

    @contextmanager
    def beside_the_link(self, program: str) -> Iterator[None]:
        """Starts a service that has been stopped. Until the end no fault of Kafka's link is one
        for it."""
        service = self.services[program]
        named, service.env["KAFKA_BROKERS"] = service.env["KAFKA_BROKERS"], self.broker
        service.start()
        try:
            yield
        finally:
            service.env["KAFKA_BROKERS"] = named
            self.restart(program)

    # --- state --------------------------------------------------------------------
    def put(self, name: str, home: str, **toxics) -> None:
        self.links.put(self.link(name, home), "matrix", **toxics)

    def take(self, name: str, home: str) -> None:
        self.links.take(self.link(name, home), "matrix")

    def all_ready(self) -> bool:
        for program, service in self.services.items():
            assert service.child.poll() is None, f"{program} ended"
            health = service.health()
            if not health["ready"] or set(health["parts"].values()) != {"up"}:
                return False
        return True

    def wait_ready(self) -> None:
        until("all parts of all services are up", self.all_ready, READY_S)

    def restart(self, program: str) -> None:
        service = self.services[program]
        assert service.stop() == 0
        service.start()
