"""own_mariadb - a MariaDB server of a test's own, with a clock that the test sets."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pymysql

from support.clock import Clock
from support.stack import Stack, die_with_parent
from support.wait import HANG_S, until

PASSWORD = "own-mariadb-password"
PATHS = os.environ["PATH"] + ":/usr/sbin:/sbin"
INIT = f"""CREATE DATABASE identity;
CREATE USER parley@127.0.0.1 IDENTIFIED BY '{PASSWORD}';
GRANT ALL PRIVILEGES ON identity.* TO parley@127.0.0.1;
"""


class OwnMariaDb:
    def __init__(self, stack: Stack):
        self.port = stack.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="parley-mariadb-"))
        self.clock = Clock(self.folder / "clock")
        self.child: subprocess.Popen | None = None

    def settings(self) -> dict[str, str]:
        """Those of an identity-service that uses this server."""
        return {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": str(self.port),
                "IDENTITY_DATABASE": "identity", "MYSQL_USER": "parley",
                "MYSQL_PASSWORD": PASSWORD, "MYSQL_PASSWORD_FILE": ""}

    def answers(self) -> bool:
        assert self.child.poll() is None, (self.folder / "log").read_text("utf-8", "replace")
        pymysql.connect(host="127.0.0.1", port=self.port, user="parley", password=PASSWORD,
                        database="identity", connect_timeout=HANG_S).close()
        return True

    def __enter__(self) -> "OwnMariaDb":
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        env = os.environ | {"PATH": PATHS}
        (self.folder / "init.sql").write_text(INIT)
        with open(self.folder / "log", "ab") as log:
            subprocess.run(["mariadb-install-db", "--no-defaults", "--skip-test-db", "--force",
                            f"--datadir={self.folder}/data", f"--tmpdir={self.folder}",
                            *as_root], env=env, stdout=log, stderr=log, check=True)
            self.child = subprocess.Popen(
                ["mariadbd", "--no-defaults", f"--datadir={self.folder}/data",
                 f"--tmpdir={self.folder}", f"--socket={self.folder}/s",
                 f"--pid-file={self.folder}/pid", f"--port={self.port}",
                 "--bind-address=127.0.0.1", "--skip-name-resolve",
                 "--default-time-zone=+00:00", "--innodb-buffer-pool-size=32M",
                 f"--init-file={self.folder}/init.sql", *as_root],
                env=env | self.clock.settings, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        until("MariaDB answers", self.answers)
        return self

    def __exit__(self, *_) -> None:
        self.child.terminate()
        self.child.wait(timeout=HANG_S)
        shutil.rmtree(self.folder)
