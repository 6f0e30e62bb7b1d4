"""cluster - a Parley with several gateways and two persistence services, in which each
link can be made bad.

deploy/stack starts the servers: Kafka, MariaDB, Redis, nginx. Its own services are
stopped; those of the test take their place, each with links of its own to each server,
through the proxy:

    client ─► gateway-1 … ─► Kafka, Redis, identity
              persistence-1 … ─► Kafka, MariaDB, identity
              identity ─► MariaDB

Kafka's clients follow the address that the broker gives them, so each service
has a listener of its own at the broker, which is advertised under the proxy's
port. So nothing here needs iptables: the proxy breaks every link, works wherever
the tests do, and leaves nothing behind when the test is killed.
"""

import os
import re
import signal
import socket
from pathlib import Path

import httpx

from nemesis.children import Child, Keeper
from nemesis.disk import Disk
from nemesis.links import Links
from support.clock import Clock
from support.stack import SERVICES, Stack
from support.wait import until

# The servers, and the setting that names their port.
PORTS = {"kafka": "KAFKA_PORT", "mariadb": "MYSQL_PORT", "redis": "REDIS_PORT",
         "nginx": "PARLEY_PORT"}
GATEWAYS = ("gateway-1", "gateway-2", "gateway-3")
SAVERS = ("persistence-1", "persistence-2")
READY_S = 300  # a bound on hanging
# The servers that each service connects to.
REACHES = {"gateway": ("kafka", "redis", "identity"),
           "persistence": ("kafka", "mysql", "identity"), "identity": ("mysql",)}
# Ports count from the stack's hundred, whose first eighty are free.
LISTEN, ADMIN, PROXY, BROKER = 0, 10, 20, 60
OWN_PORTS = 80


def kind_of(name: str) -> str:
    return name.split("-")[0]


