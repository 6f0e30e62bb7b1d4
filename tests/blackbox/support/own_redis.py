"""own_redis - a Redis server of a test's own, which it may break."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import redis

from support.stack import Stack, die_with_parent
from support.wait import HANG_S, until

PASSWORD = "own-redis-password"


class OwnRedis:
    def __init__(self, stack: Stack):
        self.port = stack.free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="parley-redis-"))
        self.child: subprocess.Popen | None = None

    def settings(self, **changes: str) -> dict[str, str]:
        """Those of a gateway that uses this Redis."""
        return {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(self.port),
                "REDIS_PASSWORD": PASSWORD, "REDIS_PASSWORD_FILE": ""} | changes

    def start(self, *options: str) -> None:
        """Returns when it listens; it may still be loading its data."""
        self.child = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--dir", str(self.folder), "--requirepass", PASSWORD,
             "--enable-protected-configs", "yes", "--enable-debug-command", "yes", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)
        until("Redis listens", lambda: self.admin().config_get("port"))

    def stop(self) -> None:
        self.child.terminate()
        self.child.wait(timeout=HANG_S)

    def admin(self, password: str = PASSWORD) -> redis.Redis:
        return redis.Redis(host="127.0.0.1", port=self.port, password=password,
                           decode_responses=True, socket_timeout=HANG_S)

    def __enter__(self) -> "OwnRedis":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()
        shutil.rmtree(self.folder)
