"""Signing keys: they rotate while instances run, and are encrypted in the database."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pymysql
import pytest

from support import canaries
from support.api import Api, Person, check_problem
from support.background import in_background
from support.sealed import pem_of_row, secret_of
from support.service import Service, environment
from support.stack import ROOT, Stack
from support.stores import rows
from support.wait import HANG_S, until

SCHEMA = ROOT / "identity-service" / "schema"
VERSIONS = sorted(int(path.name[:4]) for path in SCHEMA.glob("*.sql"))
# The first version that encrypts keys.
ENCRYPTED = 7
OLD_VERSIONS = [version for version in VERSIONS if version < ENCRYPTED]
# The lead is far longer than the second in which instances read keys, also on a slow machine.
SHORT = {"IDENTITY_KEY_LEAD": "8", "IDENTITY_TOKEN_TTL": "4"}


def kid_of(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


class KeyDatabase:
    """An identity database for one test, and the instances that share it."""

    def __init__(self, stack: Stack, name: str):
        self.stack, self.name = stack, f"keys_{name}"
        self.user, self.password = stack.make_database_admin()
        self.connection = pymysql.connect(
            host="127.0.0.1", port=stack.port("MYSQL_PORT"), user=self.user,
            password=self.password, autocommit=True, charset="utf8mb4")
        self.cursor = self.connection.cursor()
        self.cursor.execute(f"DROP DATABASE IF EXISTS {self.name}")
        self.cursor.execute(f"CREATE DATABASE {self.name}")
        self.connection.select_db(self.name)

    def settings(self, **changes: str) -> dict[str, str]:
        return {"IDENTITY_DATABASE": self.name, "MYSQL_USER": self.user,
                "MYSQL_PASSWORD": self.password, "MYSQL_PASSWORD_FILE": ""} | changes

    def service(self, **changes: str) -> Service:
        return Service(self.stack, "identity-service", **self.settings(**changes))

    def rotate(self, **changes: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.stack.binary("identity-service"), "--rotate-key"],
                              env=environment(self.stack, **self.settings(**changes)),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=HANG_S, check=False)

    def ask(self, statement: str, *values: object) -> list[tuple]:
        self.cursor.execute(statement, values)
        return list(self.cursor.fetchall())

    def kids(self) -> list[str]:
        return [kid for kid, in self.ask(
            "SELECT kid FROM signing_keys WHERE retired_at IS NULL ORDER BY signs_from, kid")]

    def drop(self) -> None:
        self.cursor.execute(f"DROP DATABASE {self.name}")
        self.connection.close()


@pytest.fixture
def keys(stack: Stack, request: pytest.FixtureRequest) -> Iterator[KeyDatabase]:
    made = KeyDatabase(stack, re.sub(r"\W+", "_", request.node.name)[-40:])
    yield made
    made.drop()


# --- rotation -----------------------------------------------------------------------
class Caching:
    """A client that verifies tokens with a JWKS that it keeps for its max-age."""

    def __init__(self, url: str):
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=HANG_S)
        self.keys: dict[str, jwt.PyJWK] = {}
        self.fetched_at = self.max_age = 0.0

    def fetch(self) -> None:
        asked_at = time.monotonic()
        answer = self.http.get("/.well-known/jwks.json")
        assert answer.status_code == 200, answer.text
        self.max_age = float(re.search(r"max-age=(\d+)", answer.headers["Cache-Control"])[1])
        self.keys = {key["kid"]: jwt.PyJWK(key) for key in answer.json()["keys"]}
        assert len(self.keys) == len(answer.json()["keys"])
        self.fetched_at = asked_at

    def verify(self, token: str) -> None:
        if time.monotonic() > self.fetched_at + self.max_age:
            self.fetch()
        jwt.decode(token, self.keys[kid_of(token)].key, algorithms=["RS256"],
                   options={"verify_exp": False, "verify_aud": False})


class Users:
    """Refreshes at one instance and uses every token at all of them, until it is stopped."""

    def __init__(self, issues: Service, services: list[Service]):
        self.apis = [Api(service.url) for service in services]
        self.issues = Api(issues.url)
        self.readers = [Caching(service.url) for service in services]
        self.stopping = threading.Event()
        self.seen: dict[str, int] = {}
        self.faults: list[str] = []
        person = self.issues.register()
        self.newest, self.next = person.token, person.refresh_token
        self.done = in_background(self.run)

    def run(self) -> None:
        while not self.stopping.is_set():
            began = time.monotonic()
            answer = self.issues.ask_refresh(self.next)
            assert answer.status_code == 200, answer.text
            self.next = answer.json()["refresh_token"]
            self.use(answer.json()["token"], began)

    def use(self, token: str, issued_after: float) -> None:
        for reader in self.readers:
            reader.verify(token)
        for api in self.apis:
            answer = api.user_of_token(token)
            # A slow machine may take longer than the token lives.
            if answer.status_code != 200 and time.monotonic() < issued_after + 2:
                self.faults.append(f"{kid_of(token)} at {api.url}: {answer.text}")
        self.newest = token
        self.seen[kid_of(token)] = self.seen.get(kid_of(token), 0) + 1

    def stop(self) -> None:
        self.stopping.set()
        self.done.result(HANG_S)
        for api in (*self.apis, self.issues):
            api.close()


def used(users: list[Users], kid: str, more_than: int = 5) -> bool:
    """Also true when a user has failed, which stop() raises."""
    return any(user.done.done() for user in users) or \
        all(user.seen.get(kid, 0) > more_than for user in users)


def jwks(service: Service) -> set[str]:
    answer = httpx.get(f"{service.url}/.well-known/jwks.json", trust_env=False, timeout=HANG_S)
    return {key["kid"] for key in answer.json()["keys"]}


def test_a_rotation_refuses_no_good_token(keys: KeyDatabase):
    """The new key is in every JWKS before it signs, for longer than a client keeps the JWKS;
    the old one verifies until its last token is dead, then it is gone."""
    with keys.service(**SHORT) as one, keys.service(**SHORT) as two:
        users = [Users(one, [one, two]), Users(two, [one, two])]
        try:
            old, = keys.kids()
            until("tokens were used", lambda: used(users, old))
            done = keys.rotate(**SHORT)
            assert done.returncode == 0, done.stderr
            new = keys.kids()[-1]
            assert new != old and new in done.stdout
            assert re.search(r"signs from \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ on", done.stdout)
            until("both publish the new key",
                  lambda: all(jwks(service) == {old, new} for service in (one, two)))
            until("the new key signs", lambda: used(users, new))
            until("the old key is gone",
                  lambda: all(jwks(service) == {new} for service in (one, two)))
            assert keys.kids() == [new]
            before = max(user.seen.get(new, 0) for user in users)
            until("tokens are good afterwards", lambda: used(users, new, before + 5))
        finally:
            for user in users:
                user.stop()
        for user in users:
            assert user.faults == []
            assert set(user.seen) == {old, new}
        for service in (one, two):
            assert [event["kid"] for event in service.events("keyring.key_signs")] == [old, new]


def test_keys_rotate_by_themselves_and_once(keys: KeyDatabase):
    """Two instances find at the same time that a key is old."""
    with keys.service(IDENTITY_KEY_LEAD="5") as one, keys.service(IDENTITY_KEY_LEAD="5") as two:
        old, = keys.kids()
        keys.ask("UPDATE signing_keys SET signs_from = NOW(3) - INTERVAL 90 DAY")
        new = until("a key was made", lambda: keys.kids()[1:])[0]
        assert Api(one.url).register().token
        for service in (one, two):
            until("the new key signs", lambda service=service: kid_of(
                Api(service.url).register().token) == new)
        assert keys.kids() == [old, new]
        made = one.events("keyring.key_made") + two.events("keyring.key_made")
        assert [event["kid"] for event in made] == [old, new]


def test_rotations_together_make_one_key(keys: KeyDatabase):
    with keys.service():
        old, = keys.kids()
        runs = [in_background(keys.rotate) for _ in range(4)]
        said = [run.result(HANG_S) for run in runs]
        assert [done.returncode for done in said] == [0] * 4, said
        assert len(keys.kids()) == 2
        new = keys.kids()[1]
        assert all(new in done.stdout for done in said)
        assert sum("made the new key" in done.stdout for done in said) == 1
        assert new != old


def ask_path(service: Service, path: str, headers: dict[str, str]) -> httpx.Response:
    return httpx.get(f"{service.url}{path}", headers=headers, trust_env=False, timeout=HANG_S)


def test_a_key_that_an_instance_has_not_read_is_looked_up(keys: KeyDatabase):
    """The instance was stopped while another made a key that signed at once."""
    with keys.service() as one, keys.service() as two:
        person = Api(one.url).register()
        os.kill(two.child.pid, signal.SIGSTOP)
        try:
            assert keys.rotate().returncode == 0
            keys.ask("UPDATE signing_keys SET retired_at = NOW(3) WHERE signs_from <= NOW(3)")
            new, = keys.kids()
            token = until("the new key signs", lambda: (
                Api(one.url).login(person.name).token
                if one.events("keyring.key_signs")[-1]["kid"] == new else ""))
            assert kid_of(token) == new
            asked = [in_background(Api(two.url).user_of_token, token) for _ in range(20)]
            bearer = {"Authorization": f"Bearer {token}"}
            asked += [in_background(ask_path, two, path, bearer)
                      for path in ("/auth/sessions", "/auth/status", "/auth/profile")]
        finally:
            os.kill(two.child.pid, signal.SIGCONT)
        assert [answer.result(HANG_S).status_code for answer in asked] == [200] * 23
        # The old key is no longer believed anywhere.
        for service in (one, two):
            until("the old token is refused", lambda service=service: Api(
                service.url).user_of_token(person.token).status_code == 401)


def test_without_the_database_no_unknown_key_is_refused(keys: KeyDatabase, stack: Stack,
                                                        api: Api, alice: Person):
    """Only the database can say that a key does not exist: 503, not 401."""
    with keys.service() as service:
        own = Api(service.url)
        person = own.register()
        check_problem(own.user_of_token(alice.token), 401)
        keys.ask(f"ALTER USER {keys.user}@127.0.0.1 ACCOUNT LOCK")
        try:
            for process, in keys.ask("SELECT id FROM information_schema.processlist"
                                     " WHERE user = %s AND id <> CONNECTION_ID()", keys.user):
                keys.ask(f"KILL {process}")
            until("the database is away", lambda: not service.readiness()["ready"])
            check_problem(own.user_of_token(alice.token), 503)
            assert own.user_of_token(person.token).status_code == 200
        finally:
            keys.ask(f"ALTER USER {keys.user}@127.0.0.1 ACCOUNT UNLOCK")
        until("it is back", lambda: service.readiness()["ready"])
        check_problem(own.user_of_token(alice.token), 401)


# --- the secret ------------------------------------------------------------------------
@pytest.fixture
def other_secret(tmp_path: Path) -> str:
    file = tmp_path / "secret"
    file.write_text("another secret, of the length that is needed\n")
    return str(file)


BAD_SECRETS = {
    "missing": ({"IDENTITY_KEY_SECRET_FILE": ""}, "IDENTITY_KEY_SECRET is not set"),
    "no file": ({"IDENTITY_KEY_SECRET_FILE": "/nonexistent/secret"},
                "IDENTITY_KEY_SECRET_FILE names '/nonexistent/secret'"),
    "empty": ({"IDENTITY_KEY_SECRET_FILE": "/dev/null"}, "IDENTITY_KEY_SECRET_FILE names"),
    "short": ({"IDENTITY_KEY_SECRET_FILE": "", "IDENTITY_KEY_SECRET": "x" * 31},
              "IDENTITY_KEY_SECRET has 31 characters"),
    "twice": ({"IDENTITY_KEY_SECRET": "x" * 32}, "are both set"),
    "before, no file": ({"IDENTITY_KEY_SECRET_BEFORE_FILE": "/nonexistent/secret"},
                        "IDENTITY_KEY_SECRET_BEFORE_FILE names"),
    "too often": ({"IDENTITY_KEY_ROTATE_DAYS": "1", "IDENTITY_TOKEN_TTL": "31536000"},
                  "IDENTITY_KEY_ROTATE_DAYS is '1'"),
}


@pytest.mark.parametrize("changes, said", BAD_SECRETS.values(), ids=BAD_SECRETS.keys())
@pytest.mark.parametrize("option", [[], ["--check"], ["--rotate-key"]], ids=["start", "check",
                                                                            "rotate"])
def test_a_bad_setting_is_named_at_the_start(changes: dict, said: str, option: list[str],
                                             stack: Stack):
    done = subprocess.run([stack.binary("identity-service"), *option],
                          env=environment(stack, **changes), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=HANG_S, check=False)
    assert done.returncode == 100
    assert said in done.stderr and "xxxx" not in done.stderr


def test_a_wrong_secret_is_named_and_makes_no_key(keys: KeyDatabase, other_secret: str):
    with keys.service() as service:
        token = Api(service.url).register().token
        before = keys.ask("SELECT * FROM signing_keys")
        wrong = keys.service(IDENTITY_KEY_SECRET_FILE=other_secret).start()
        try:
            until("the service names the setting", lambda: "IDENTITY_KEY_SECRET_FILE" in
                  wrong.readiness().get("why", {}).get("mysql", ""))
            fault, = wrong.events("keyring.wrong_secret")
            assert fault["level"] == "error" and keys.kids()[0] in fault["why"]
            check_problem(Api(wrong.url).user_of_token(token), 503)
            done = keys.rotate(IDENTITY_KEY_SECRET_FILE=other_secret)
            assert done.returncode == 111
            assert "IDENTITY_KEY_SECRET_FILE" in done.stderr and not done.stdout
        finally:
            wrong.stop()
            wrong.said.unlink()
        assert [row[0] for row in keys.ask("SELECT * FROM signing_keys")] == [
            row[0] for row in before]
        assert Api(service.url).user_of_token(token).status_code == 200


def test_the_secret_is_changed_while_instances_run(keys: KeyDatabase, stack: Stack,
                                                   other_secret: str):
    with keys.service() as one:
        token = Api(one.url).register().token
        with keys.service(IDENTITY_KEY_SECRET_FILE=other_secret,
                          IDENTITY_KEY_SECRET_BEFORE_FILE=stack.settings[
                              "IDENTITY_KEY_SECRET_FILE"]) as two:
            for service in (one, two):
                assert Api(service.url).user_of_token(token).status_code == 200
            newer = Api(two.url).register().token
            assert Api(one.url).user_of_token(newer).status_code == 200
    with keys.service(IDENTITY_KEY_SECRET_FILE=other_secret) as three:
        for good in (token, newer):
            assert Api(three.url).user_of_token(good).status_code == 200
        assert len(keys.kids()) == 1
    (kid, sealed), = keys.ask("SELECT kid, private_sealed FROM signing_keys")
    assert pem_of_row(Path(other_secret).read_text().strip(), kid, sealed)


# --- from an older version ------------------------------------------------------------------
def columns(keys: KeyDatabase, table: str) -> list[str]:
    return [name for name, in keys.ask(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s"
        " AND table_name = %s ORDER BY ordinal_position", keys.name, table)]


def make_old(keys: KeyDatabase, version: int) -> None:
    """The schema as the program of this version left it."""
    keys.ask("CREATE TABLE schema_version (version INT UNSIGNED NOT NULL PRIMARY KEY,"
             " applied_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)) ENGINE=InnoDB")
    for path in sorted(SCHEMA.glob("*.sql"))[:version]:
        for statement in path.read_text("utf-8").split(";\n"):
            if statement.strip():
                keys.cursor.execute(statement)
        keys.ask("INSERT INTO schema_version (version) VALUES (%s)", int(path.name[:4]))


def copy_rows(keys: KeyDatabase, stack: Stack, table: str, where: str) -> None:
    """Rows of the stack's database, without the columns that the old schema lacks."""
    names = ", ".join(columns(keys, table))
    for row in rows(stack, f"SELECT {names} FROM {table} WHERE {where}", name="identity"):
        places = ", ".join(["%s"] * len(row))
        keys.ask(f"INSERT INTO {table} ({names}) VALUES ({places})", *row)


