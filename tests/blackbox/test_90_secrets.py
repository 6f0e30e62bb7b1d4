"""Known secrets appear in their own places only.

The search also covers the data of earlier tests, which share the stack.
"""

import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer

from support import canaries
from support.api import PASSWORD, Api, Person
from support.chat import Socket
from support.raw import CLOSE, TEXT, frame, open_raw
from support.sealed import pem_of_row, secret_of
from support.service import Service
from support.stack import SERVICES, Stack
from support.stores import database, hints, rows
from support.wait import HANG_S, until

# Places that may hold texts.
TEXT_PLACES = ("value of message_save", "value of message_events", "value of message_dlq",
               "table chat.messages")
LARGE = "x" * 20000


def canary(kind: str) -> str:
    return f"canary-{kind}-{secrets.token_hex(8)}"


@dataclass
class Exercise:
    secret: dict[str, str]
    text: str
    refusals: list[tuple[str, bytes]]


class Client:
    """Records headers and body of each refusal."""

    def __init__(self, url: str):
        self.refusals: list[tuple[str, bytes]] = []
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=HANG_S,
                                 event_hooks={"response": [self.note]})

    def note(self, answer: httpx.Response) -> None:
        answer.read()
        if answer.status_code >= 400:
            self.refusals.append((f"answer {answer.status_code} to {answer.url.path}",
                                  repr(answer.headers.raw).encode() + answer.content))


