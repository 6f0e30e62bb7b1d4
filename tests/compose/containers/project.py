"""project - Parley in containers: a copy of the tree as in a fresh clone, and `docker compose`."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx

from containers.engine import Engine
from support.stack import LOGS, ROOT, die_with_parent, free_port
from support.wait import until

PASSWORDS = ("mysql", "mysql-root", "redis", "identity-service", "identity-keys")
# Bounds on hanging: no test judges by duration.
BUILD_S, COMMAND_S, READY_S = 3600, 900, 600
SHARDS = ("-f", "docker-compose.yml", "-f", "deploy/docker-compose.large.yml")


def copy_tree(place: Path) -> Path:
    """The tracked and new files in their present state."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT,
                            check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name, follow_symlinks=False)
    return place


@dataclass(frozen=True)
class Container:
    id: str
    name: str
    service: str
    state: str
    health: str
    exit_code: int


class Project:
    """The `docker compose` project `name` of the tree at `tree`."""

    def __init__(self, engine: Engine, tree: Path, name: str = "parley-test",
                 files: tuple[str, ...] = ()):
        self.engine, self.tree, self.name, self.files = engine, tree, name, files
        self.port, self.adminer_port = free_port(), free_port()
        self.changes = {"PARLEY_PORT": str(self.port), "ADMINER_PORT": str(self.adminer_port),
                        "PARLEY_OPEN_FILES": str(min(65536, engine.open_files()))}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def binary(self, program: str) -> Path:
        """The path of a program that runs beside the containers, such as the ledger."""
        return ROOT / "build" / "release" / program / Path(program).name

    # --- commands -------------------------------------------------------------------
    def words(self, *words: str) -> list[str]:
        return ["docker", "compose", "--progress", "quiet", "-p", self.name, *self.files, *words]

    def environment(self, **changes: str) -> dict[str, str]:
        return self.engine.environment | self.changes | changes

    def compose(self, *words: str, check: bool = True, timeout_s: float = COMMAND_S,
                **changes: str) -> subprocess.CompletedProcess:
        done = subprocess.run(self.words(*words), cwd=self.tree, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout_s,
                              env=self.environment(**changes))
        assert not check or done.returncode == 0, \
            f"{' '.join(self.words(*words))}: {done.returncode}\n{(done.stdout + done.stderr)[-2000:]}"
        return done

    def start(self, *words: str, **options) -> subprocess.Popen:
        """Starts a command that runs beside the test."""
        return subprocess.Popen(self.words(*words), cwd=self.tree, env=self.environment(),
                                preexec_fn=die_with_parent, text=True, **options)

    def up(self, *words: str, **changes: str) -> None:
        self.compose("up", "-d", "--no-build", *words, **changes)

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        until("nginx answers ready", lambda: self.ready() == 200, timeout_s)

    def ready(self) -> int:
        return httpx.get(f"{self.url}/readyz", trust_env=False, timeout=5).status_code

    def down(self) -> None:
        self.keep_logs()
        self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "20")

    def setting(self, name: str) -> str:
        """The value of a setting in .env."""
        return re.search(rf"^{name}=(.*)$", (self.tree / ".env").read_text(), re.M)[1]

    def keep_logs(self) -> None:
        folder = LOGS / "compose" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        for service in {one.service for one in self.containers()}:
            (folder / f"{service}.log").write_text(self.logs(service))

    def images(self) -> list[str]:
        said = self.compose("--profile", "*", "config", "--images").stdout
        return sorted(set(said.split()))

    def logs(self, *services: str) -> str:
        return self.compose("logs", "--no-color", "--no-log-prefix", *services).stdout

    # --- containers -----------------------------------------------------------------
    def containers(self, *services: str) -> list[Container]:
        """All containers, including ended ones."""
        said = self.compose("--profile", "*", "ps", "-a", "--format", "json", *services).stdout
        rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        return [Container(row["ID"], row["Name"], row["Service"], row["State"], row["Health"],
                          row["ExitCode"]) for row in rows]

    def running(self, *services: str) -> list[Container]:
        return [one for one in self.containers(*services) if one.state == "running"]

    def inspect(self, container: Container) -> dict:
        return json.loads(self.engine.docker("inspect", container.id).stdout)[0]

    def address(self, container: Container) -> str:
        networks = self.inspect(container)["NetworkSettings"]["Networks"]
        return next(iter(networks.values()))["IPAddress"]

    def wait_healthy(self, service: str, count: int, timeout_s: float = READY_S) -> None:
        def healthy() -> bool:
            running = self.running(service)
            return len(running) == count and all(one.health == "healthy" for one in running)

        until(f"{count} of {service} are healthy", healthy, timeout_s)

    def run(self, container: Container, *words: str) -> str:
        return self.engine.docker("exec", container.id, *words).stdout

    # --- metrics ---------------------------------------------------------
    def metric(self, container: Container, name: str) -> float:
        """A metric of a container, from its own address: the admin port is not published."""
        kind = re.match("[a-z]+", container.service)[0].upper()
        port = self.setting(f"{kind}_ADMIN_PORT")
        text = httpx.get(f"http://{self.address(container)}:{port}/metrics", trust_env=False).text
        found = [line.split()[-1] for line in text.splitlines()
                 if line.split("{")[0].split(" ")[0] == name]
        assert found, f"{container.name} has no {name}"
        return sum(map(float, found))

    def sockets(self, container: Container) -> int:
        return int(self.metric(container, "parley_sockets"))
