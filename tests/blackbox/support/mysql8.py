"""mysql8 - a private MySQL 8 server beside a stack, in place of its MariaDB.

PARLEY_TEST_MYSQL names the folder of the server (tests/mysql8/fetch).
"""

import ctypes
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import pymysql

from support.wait import until

SERVER = "PARLEY_TEST_MYSQL"
START_S = 120
PR_SET_PDEATHSIG = 1


def home() -> Path | None:
    """The folder of the server, or None when stacks use MariaDB."""
    named = os.environ.get(SERVER)
    return Path(named).resolve() if named else None


def end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Mysql8:
    def __init__(self, folder: Path, port: int):
        self.folder, self.port = folder, port
        self.socket = folder / "s"
        self.password_file = folder / "password"
        self.server: subprocess.Popen | None = None

    def command(self, *words: str) -> list[str]:
        server = home()
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        return ["env", f"LD_LIBRARY_PATH={server}/bin", str(server / "bin/mysqld"),
                "--no-defaults", f"--basedir={server}", f"--lc-messages-dir={server}/share",
                f"--datadir={self.folder}/data", f"--socket={self.socket}",
                f"--port={self.port}", "--bind-address=127.0.0.1", "--mysqlx=OFF",
                f"--pid-file={self.folder}/pid", "--default-time-zone=+00:00",
                "--max-connections=200", "--disable-log-bin", *as_root, *words]

    def start(self) -> "Mysql8":
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True)
        with open(self.folder / "log", "wb") as log:
            subprocess.run(self.command("--initialize-insecure"), stdout=log, stderr=log,
                           timeout=START_S, check=True)
            self.server = subprocess.Popen(self.command(), stdout=log, stderr=log,
                                           preexec_fn=end_with_parent)
        until("MySQL answers", self.answers, START_S)
        self.make_users()
        return self

    def root(self) -> pymysql.Connection:
        return pymysql.connect(unix_socket=str(self.socket), user="root")

    def answers(self) -> bool:
        if self.server.poll() is not None:
            raise RuntimeError(f"MySQL ended: {(self.folder / 'log').read_text()[-2000:]}")
        try:
            self.root().close()
        except pymysql.OperationalError:
            return False
        return True

    def make_users(self) -> None:
        """The user of the services may use their databases only, as with MariaDB."""
        password = secrets.token_hex(16)
        self.password_file.write_text(password)
        with self.root() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE USER parley@127.0.0.1 IDENTIFIED BY %s", (password,))
            for name in ("identity", "chat"):
                cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
                cursor.execute(f"GRANT ALL PRIVILEGES ON {name}.* TO parley@127.0.0.1")

    def settings(self) -> dict[str, str]:
        return {"MYSQL_HOST": "127.0.0.1", "MYSQL_PASSWORD_FILE": str(self.password_file)}

    def stop(self) -> None:
        if self.server and self.server.poll() is None:
            self.server.terminate()
            self.server.wait(timeout=START_S)
        shutil.rmtree(self.folder, ignore_errors=True)
