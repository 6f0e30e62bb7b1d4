"""own_nginx - a second nginx, with the configuration of the project, before one gateway and, if
given, one identity-service."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from support.service import Service
from support.stack import ROOT, Stack, die_with_parent, port_free
from support.wait import HANG_S, until

TEMPLATES = ROOT / "deploy" / "nginx"


def render(template: str, folder: Path, name: str, **values: str) -> None:
    text = (TEMPLATES / template).read_text("utf-8")
    for variable, value in values.items():
        text = text.replace("${" + variable + "}", value)
    assert not re.search(r"\$\{[A-Z_]+\}", text), f"{template} has a new variable"
    (folder / name).write_text(text, "utf-8")


class OwnNginx:
    def __init__(self, stack: Stack, gateway: Service, identity: Service | None = None):
        self.port = stack.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="parley-nginx-"))
        self.folder.chmod(0o755)  # the workers have another user
        (self.folder / "conf").mkdir()
        (self.folder / "data" / "nginx").mkdir(parents=True)

        def at(setting: str) -> str:
            return f"127.0.0.1:{stack.port(setting)}"
        render("nginx.conf.template", self.folder, "conf/nginx.conf",
               PARLEY_RUN_DIR=str(self.folder), NGINX_OPEN_FILES="1024",
               NGINX_USER_LINE="user www-data;" if os.geteuid() == 0 else "")
        render("parley.conf.template", self.folder, "conf/parley.conf",
               NGINX_LISTEN=f"127.0.0.1:{self.port}",
               NGINX_ACCESS_LOG=str(self.folder / "access.log"),
               WEB_ROOT=str((stack.run_dir / "web").resolve()),
               IDENTITY_UPSTREAM=f"127.0.0.1:{identity.port}" if identity else at("IDENTITY_PORT"),
               WEBSOCKET_ROUTE="websocket",
               WEBSOCKET_UPSTREAM=f"127.0.0.1:{gateway.port}",
               PERSISTENCE_UPSTREAM=at("PERSISTENCE_PORT"),
               IDENTITY_ADMIN_UPSTREAM=at("IDENTITY_ADMIN_PORT"),
               WEBSOCKET_ADMIN_UPSTREAM=f"127.0.0.1:{gateway.admin_port}",
               PERSISTENCE_ADMIN_UPSTREAM=at("PERSISTENCE_ADMIN_PORT"))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def __enter__(self) -> "OwnNginx":
        self.child = subprocess.Popen(
            ["nginx", "-c", str(self.folder / "conf/nginx.conf"), "-g", "daemon off;"],
            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        until("nginx listens", lambda: self.child.poll() is None and not port_free(self.port))
        return self

    def __exit__(self, *_) -> None:
        self.child.terminate()
        self.child.wait(timeout=HANG_S)
        shutil.rmtree(self.folder, ignore_errors=True)
