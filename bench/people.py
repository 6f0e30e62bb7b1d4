"""people - the users of a measurement, made when first needed.

200 users sign up, and identity hashes their passwords: they send to each other. Tens
of thousands of users only keep sockets open, and their sign-ups would take minutes of
Argon2id. Their tokens are made after the pattern of a real one and signed with the
stack's own key. Their ids belong to no account. The cost of a socket or an event does
not depend on that: the token itself names the user.
"""

import os
import secrets
import subprocess
import sys
import uuid

import httpx

from client import Client
from stack import ROOT, Stack, StackError

sys.path.insert(0, os.path.join(ROOT, "tests/blackbox"))
from support.sealed import private_key  # noqa: E402
from support.tokens import Forge, pem_of  # noqa: E402

SIGNED_UP = 200
FIRST_MINTED = 1_000_001  # far above the ids of real accounts


class People:
    def __init__(self, stack: Stack, folder: str):
        self.stack = stack
        self.signed_up_file = os.path.join(folder, "tokens")
        self.minted_file = os.path.join(folder, "tokens-minted")
        self.minted_count = 0
        self.forge_of_stack: Forge | None = None

    def signed_up(self) -> str:
        """The file with the ids and tokens of real accounts, one "ID TOKEN" a line."""
        if not os.path.exists(self.signed_up_file):
            Client(self.stack, self.signed_up_file).run(
                "users", self.stack.url("IDENTITY_PORT"), "--users", str(SIGNED_UP))
        return self.signed_up_file

    def sign_up(self, sessions: int = 1) -> list[dict]:
        """The answers to the sign-up of a new user, and to its further sign-ins."""
        body = {"name": f"bench-{secrets.token_hex(8)}", "password": secrets.token_hex(8)}
        calls = ["/auth/register"] + ["/auth/login"] * (sessions - 1)
        with httpx.Client(base_url=self.stack.url("IDENTITY_PORT"), trust_env=False,
                          timeout=60) as http:
            return [http.post(call, json=body).raise_for_status().json() for call in calls]

    def minted(self, count: int) -> str:
        """The same for `count` or more users without an account."""
        if count > self.minted_count:
            self.mint(self.minted_count, count)
            self.minted_count = count
        return self.minted_file

    def mint(self, have: int, want: int) -> None:
        forge = self.forge()
        with open(self.minted_file, "a", opener=owner_only, encoding="ascii") as file:
            for user in minted_ids(want)[have:]:
                file.write(f"{user} {token(forge, user)}\n")

    def token_of(self, user: int) -> str:
        """A token for any id."""
        return token(self.forge(), user)

    def forge(self) -> Forge:
        if not self.forge_of_stack:
            key = self.signing_key()
            with open(self.signed_up(), encoding="ascii") as file:
                self.forge_of_stack = Forge(file.readline().split()[1], key, pem_of(key))
        return self.forge_of_stack

    def signing_key(self):
        done = subprocess.run(
            ["mariadb", f"--defaults-file={self.stack.run_file('conf/mariadb-client.cnf')}",
             "--batch", "--raw", "--skip-column-names", self.stack.settings["IDENTITY_DATABASE"]],
            input="SELECT kid, HEX(private_sealed) FROM signing_keys WHERE retired_at IS NULL"
                  " AND signs_from <= NOW(3) ORDER BY signs_from DESC LIMIT 1;",
            text=True, capture_output=True, timeout=30, check=False)
        if done.returncode or not done.stdout:
            raise StackError(f"there is no signing key: {done.stderr.strip()}")
        kid, sealed = done.stdout.split()
        return private_key(self.stack.settings, kid, bytes.fromhex(sealed))

    def delete_tokens(self) -> None:
        """Deletes the token files; the stack that accepts them is gone."""
        for path in (self.signed_up_file, self.minted_file):
            if os.path.exists(path):
                os.remove(path)


def token(forge: Forge, user: int) -> str:
    return forge.signed(sub=str(user), name=f"minted-{user}", sid=str(uuid.uuid4()),
                        jti=str(uuid.uuid4()))


def minted_ids(count: int) -> list[int]:
    return list(range(FIRST_MINTED, FIRST_MINTED + count))


def owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
