"""engine - a container engine: the one that runs here, or a private one.

A private engine is Debian's `dockerd` with its data, its state and its socket in a folder
of its own; the tests start it as root and stop it. dockerd leaves bridges and packet filters
behind, which slow down all traffic over loopback. The test removes them; on a machine that had
packet filters before, it leaves all filters.

The folder stays, so that the next run builds only what changed: it is `engine` in the cache
folder, or the one that PARLEY_ENGINE_DIR names. While another run uses it, the folder is
temporary.
"""

import fcntl
import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

from support.stack import ROOT, die_with_parent
from support.wait import until

PLUGIN_SOURCE = "github.com/docker/compose/v2/cmd@v2.29.7"
# Bounds on hanging.
START_S, STOP_S, BUILD_PLUGIN_S, COMMAND_S = 300, 300, 1800, 1800
# dockerd's sockets lie up to 40 bytes below its folder; the path of a socket has 107 at most.
FOLDER_MAX = 60
# Older layers of a build are made anew, with the packages of the day.
LAYERS_MAX_H = 7 * 24


class Engine:
    def __init__(self):
        self.child: subprocess.Popen | None = None
        self.folder: Path | None = None
        self.lock: int | None = None  # of a folder that stays
        self.had_filters, self.bridges = False, set()  # the state before the engine started
        # Every engine has the older builder.
        self.environment = os.environ | {"DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}

    def up(self) -> "Engine":
        if self.docker("info", check=False).returncode == 0:
            print("engine: the running one", flush=True)
        else:
            self.start_own()
        self.need_compose()
        return self

    def down(self) -> None:
        if self.child:
            self.child.terminate()
            self.child.wait(timeout=STOP_S)
            self.clean_network()
        if self.lock is not None:
            os.close(self.lock)
        elif self.folder:
            shutil.rmtree(self.folder)

    def docker(self, *words: str, check: bool = True, timeout_s: float = COMMAND_S,
               **options) -> subprocess.CompletedProcess:
        done = subprocess.run(["docker", *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout_s,
                              env=self.environment, **options)
        assert not check or done.returncode == 0, \
            f"docker {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    # --- a private one -----------------------------------------------------------
    def start_own(self) -> None:
        self.had_filters, self.bridges = bool(ruleset()), bridges()
        self.folder = self.own_folder()
        socket = f"unix://{self.folder / 'docker.sock'}"
        print(f"engine: a private one in {self.folder}", flush=True)
        with open(self.folder / "dockerd.log", "wb") as log:
            self.child = subprocess.Popen(
                ["dockerd", "--data-root", self.folder / "data", "--exec-root",
                 self.folder / "exec", "--pidfile", self.folder / "pid", "-H", socket],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.environment["DOCKER_HOST"] = socket
        until("dockerd answers", self.answers, START_S)
        if self.lock is not None:
            self.remove_leftovers()

    def own_folder(self) -> Path:
        cache = ROOT / (os.environ.get("PARLEY_CACHE_DIR") or ".cache")
        kept = Path(os.environ.get("PARLEY_ENGINE_DIR") or cache / "engine").resolve()
        if len(os.fsencode(kept)) <= FOLDER_MAX:
            kept.mkdir(parents=True, exist_ok=True)
            lock = os.open(kept, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.lock = lock
                return kept
            except BlockingIOError:
                os.close(lock)
        print(f"engine: {kept} is in use, or its path is too long", flush=True)
        return Path(tempfile.mkdtemp(prefix="parley-engine-")).resolve()

    def remove_leftovers(self) -> None:
        """The engine starts the containers of a run that was killed again."""
        for listed, remove in ((("ps", "-aq"), ("rm", "-f")),
                               (("volume", "ls", "-q"), ("volume", "rm"))):
            if names := self.docker(*listed).stdout.split():
                self.docker(*remove, *names)
        self.docker("network", "prune", "-f")
        self.docker("image", "prune", "-f", "--filter", f"until={LAYERS_MAX_H}h")

    def answers(self) -> bool:
        assert self.child.poll() is None, (self.folder / "dockerd.log").read_text()[-2000:]
        return self.docker("info", check=False).returncode == 0

    def clean_network(self) -> None:
        for name in bridges() - self.bridges:
            subprocess.run(["ip", "link", "del", name], check=True)
        if self.had_filters:
            print("engine: its packet filters stay beside those of this machine", flush=True)
        else:
            subprocess.run(["nft", "flush", "ruleset"], check=True)

    # --- compose ----------------------------------------------------------------------
    def need_compose(self) -> None:
        """The plug-in: the installed one, or built from its source."""
        if self.docker("compose", "version", check=False).returncode == 0:
            return
        print(f"engine: building {PLUGIN_SOURCE}", flush=True)
        with tempfile.TemporaryDirectory() as place:
            subprocess.run(["go", "install", PLUGIN_SOURCE], check=True, timeout=BUILD_PLUGIN_S,
                           env=os.environ | {"GOBIN": place})
            plugin = Path.home() / ".docker" / "cli-plugins" / "docker-compose"
            plugin.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(place) / "cmd", plugin)
        self.docker("compose", "version")

    def open_files(self) -> int:
        """The most descriptors that a container may have."""
        return resource.getrlimit(resource.RLIMIT_NOFILE)[1] if self.child else 65536


def ruleset() -> str:
    return subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True,
                          check=True).stdout


def bridges() -> set[str]:
    listed = subprocess.run(["ip", "-o", "link", "show", "type", "bridge"], capture_output=True,
                            text=True, check=True).stdout
    return {line.split(": ")[1] for line in listed.splitlines()}
