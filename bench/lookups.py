"""lookups - part (d): token look-ups and refreshes at identity."""

import os
import threading
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench import Bench, say
from client import Client

CONNECTIONS = 32  # the preset of load


def refresh_client(bench: Bench) -> Client:
    """A client with refresh tokens that are not used yet."""
    path = os.path.join(bench.folder, "tokens-refresh")
    with open(path, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o600)
        for _ in range(CONNECTIONS):
            answer, = bench.people.sign_up()
            file.write(f"{answer['user']['id']} {answer['refresh_token']}\n")
    return Client(bench.stack, path)


def signatures_per_s() -> float:
    """RS256 with 2,048 bits, of all cores: each refresh signs an access token."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    until, count = time.monotonic() + 1, 0
    while time.monotonic() < until:
        key.sign(b"x" * 400, padding.PKCS1v15(), hashes.SHA256())
        count += 1
    return count * float(os.cpu_count())


def lookup(bench: Bench) -> dict:
    say("(d) token look-ups and refreshes")
    url = bench.stack.url("IDENTITY_PORT")
    words = ("--warm-up", "1", "--seconds", str(max(2, bench.seconds // 3)))

    def lookups(_: int) -> dict:
        return bench.client().run("lookup", url, *words)

    def refreshes(_: int) -> dict:
        limit = signatures_per_s()
        return refresh_client(bench).run("refresh", url, *words) | {"limit": limit}

    def both(turn: int) -> dict:
        """Look-ups, while a client refreshes."""
        client, beside = refresh_client(bench), {}
        other = threading.Thread(
            target=lambda: beside.update(client.run("refresh", url, *words)))
        other.start()
        found = lookups(turn)
        other.join()
        return found | {"refreshes_per_s": beside["refreshes_per_s"]}

    return {"direct": bench.repeat(lookups), "refresh": bench.repeat(refreshes),
            "both": bench.repeat(both)}
