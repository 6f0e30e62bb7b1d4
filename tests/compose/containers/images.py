"""images - images of other projects: pulled, or replaced by stand-ins when no registry answers.

A stand-in is made from Debian's packages and Maven's jars and has the same variables,
folders, ports and health commands. The run prints which images are stand-ins.
"""

import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from containers.engine import Engine
from support.stack import ROOT

STANDINS = Path(__file__).resolve().parents[1] / "standins"
DEBIAN = "debian:trixie-slim"
PULL_S, DEBOOTSTRAP_S = 300, 3600  # bounds on hanging
AT_ONCE = 2  # most of a stand-in's time is waiting for packages
# Folders that debian:trixie-slim leaves out as well.
SLIM = ("doc", "man", "info", "locale", "lintian")


class Images:
    def __init__(self, engine: Engine, cache: Path):
        self.engine = engine
        self.cache = cache
        self.registry = True  # until a pull fails

    def need_debian(self) -> None:
        """The base image of all others."""
        self.need([DEBIAN])

    def need(self, names: list[str]) -> None:
        missing = [name for name in names
                   if self.is_standin(name) or not (self.is_here(name) or self.pull(name))]
        with ThreadPoolExecutor(AT_ONCE) as builders:
            for made in [builders.submit(self.stand_in, name) for name in missing]:
                made.result()
        if missing:
            print(f"images: no registry; stand-ins for {', '.join(missing)}", flush=True)

    def is_here(self, name: str) -> bool:
        return self.engine.docker("image", "inspect", name, check=False).returncode == 0

    def is_standin(self, name: str) -> bool:
        """Whether an earlier run made this stand-in; its sources may have changed since."""
        labels = self.engine.docker("image", "inspect", "-f", "{{json .Config.Labels}}", name,
                                    check=False)
        return '"parley.standin"' in labels.stdout

    def pull(self, name: str) -> bool:
        """After the first failed pull it tries no other."""
        if not self.registry:
            return False
        try:
            self.registry = self.engine.docker("pull", "-q", name, check=False,
                                               timeout_s=PULL_S).returncode == 0
        except subprocess.TimeoutExpired:
            self.registry = False
        return self.registry

    def stand_in(self, name: str) -> None:
        if name == DEBIAN:
            if not self.is_here(name):
                self.make_debian()
            return
        # apache/kafka:3.9.1 -> kafka
        folder = STANDINS / name.split(":")[0].split("/")[-1]
        assert folder.is_dir(), f"no stand-in for {name}"
        with tempfile.TemporaryDirectory() as place:
            context = shutil.copytree(folder, Path(place) / "context")
            if folder.name == "kafka":
                shutil.copytree(self.cache / "kafka" / "libs", context / "libs")
                shutil.copy(ROOT / "deploy" / "kafka" / "log4j.properties", context)
            self.engine.docker("build", "-q", "--label", "parley.standin=1", "-t", name, context)

    def make_debian(self) -> None:
        suite = DEBIAN.split(":")[1].split("-")[0]
        with tempfile.TemporaryDirectory() as place:
            root = Path(place) / "root"
            made = subprocess.run(["debootstrap", "--variant=minbase", suite, root],
                                  capture_output=True, text=True, timeout=DEBOOTSTRAP_S)
            assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-2000:]
            make_slim(root)
            archive = Path(place) / "root.tar"
            subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
            self.engine.docker("import", "-c", 'LABEL parley.standin=1', "-c",
                               'CMD ["bash"]', archive, DEBIAN)


def make_slim(root: Path) -> None:
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text(
        "".join(f"path-exclude /usr/share/{name}/*\n" for name in SLIM) + "force-unsafe-io\n")
    for name in [*(f"usr/share/{name}" for name in SLIM), "var/cache/apt", "var/lib/apt/lists",
                 "var/log"]:
        for path in (root / name).glob("*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