class Cluster:
    def __init__(self, logs: Path, disk_mib: int):
        self.logs = logs
        # So low that joins make a group of the ledger a large conversation.
        self.stack = Stack(logs.name, {"FANOUT_LIST_MAX": "5"}, others=range(OWN_PORTS))
        self.base = self.stack.port("PARLEY_PORT") // 100 * 100
        self.disk = Disk(self.stack, disk_mib)
        self.links = Links()
        self.children: dict[str, Child] = {}
        self.clocks: dict[str, Clock] = {}
        self.keeper: Keeper | None = None
        self.names = ["identity", *GATEWAYS, *SAVERS]
        self.link_ports: dict[str, tuple[int, int]] = {}

    # --- addresses ----------------------------------------------------------
    def port(self, what: int, name: str) -> int:
        return self.base + what + self.names.index(name)

    @property
    def url(self) -> str:
        return self.stack.url

    @property
    def gateway_urls(self) -> list[str]:
        return [f"http://127.0.0.1:{self.link_ports[f'{name}.client'][0]}" for name in GATEWAYS]

    def plan_links(self) -> None:
        targets = {"mysql": self.stack.port("MYSQL_PORT"),
                   "redis": self.stack.port("REDIS_PORT"),
                   "identity": self.port(LISTEN, "identity")}
        wanted = [(f"{name}.client", self.port(LISTEN, name)) for name in GATEWAYS]
        for name in self.names:
            for server in REACHES[kind_of(name)]:
                target = targets.get(server) or self.port(BROKER, name)
                wanted.append((f"{name}.{server}", target))
        self.link_ports = {link: (self.base + PROXY + at, target)
                           for at, (link, target) in enumerate(wanted)}

    def way(self, name: str, server: str) -> str:
        return str(self.link_ports[f"{name}.{server}"][0])

    # --- start ------------------------------------------------------------------
    def up(self) -> "Cluster":
        try:
            self.stack.up()
            for service in SERVICES:
                self.stack.stop(service)
            self.plan_links()
            self.disk.mount()
            self.give_kafka_listeners()
            self.point_nginx()
            self.links.open(self.link_ports)
            self.children = {name: self.child(name) for name in self.names}
            self.keeper = Keeper(self.children.values()).start()
            self.wait_ready()
        except BaseException:
            self.down()
            raise
        return self

    def give_kafka_listeners(self) -> None:
        """Appends settings: of two lines for one setting the later one counts."""
        users = [name for name in self.names if "kafka" in REACHES[kind_of(name)]]
        listeners = {f"L{at}": name for at, name in enumerate(users)}
        host = "127.0.0.1"
        inside = [f"PLAINTEXT://{host}:{self.stack.port('KAFKA_PORT')}"]
        own = [f"CONTROLLER://{host}:{self.stack.port('KAFKA_CONTROLLER_PORT')}"]
        lines = {
            "listeners": inside + own + [f"{label}://{host}:{self.port(BROKER, name)}"
                                         for label, name in listeners.items()],
            "advertised.listeners": inside + [f"{label}://{host}:{self.way(name, 'kafka')}"
                                              for label, name in listeners.items()],
            "listener.security.protocol.map":
                [f"{label}:PLAINTEXT" for label in ("PLAINTEXT", "CONTROLLER", *listeners)],
        }
        with open(self.stack.run_dir / "conf" / "kafka.properties", "a") as file:
            for name, values in lines.items():
                file.write(f"{name}={','.join(values)}\n")
        self.stack.restart("kafka")

    def point_nginx(self) -> None:
        """To the services of the test, in place of the stack's own."""
        conf = self.stack.run_dir / "conf" / "parley.conf"
        text = conf.read_text()
        for prefix, names in (("IDENTITY", ["identity"]), ("WEBSOCKET", GATEWAYS),
                              ("PERSISTENCE", SAVERS)):
            old = re.search(rf"server 127\.0\.0\.1:{self.stack.port(f'{prefix}_PORT')}\b([^;]*);",
                            text)
            text = text.replace(old[0], " ".join(
                f"server 127.0.0.1:{self.port(LISTEN, name)}{old[1]};" for name in names))
        conf.write_text(text)
        self.stack.restart("nginx")

    def child(self, name: str) -> Child:
        kind = kind_of(name)
        program, prefix = {"gateway": ("websocket-service", "WEBSOCKET"),
                           "persistence": ("persistence-service", "PERSISTENCE"),
                           "identity": ("identity-service", "IDENTITY")}[kind]
        self.clocks[name] = Clock(self.logs / f"{name}.clock")
        settings = {f"{prefix}_PORT": self.port(LISTEN, name),
                    f"{prefix}_ADMIN_PORT": self.port(ADMIN, name)}
        settings |= self.clocks[name].settings
        if kind == "persistence":
            settings["PERSISTENCE_INSTANCE"] = name
        for server in REACHES[kind]:
            way = self.way(name, server)
            settings |= {"kafka": {"KAFKA_BROKERS": f"127.0.0.1:{way}"},
                         "mysql": {"MYSQL_PORT": way}, "redis": {"REDIS_PORT": way},
                         "identity": {"IDENTITY_URL": f"http://127.0.0.1:{way}"}}[server]
        return Child(self.stack, name, program, self.logs / f"{name}.log", **settings)

    # --- state ---------------------------------------------------------------------
    def not_ready(self) -> list[str]:
        return [name for name, child in self.children.items() if not is_ready(child)]

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        def all_ready() -> bool:
            waiting = self.not_ready()
            if waiting:
                raise RuntimeError(f"not ready: {', '.join(waiting)}")
            return True
        until("all services are ready", all_ready, timeout_s)

    def metric(self, name: str, metric: str) -> float:
        """One metric of one service; 0 when it is missing."""
        url = f"http://127.0.0.1:{self.children[name].admin_port}/metrics"
        text = httpx.get(url, trust_env=False, timeout=3).text
        found = [line for line in text.splitlines() if line.startswith(f"{metric} ")]
        return float(found[0].split()[1]) if found else 0.0

    def unexpected_deaths(self) -> list[str]:
        return list(self.keeper.deaths) if self.keeper else []

    # --- one program ----------------------------------------------------------------
    def server_pid(self, name: str) -> int | None:
        """None when the server does not run."""
        try:
            pid = int((self.stack.run_dir / "pid" / f"{name}.pid").read_text())
            place = os.readlink(f"/proc/{pid}/cwd")
        except (OSError, ValueError):
            return None
        return pid if place.startswith(str(self.stack.run_dir / "data" / name)) else None

    def is_up(self, name: str) -> bool:
        """Whether a server accepts connections; true for a service of the test.

        On a busy machine Kafka takes a minute to start. If it were killed each time before
        it is up, it would only be away.
        """
        if name in self.children:
            return True
        try:
            with socket.create_connection(("127.0.0.1", self.stack.port(PORTS[name])), 1):
                return True
        except OSError:
            return False

    def send(self, name: str, number: signal.Signals) -> int | None:
        """The pid that got the signal; None when the program does not run."""
        if name in self.children:
            return self.children[name].send(number)
        pid = self.server_pid(name)
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return None
        return pid

    def resume(self, name: str, pid: int) -> None:
        """Ends a SIGSTOP, unless another process has taken the place of that one."""
        if name in self.children:
            self.children[name].resume(pid)
        elif self.server_pid(name) == pid:
            os.kill(pid, signal.SIGCONT)

    # --- the end ----------------------------------------------------------------------
    def down(self) -> None:
        try:
            if self.keeper:
                self.keeper.stop()
            self.links.close()
        finally:
            self.stack.halt()
            self.disk.unmount()
            self.stack.wipe()


def is_ready(child: Child) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{child.admin_port}/readyz", trust_env=False,
                         timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