def put_key_in_the_clear(keys: KeyDatabase, stack: Stack, kid: str) -> str:
    (sealed,), = rows(stack, f"SELECT private_sealed FROM signing_keys WHERE kid = '{kid}'",
                      name="identity")
    pem = pem_of_row(secret_of(stack.settings), kid, sealed).decode()
    keys.ask("INSERT INTO signing_keys (kid, private_pem, created_at)"
             " VALUES (%s, %s, NOW(3) - INTERVAL 1 YEAR)", kid, pem)
    return pem


def dump(keys: KeyDatabase) -> bytes:
    client = f"[client]\nhost=127.0.0.1\nport={keys.stack.port('MYSQL_PORT')}\n" \
             f"user={keys.user}\npassword={keys.password}\n"
    done = subprocess.run(["mariadb-dump", "--defaults-file=/dev/stdin", "--single-transaction",
                           keys.name], input=client.encode(), capture_output=True,
                          timeout=HANG_S, check=True)
    assert b"CREATE TABLE `signing_keys`" in done.stdout
    return done.stdout


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_an_older_database_keeps_users_sessions_and_tokens(version: int, keys: KeyDatabase,
                                                           stack: Stack, api: Api):
    person = api.register()
    kid = kid_of(person.token)
    make_old(keys, version)
    copy_rows(keys, stack, "users", f"id = {person.id}")
    copy_rows(keys, stack, "sessions", f"user = {person.id}")
    pem = put_key_in_the_clear(keys, stack, kid)
    assert "PRIVATE KEY" in pem and pem.split("\n")[2].encode() in dump(keys)
    for _ in range(2):  # the second start has nothing to do
        with keys.service() as service:
            own = Api(service.url)
            assert [found for found, in keys.ask("SELECT version FROM schema_version"
                                                 " ORDER BY version")] == VERSIONS
            answer = own.user_of_token(person.token)
            assert answer.status_code == 200
            assert (answer.json()["id"], answer.json()["name"]) == (person.id, person.name)
            session = answer.json()["session"]
            assert session in [one["id"] for one in own.sessions(person)]
            again = own.login(person.name)
            assert again.id == person.id and kid_of(again.token) == kid
            check_problem(own.http.post("/auth/login", json={
                "name": person.name, "password": "a wrong password"}), 401)
            if "refresh_current" in columns_of(version):
                refreshed = own.ask_refresh(person.refresh_token)
                assert refreshed.status_code == 200, refreshed.text
                person.refresh_token = refreshed.json()["refresh_token"]
                assert own.user_of_token(refreshed.json()["token"]).json()["session"] == session
            assert keys.kids() == [kid]
    text = dump(keys)
    assert b"PRIVATE KEY" not in text and pem.split("\n")[2].encode() not in text
    assert keys.ask("SELECT COUNT(*) FROM sessions") == [(3,)]
    # The same key, encrypted.
    (sealed,), = keys.ask("SELECT private_sealed FROM signing_keys")
    assert pem_of_row(secret_of(stack.settings), kid, sealed).decode() == pem


