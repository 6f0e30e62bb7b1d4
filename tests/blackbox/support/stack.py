"""stack - a whole Parley on ports of its own, started by deploy/stack.

The stack is a child in the foreground: it ends with this process, even when that is
killed. Stack.attach() uses a stack that another process keeps up (support.with_stack).
"""

import ctypes
import getpass
import http.client
import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections import deque
from pathlib import Path

import pymysql
from confluent_kafka.admin import AdminClient, NewTopic

from support import mysql8, turns
from support.wait import HANG_S, until

ROOT = Path(__file__).resolve().parents[3]
LOGS = ROOT / "build" / "test-logs"
SERVICES = ("identity-service", "websocket-service", "persistence-service")
START_TIMEOUT_S = 240
ASK_TIMEOUT_S = START_TIMEOUT_S
PARTITIONS = 12
PR_SET_PDEATHSIG = 1

# Offset of each port from the first port of the stack.
PORTS = {
    "PARLEY_PORT": 80, "IDENTITY_PORT": 81, "WEBSOCKET_PORT": 82,
    "PERSISTENCE_PORT": 83, "IDENTITY_ADMIN_PORT": 91, "WEBSOCKET_ADMIN_PORT": 92,
    "PERSISTENCE_ADMIN_PORT": 93, "KAFKA_PORT": 94, "KAFKA_CONTROLLER_PORT": 95,
    "MYSQL_PORT": 96, "REDIS_PORT": 97,
}
# The process that uses a hundred of ports binds this one to reserve them.
GUARD = 99
# Ports for the services that tests start beside the stack (support.service).
EXTRA = range(0, 80)
GIVEN = 4  # ports that free_port() does not give again at once
# Address of the stack that support.with_stack keeps up: first port and name.
SHARED = "PARLEY_TEST_STACK"
# Variables that may be set for another stack and must not reach this one.
FOREIGN = ("KAFKA_BROKERS", "MYSQL_HOST", "MYSQL_USER", "MYSQL_PASSWORD",
           "MYSQL_PASSWORD_FILE", "REDIS_HOST", "REDIS_PASSWORD_FILE", "IDENTITY_URL",
           "PARLEY_PORT_SHIFT", "BIND_ADDRESS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def status_of(port: int, path: str) -> int:
    """The status of a GET; 0 when nothing answers. Cheap enough for polling."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def port_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reserve(base: int) -> socket.socket | None:
    """A socket that reserves a hundred of ports, or None when another process has them."""
    guard = socket.socket()
    try:
        guard.bind(("127.0.0.1", base + GUARD))
        guard.listen(1)
    except OSError:
        guard.close()
        return None
    return guard


def free_base(others: range) -> tuple[int, socket.socket]:
    """The first hundred of ports from PARLEY_TEST_PORTS on in which all needed ports are
    free, and the socket that reserves them."""
    first = int(os.environ.get("PARLEY_TEST_PORTS") or 24000)
    ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if first + 1000 > ephemeral:
        raise RuntimeError(f"PARLEY_TEST_PORTS={first}: the 1000 ports from there on must be "
                           f"below {ephemeral}, where the kernel's ephemeral range begins")
    for base in range(first, first + 1000, 100):
        guard = reserve(base)
        if not guard:
            continue
        if all(port_free(base + offset) for offset in (*PORTS.values(), *others)):
            return base, guard
        guard.close()
    raise RuntimeError(f"no free ports between {first} and {first + 1000}")


def own_share(ports: list[int]) -> list[int]:
    """The ports of this pytest worker: two workers never choose the same port."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return ports[worker::int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))]


class Stack:
    def __init__(self, name: str, extra: dict[str, str] | None = None,
                 others: range = range(0)):
        """others: offsets below 80 of ports that the caller uses itself."""
        self.prepare(name, *free_base(others))
        self.env |= extra or {}

    @classmethod
    def attach(cls, shared: str) -> "Stack":
        """A stack that is already up; `shared` is its address()."""
        base, name = shared.split()
        stack = cls.__new__(cls)
        stack.prepare(name, int(base), None)
        stack.settings = stack.read_settings()
        return stack

    def address(self) -> str:
        return f"{self.base} {self.name}"

    def prepare(self, name: str, base: int, guard: socket.socket | None) -> None:
        self.name, self.base, self.guard = name, base, guard
        self.run_dir = ROOT / f".run-test-{base}"
        self.env = {key: value for key, value in os.environ.items()
                    if key not in FOREIGN}
        self.env |= {port: str(base + offset) for port, offset in PORTS.items()}
        self.env |= {"PARLEY_RUN_DIR": str(self.run_dir), "LOG_LEVEL": "info"}
        # Sanitized programs start slowly on a busy machine.
        self.env.setdefault("PARLEY_START_TIMEOUT_S", str(START_TIMEOUT_S - 20))
        # A few users send for many; tests of the rate limits start services of their own.
        self.env |= {"WEBSOCKET_USER_RATE": "0", "PERSISTENCE_USER_RATE": "0"}
        self.env["WEBSOCKET_USER_SOCKETS_MAX"] = "0"
        # All users of the tests have one address.
        self.env |= {"IDENTITY_HASH_CLIENT_MAX": "32"}
        self.env |= turns.settings(self.build)
        self.settings: dict[str, str] = {}
        self.launcher: subprocess.Popen | None = None
        self.mysql = None
        if mysql8.home():
            self.mysql = mysql8.Mysql8(ROOT / f".run-test-{base}-mysql8", base + PORTS["MYSQL_PORT"])
            self.env |= self.mysql.settings()
        self.extra_ports = itertools.cycle(own_share([base + offset for offset in EXTRA]))
        self.given_ports: deque[int] = deque(maxlen=GIVEN)
        self.said = LOGS / f"stack-{name}.log"

    # --- the whole stack ----------------------------------------------------------
    def up(self) -> "Stack":
        LOGS.mkdir(parents=True, exist_ok=True)
        if self.run_dir.exists():  # left by a run that was killed
            subprocess.run(["deploy/stack", "down"], cwd=ROOT, env=self.env)
            shutil.rmtree(self.run_dir)
        if self.mysql:
            self.mysql.start()
        with open(self.said, "wb") as said:
            self.launcher = subprocess.Popen(
                ["deploy/stack", "run"], cwd=ROOT, env=self.env, stdout=said,
                stderr=said, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        try:
            until("the stack is ready", self.ready_or_dead, START_TIMEOUT_S)
            if self.launcher.poll() is not None:
                raise RuntimeError(f"the stack did not start:\n{self.said.read_text()}")
            self.settings = self.read_settings()
        except BaseException:
            self.down()
            raise
        return self

    def ready_or_dead(self) -> bool:
        return self.launcher.poll() is not None or self.is_ready()

    def is_ready(self) -> bool:
        return status_of(self.port("PARLEY_PORT"), "/readyz") == 200

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        until("all services are ready", self.is_ready, timeout_s)

    def down(self) -> None:
        """Stops everything, keeps the logs and deletes the rest."""
        self.halt()
        self.wipe()

    def halt(self) -> None:
        if self.launcher and self.launcher.poll() is None:
            self.launcher.terminate()
            self.launcher.wait(timeout=60)
        logs = self.run_dir / "log"
        if logs.exists():
            kept = LOGS / f"stack-{self.name}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(logs, kept)

    def wipe(self) -> None:
        subprocess.run(["deploy/stack", "reset"], cwd=ROOT, env=self.env,
                       stdout=subprocess.DEVNULL)
        if self.mysql:
            self.mysql.stop()
        if self.guard:
            self.guard.close()

    # --- one program ----------------------------------------------------------
    def ask(self, *words: str) -> str:
        done = subprocess.run(["deploy/stack", *words], cwd=ROOT, env=self.env,
                              text=True, capture_output=True, timeout=ASK_TIMEOUT_S)
        if done.returncode:
            raise RuntimeError(f"deploy/stack {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def stop(self, program: str) -> None:
        self.ask("stop", program)

    def start(self, program: str) -> None:
        self.ask("start", program)

    def restart(self, program: str) -> None:
        self.ask("restart", program)

    def pid(self, program: str) -> int:
        """Raises while the program does not run."""
        pid = int((self.run_dir / "pid" / f"{program}.pid").read_text())
        folder = os.readlink(f"/proc/{pid}/cwd")  # another process may have this pid by now
        if not folder.startswith(str(self.run_dir / "data" / program)):
            raise RuntimeError(f"{program} is not running")
        return pid

    def kill(self, program: str) -> None:
        """Sends SIGKILL; returns when the supervisor has started the program again."""
        killed = self.pid(program)
        os.kill(killed, signal.SIGKILL)
        until(f"{program} is started again", lambda: self.pid(program) != killed,
              START_TIMEOUT_S)

    def read_settings(self) -> dict[str, str]:
        lines = self.ask("env").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    # --- ports, files, secrets -----------------------------------------------------
    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['PARLEY_PORT']}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.env['PARLEY_PORT']}/ws"

    def port(self, name: str) -> int:
        return int(self.env[name])

    def free_port(self) -> int:
        """A port for a service that a test starts. It is below the kernel's ephemeral range:
        no connection can take it before the service listens. The last ones may not be bound yet.
        Services that stop free others."""
        def next_free() -> int | None:
            return next((port for port in itertools.islice(self.extra_ports, len(EXTRA))
                         if port not in self.given_ports and port_free(port)), None)

        port = until(f"stack {self.name}: a port is free for another service", next_free)
        self.given_ports.append(port)
        return port

    def admin_url(self, service: str) -> str:
        name = service.removesuffix("-service").upper() + "_ADMIN_PORT"
        return f"http://127.0.0.1:{self.port(name)}"

    @property
    def build(self) -> str:
        return self.env.get("PARLEY_BUILD", "build/release")

    def binary(self, program: str) -> Path:
        return ROOT / self.build / program / Path(program).name

    def log_text(self, program: str) -> str:
        """The whole log of a program, including rotated files."""
        logs = sorted((self.run_dir / "log").glob(f"{program}.log*"), reverse=True)
        return "".join(path.read_text("utf-8", "replace") for path in logs)

    def log_files(self) -> list[Path]:
        return [path for path in (self.run_dir / "log").rglob("*") if path.is_file()]

    def secret(self, name: str) -> str:
        if self.mysql and name == "mysql":
            return self.mysql.password_file.read_text()
        return (self.run_dir / "secrets" / name).read_text().strip()

    def make_topic(self, kind: str) -> str:
        name = f"{kind}_{secrets.token_hex(4)}"
        admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{self.port('KAFKA_PORT')}"})
        for made in admin.create_topics([NewTopic(name, PARTITIONS, 1)]).values():
            made.result(timeout=HANG_S)
        return name

    def database_root(self) -> pymysql.Connection:
        if self.mysql:
            return self.mysql.root()
        socket_file = str((self.run_dir / "sockets").resolve() / "mariadb.sock")
        return pymysql.connect(unix_socket=socket_file, user=getpass.getuser())

    def make_database_admin(self) -> tuple[str, str]:
        """A database user that may create databases, unlike the services' users."""
        name, password = f"tests_{secrets.token_hex(6)}", secrets.token_hex(16)
        with self.database_root() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE USER {name}@127.0.0.1 IDENTIFIED BY %s",
                           (password,))
            cursor.execute(f"GRANT ALL PRIVILEGES ON *.* TO {name}@127.0.0.1")
        return name, password

    def server_env(self) -> dict[str, str]:
        """The environment of the C integration tests."""
        user, password = self.make_database_admin()
        return {
            "MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": self.env["MYSQL_PORT"],
            "MYSQL_USER": user, "MYSQL_PASSWORD": password,
            "KAFKA_BROKERS": f"127.0.0.1:{self.env['KAFKA_PORT']}",
            "REDIS_HOST": "127.0.0.1", "REDIS_PORT": self.env["REDIS_PORT"],
            "REDIS_PASSWORD": self.secret("redis"), "PARLEY_URL": self.url,
        }