def try_sign_ins(client: Client, person: Person, secret: dict[str, str]) -> None:
    json = {"Content-Type": "application/json"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    post = client.http.post
    post("/auth/login", json={"name": person.name, "password": secret["wrong password"]})
    post("/auth/login", json={"name": secret["name"], "password": secret["wrong password"]})
    post("/auth/register", json={"name": person.name, "password": person.password})
    post("/auth/register", json={"name": "", "password": secret["wrong password"]})
    post("/auth/login", content=f'{{"password":"{secret["cut password"]}', headers=json)
    post("/auth/login", content=f'password={secret["cut password"]}&%zz', headers=form)
    post("/auth/login", content=secret["cut password"], headers={"Content-Type": "text/plain"})
    post("/auth/login", json={"name": "a", "password": secret["long password"] + LARGE[:300]})
    post(f"/auth/login?password={secret['query']}", headers=json,
         content=f'{{"password":"{secret["long password"]}{LARGE}')


def try_tokens(client: Client, person: Person, secret: dict[str, str]) -> None:
    odd = {"Referer": f"http://h/?token={secret['query']}", "Cookie": secret["cookie"]}
    for path in ("/auth/status", "/conversations", "/auth/users/1", "/nowhere", "/ws"):
        for bearer in (secret["bad token"], person.token[:-3] + "AAA", secret["bad token"] + LARGE):
            client.http.get(path, params={"token": secret["query"]},
                            headers=odd | {"Authorization": f"Bearer {bearer}"})
    client.http.get(f"/conversations//x?token={secret['query']}", headers=odd)
    client.http.get(f"/auth/status?token={secret['query']}",
                    headers={"Sec-WebSocket-Protocol": f"parley, bearer.{secret['bad token']}"})


def try_cookies(client: Client, person: Person, secret: dict[str, str]) -> str:
    """As a page does; the refresh token of its cookie."""
    page = {"Origin": str(client.http.base_url).rstrip("/"), "Parley-Refresh-Token": "cookie"}
    signed_in = client.http.post("/auth/login", headers=page, json={
        "name": person.name, "password": person.password})
    token = signed_in.headers["set-cookie"].split(";")[0].removeprefix("parley_refresh=")
    for cookie in (secret["cookie"], f"{token}; parley_refresh={secret['cookie']}",
                   secret["cookie"] + LARGE[:9000]):
        client.http.cookies.clear()
        client.http.post("/auth/refresh", json={},
                         headers=page | {"Cookie": f"parley_refresh={cookie}"})
    client.http.post("/auth/refresh", json={}, headers=page | {
        "Cookie": f"parley_refresh={token}", "Origin": "http://evil.example"})
    client.http.cookies.clear()
    return token


def try_with_services_down(stack: Stack, client: Client, secret: dict[str, str]) -> None:
    """Requests while a service behind nginx is down."""
    stack.stop("identity-service")
    try:
        client.http.post(f"/auth/login?token={secret['query']}",
                         json={"name": "a", "password": secret["wrong password"]},
                         headers={"Referer": secret["query"]})
        client.http.get("/conversations", headers={"Authorization": f"Bearer {secret['bad token']}"})
    finally:
        stack.start("identity-service")
        stack.wait_ready()


def try_frames(stack: Stack, client: Client, person: Person, secret: dict[str, str],
               text: str) -> None:
    with Socket(stack.ws_url, person.token) as socket:
        socket.saved(socket.say(person.id, text))
        for bad in (f'{{"uuid":"{secret["bad text"]}', f'{{"type":"{secret["bad text"]}"}}',
                    f'{{"uuid":"x","message":"{secret["bad text"]}"}}'):
            socket.send(bad)
            client.refusals.append(("error frame", repr(socket.error()).encode()))
    with open_raw(stack.ws_url, person.token) as raw:
        raw.send(frame(TEXT, secret["bad text"].encode() + b"\xff"))
        client.refusals.append(("close", raw.next(CLOSE)))


def signing_key(stack: Stack) -> str:
    kid, sealed = rows(stack, "SELECT kid, private_sealed FROM signing_keys LIMIT 1",
                       name="identity")[0]
    pem = pem_of_row(secret_of(stack.settings), kid, sealed).decode()
    assert pem.startswith("-----BEGIN PRIVATE KEY-----\n")
    return pem.split("\n")[2]


@pytest.fixture(scope="module")
def exercise(stack: Stack, shared_api: Api) -> Exercise:
    stack.wait_ready()
    secret = {kind: canary(kind.replace(" ", "-")) for kind in (
        "password", "wrong password", "cut password", "long password", "name", "bad token",
        "query", "cookie", "bad text")}
    client, text = Client(stack.url), canary("text")
    person = shared_api.register(password=secret["password"])
    shared_api.login(person.name, secret["password"])
    try_sign_ins(client, person, secret)
    try_tokens(client, person, secret)
    try_frames(stack, client, person, secret, text)
    secret |= {"refresh token": person.refresh_token,
               "refresh token of a cookie": try_cookies(client, person, secret)}
    try_with_services_down(stack, client, secret)
    secret |= {"everybody's password": PASSWORD, "token": person.token,
               "signature": person.token.rsplit(".", 1)[1][:40],
               "password of MariaDB": stack.secret("mysql"),
               "password of Redis": stack.secret("redis"), "signing key": signing_key(stack),
               "any private key": "PRIVATE KEY-----",
               "secret of the signing keys": secret_of(stack.settings)}
    assert {place.split()[1] for place, _ in client.refusals if place.startswith("answer")} >= {
        "400", "401", "403", "404", "409", "413", "415", "422", "426", "431", "502"}
    return Exercise(secret, text, client.refusals)


def assert_nowhere(exercise: Exercise, places: Iterator[canaries.Place],
                   may: tuple[str, ...] = ()) -> None:
    read = list(places)
    assert read
    found = canaries.hits(iter(read), exercise.secret, may)
    found += canaries.hits(iter(read), {"text": exercise.text}, TEXT_PLACES)
    assert found == []


@pytest.mark.alone
def test_logs_hold_no_secrets(stack: Stack, exercise: Exercise):
    until("nginx has written its log",
          lambda: b'"/nowhere"' in (stack.run_dir / "log/nginx-access.log").read_bytes())
    assert_nowhere(exercise, canaries.logs(stack))


@pytest.mark.alone
def test_processes_show_no_secrets(stack: Stack, exercise: Exercise):
    assert_nowhere(exercise, canaries.processes(stack))


@pytest.mark.alone
def test_topics_hold_texts_but_no_secrets(stack: Stack, exercise: Exercise):
    assert_nowhere(exercise, canaries.topics(stack))


@pytest.mark.alone
def test_redis_holds_no_secrets(stack: Stack, exercise: Exercise):
    assert_nowhere(exercise, canaries.redis_keys(stack))


@pytest.mark.alone
def test_refusals_hold_no_secrets(exercise: Exercise):
    assert_nowhere(exercise, iter(exercise.refusals))


@pytest.mark.alone
def test_admin_pages_hold_no_secrets(stack: Stack, exercise: Exercise):
    assert_nowhere(exercise, canaries.admin_pages(stack))


@pytest.mark.alone
def test_tables_hold_texts_only(stack: Stack, exercise: Exercise):
    """Nothing in a dump of the databases signs a token."""
    assert_nowhere(exercise, canaries.tables(stack, "chat"))
    assert_nowhere(exercise, canaries.tables(stack, "identity"))


@pytest.mark.alone
def test_other_users_can_read_no_secrets(stack: Stack, exercise: Exercise):
    """Secrets are in files of the run directory that only its owner can read."""
    assert canaries.hits(canaries.open_files(stack), exercise.secret) == []


# --- core files -------------------------------------------------------------------
def crash(stack: Stack, service: str, folder: Path, **changes: str) -> bool:
    """Aborts a service that has done work; returns whether it left a core file."""
    one = Service(stack, service, **changes)
    one.child = subprocess.Popen(
        ["prlimit", "--core=unlimited:unlimited", str(one.binary)], cwd=folder, env=one.env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        one.ready()
        if service == "identity-service":
            Api(one.url).register()
        os.kill(one.child.pid, signal.SIGABRT)
        _, status = os.waitpid(one.child.pid, 0)
    finally:
        one.child.kill()
        one.child.wait()
        one.said.unlink(missing_ok=True)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status)


@pytest.mark.parametrize("service", SERVICES)
def test_a_crash_leaves_no_core_file(service: str, stack: Stack, api: Api, tmp_path: Path):
    assert not crash(stack, service, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif("release" not in os.environ.get("PARLEY_BUILD", "release"),
                    reason="sanitizers forbid core files themselves")
@pytest.mark.skipif(not Path("/proc/sys/kernel/core_pattern").read_text().startswith("core"),
                    reason="core files do not land where we look")
def test_a_core_file_holds_the_secrets(stack: Stack, api: Api, tmp_path: Path):
    """With CORE_FILES=1 there is a core file, and the secrets are in it."""
    assert crash(stack, "identity-service", tmp_path, CORE_FILES="1")
    core, = tmp_path.iterdir()
    assert stack.secret("mysql").encode() in core.read_bytes()


# --- the search itself --------------------------------------------------------------
def plant_file(path: Path, text: str, mode: int) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def plant_records(stack: Stack, text: str) -> None:
    producer = Producer({"bootstrap.servers": f"127.0.0.1:{stack.port('KAFKA_PORT')}"})
    for record in ({"key": text}, {"value": text}, {"headers": [("why", text.encode())]}):
        producer.produce("message_events", **record)
    assert producer.flush(20) == 0


@pytest.mark.alone
def test_planted_secrets_are_found(stack: Stack, api: Api):
    text = canary("planted")
    planted = {"planted": text}

    def seen(places: Iterator[canaries.Place]) -> set[str]:
        return {hit.removeprefix("planted in ") for hit in canaries.hits(places, planted)}

    log = plant_file(stack.run_dir / "log" / "planted.log", f"a {text} b", 0o600)
    assert seen(canaries.logs(stack)) == {"log/planted.log"}
    log.unlink()

    with subprocess.Popen(["sleep", "60"], cwd=stack.run_dir, env={"PLANTED": text}) as child:
        assert seen(canaries.processes(stack)) == {"environ of sleep"}
        child.kill()
    with subprocess.Popen(["sh", "-c", "read x", text], cwd=stack.run_dir,
                          stdin=subprocess.PIPE) as child:
        assert seen(canaries.processes(stack)) == {"cmdline of sh"}
        child.kill()

    plant_records(stack, text)
    assert seen(canaries.topics(stack)) == {f"{part} of message_events"
                                            for part in ("key", "value", "headers")}

    hints(stack).set(text, "x", ex=60)
    hints(stack).set("planted", text, ex=60)
    assert seen(canaries.redis_keys(stack)) == {"key of Redis", "value of Redis"}
    hints(stack).delete(text, "planted")

    with database(stack, "chat") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE planted (secret BLOB)")
        cursor.execute("INSERT INTO planted VALUES (%s)", (text,))
    assert seen(canaries.tables(stack, "chat")) == {"table chat.planted"}
    rows(stack, "DROP TABLE planted")

    mode = stack.run_dir.stat().st_mode & 0o777
    stack.run_dir.chmod(0o755)
    shown = plant_file(stack.run_dir / "planted", text, 0o644)
    assert "file planted" in seen(canaries.open_files(stack))
    shown.unlink()
    stack.run_dir.chmod(mode)