def columns_of(version: int) -> str:
    return "".join(path.read_text() for path in sorted(SCHEMA.glob("*.sql"))[:version])


def test_an_ended_session_stays_ended(keys: KeyDatabase, stack: Stack, api: Api):
    person = api.register()
    make_old(keys, 1)
    copy_rows(keys, stack, "users", f"id = {person.id}")
    copy_rows(keys, stack, "sessions", f"user = {person.id}")
    keys.ask("UPDATE sessions SET revoked_at = NOW(3) - INTERVAL 1 DAY")
    put_key_in_the_clear(keys, stack, kid_of(person.token))
    with keys.service() as service:
        check_problem(Api(service.url).user_of_token(person.token), 401)
        assert Api(service.url).login(person.name).id == person.id


# --- places -------------------------------------------------------------------------------
@pytest.mark.alone
def test_what_signs_is_in_no_dump_and_no_log(keys: KeyDatabase, stack: Stack):
    """After a rotation and a change of the secret; the search finds a key in the clear."""
    with keys.service() as service:
        token = Api(service.url).register().token
        assert keys.rotate().returncode == 0
        pems = [pem_of_row(secret_of(stack.settings), kid, sealed).decode()
                for kid, sealed in keys.ask("SELECT kid, private_sealed FROM signing_keys")]
        assert len(pems) == 2
        secret = {f"key {number}": pem.split("\n")[2] for number, pem in enumerate(pems)}
        secret |= {"any key": "PRIVATE KEY-----", "secret": secret_of(stack.settings)}
        places = [("dump", dump(keys)), ("log", service.log().encode()),
                  ("jwks", httpx.get(f"{service.url}/.well-known/jwks.json",
                                     trust_env=False).content)]
        places += list(canaries.logs(stack)) + list(canaries.processes(stack))
        assert canaries.hits(iter(places), secret) == []
        keys.ask("INSERT INTO signing_keys (kid, private_pem, retired_at)"
                 " VALUES ('planted', %s, NOW(3))", pems[0])
        assert canaries.hits(iter([("dump", dump(keys))]), secret) == ["any key in dump",
                                                                       "key 0 in dump"]
        assert Api(service.url).user_of_token(token).status_code == 200
