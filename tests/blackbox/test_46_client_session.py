"""client-test keeps a session: login, logout, devices, and tokens that end while it is used."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.api import PASSWORD, Api, Person, new_name
from support.chat import open_socket
from support.own_nginx import OwnNginx
from support.service import Service
from support.stack import Stack
from support.terminal import Terminal
from support.wait import HANG_S, until

SHORT_S = 4
LINES_MAX = 1000
REPLACED = "parley_socket_tokens_replaced_total"


class Device:
    """Where a user has signed in: a folder of state, used by one or several processes."""

    def __init__(self, stack: Stack, folder: Path, url: str | None = None):
        self.program, self.url = str(stack.binary("client-test")), url or stack.url
        self.folder = folder / "state"
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("PARLEY_")}
        self.environment["XDG_STATE_HOME"] = str(self.folder)
        self.name = new_name()

    @property
    def path(self) -> Path:
        return self.folder / "parley" / "session"

    def saved(self) -> dict:
        return json.loads(self.path.read_text("utf-8"))

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess:
        return subprocess.run([self.program, *words], input=given, text=True, timeout=HANG_S,
                              capture_output=True, env=self.environment)

    def does(self, *words: str, given: str = "") -> str:
        done = self.run(*words, given=given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fails(self, code: int, *words: str, given: str = "") -> str:
        done = self.run(*words, given=given)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr

    def login(self, name: str | None = None) -> str:
        self.name = name or self.name
        return self.does("login", "--url", self.url, "--name", self.name, given=PASSWORD + "\n")

    @contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen]:
        with subprocess.Popen([self.program, *words], env=self.environment, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            try:
                yield child
            finally:
                child.kill()


@pytest.fixture
def device(stack: Stack, tmp_path: Path) -> Device:
    return Device(stack, tmp_path)


def good(api: Api, token: str) -> bool:
    return api.user_of_token(token).status_code == 200


# --- login, logout, devices -----------------------------------------------------------
def test_a_session_is_kept_used_and_ended(device: Device, api: Api, bob: Person):
    said = device.login()
    assert device.name in said and PASSWORD not in said
    assert stat.S_IMODE(device.path.stat().st_mode) == 0o600
    saved = device.saved()
    assert saved["name"] == device.name and good(api, saved["token"])
    assert "saved " in device.does("send", "--to", bob.name, "hi")
    assert "hi" in device.does("history", "--with", bob.name)
    with device.started("listen", "--count", "1", "--history", "0") as listener:
        while "-- online" not in listener.stderr.readline():
            pass
        device.does("chat", "--to", bob.name, given="from a chat\n")
        assert "from a chat" in listener.stdout.readline()
        assert listener.wait(timeout=HANG_S) == 0
    assert "created" in device.does("group", "create", "--title", "ours", bob.name)
    assert len(device.does("devices").splitlines()) == 1, "a command has signed in again"
    assert device.saved() == saved, "a young token was refreshed"
    assert device.name in device.does("logout")
    assert not device.path.exists() and not good(api, saved["token"])
    assert api.ask_refresh(saved["refresh_token"]).status_code == 401


def test_without_a_session_a_command_says_what_is_needed(device: Device):
    for words in (("devices",), ("send", "--to", "x", "hi"), ("history",), ("listen",),
                  ("chat", "--to", "x"), ("group", "create")):
        assert "client-test login" in device.fails(100, *words)
    assert "client-test login" in device.fails(1, "logout")
    assert "--password is needed" in device.fails(100, "history", "--name", "x")
    assert "--name is needed" in device.fails(100, "history", "--password", PASSWORD)
    device.login()
    assert device.name in device.fails(100, "history", "--name", "another")
    assert device.url in device.fails(100, "history", "--url", "http://127.0.0.1:1")
    device.path.write_text("{", "utf-8")
    assert "damaged" in device.fails(100, "history")


def test_a_login_that_fails_keeps_the_session(device: Device, alice: Person):
    device.login()
    saved = device.saved()
    for given in ("wrong horse battery\n", "short\n"):
        assert "sign in" in device.fails(1, "login", "--url", device.url, "--name", alice.name,
                                         given=given)
    assert "no password" in device.fails(100, "login", "--url", device.url, "--name", alice.name)
    assert device.saved() == saved
    device.login(alice.name)
    assert device.saved()["user"] == alice.id


def test_a_folder_that_cannot_be_written_is_named(device: Device):
    device.folder.write_text("a file", "utf-8")
    assert str(device.path) in device.fails(1, "login", "--url", device.url, "--name",
                                            device.name, given=PASSWORD + "\n")


def test_devices_are_listed_and_ended(stack: Stack, device: Device, api: Api, tmp_path: Path):
    device.login()
    others = [Device(stack, tmp_path / name) for name in "ab"]
    for other in others:
        other.login(device.name)
    rows = device.does("devices").splitlines()
    assert len(rows) == 3 and sum("(this one)" in row for row in rows) == 1
    one = next(row.split()[0] for row in others[0].does("devices").splitlines()
               if "(this one)" in row)
    assert one in device.does("devices", "end", one)
    assert "the session has ended" in others[0].fails(1, "devices")
    assert not others[0].path.exists(), "a session that has ended is kept"
    assert "client-test login" in others[0].fails(100, "devices")
    device.does("devices", "end-others")
    assert not good(api, others[1].saved()["token"])
    assert len(device.does("devices").splitlines()) == 1
    assert "not found" in device.fails(1, "devices", "end", one)
    for words in (("end",), ("end", "x"), ("end-others", "x"), ("stop",)):
        device.fails(100, "devices", *words)


def test_a_profile_is_shown_and_changed(device: Device, api: Api, bob: Person):
    device.login()
    name = "display_name=Älice \"A\""
    shown = device.does("profile", "set", name, "about=one\ntwo", "avatar_url=https://x.example/a")
    assert shown == device.does("profile")
    rows = dict(row.split(maxsplit=1) for row in shown.splitlines() if not row.startswith(" "))
    user = device.saved()["user"]
    assert rows == {"id": str(user), "name": device.name, "display_name": "Älice \"A\"",
                    "about": "one", "avatar_url": "https://x.example/a", "phone": "-"}
    device.does("profile", "set", "about=")
    seen = api.get(f"/auth/users/{user}", bob)
    assert (seen["display_name"], seen["about"]) == ("Älice \"A\"", None)
    assert bob.name in device.does("profile", bob.name)
    assert "no user" in device.fails(1, "profile", new_name())
    assert "avatar_url" in device.fails(1, "profile", "set", "avatar_url=http://x.example/a")
    for words in (("set",), ("set", "about"), ("set", "name=x"), ("set", "=x"),
                  ("set", "about=x", "phone=1"), ("a", "b")):
        device.fails(100, "profile", *words)
    assert api.get(f"/auth/users/{user}", bob)["about"] is None


def test_a_terminal_does_not_show_the_password(device: Device):
    words = [device.program, "login", "--url", device.url, "--name", device.name]
    with Terminal(words, env=device.environment) as terminal:
        terminal.read_until("Password: ", HANG_S)
        terminal.type(PASSWORD + "\n")
        assert terminal.finish(HANG_S) == 0
        assert device.name in terminal.written and PASSWORD not in terminal.written
    assert device.saved()["name"] == device.name


# --- tokens that end ------------------------------------------------------------------
@pytest.fixture
def short(stack: Stack, tmp_path: Path) -> Iterator[tuple[Device, Service, Service]]:
    """A device at a site whose tokens end after a few seconds, its gateway and identity."""
    with ExitStack() as opened:
        identity = opened.enter_context(
            Service(stack, "identity-service", IDENTITY_TOKEN_TTL=str(SHORT_S)))
        gateway = opened.enter_context(
            Service(stack, "websocket-service", IDENTITY_URL=identity.url))
        nginx = opened.enter_context(OwnNginx(stack, gateway, identity))
        yield Device(stack, tmp_path, nginx.url), gateway, identity


def expires(device: Device, api: Api) -> None:
    token = device.saved()["token"]
    until("the token ends", lambda: not good(api, token))


@pytest.mark.slow
def test_a_command_refreshes_a_token_that_has_ended(short: tuple[Device, Service, Service], api: Api):
    device, _, _ = short
    device.login()
    for _ in range(2):
        before = device.saved()
        expires(device, api)
        device.does("devices")
        assert device.saved()["refresh_token"] != before["refresh_token"]
    expires(device, api)
    device.does("logout")
    assert not device.path.exists()


@pytest.mark.slow
def test_processes_that_refresh_at_once_keep_the_session(short: tuple[Device, Service, Service],
                                                         api: Api):
    device, _, _ = short
    device.login()
    for _ in range(2):
        expires(device, api)
        with ExitStack() as opened:
            children = [opened.enter_context(device.started("devices")) for _ in range(8)]
            for child in children:
                said, why = child.communicate(timeout=HANG_S)
                assert child.returncode == 0, said + why
    assert len(device.does("devices").splitlines()) == 1


@pytest.mark.slow
def test_a_chat_outlives_its_tokens(stack: Stack, short: tuple[Device, Service, Service],
                                    api: Api, bob: Person):
    """Two processes of one session: a chat and a listener, over many lives of a token."""
    device, gateway, _ = short
    device.login()
    sent = 0
    with device.started("listen", "--history", "0") as listener, \
            device.started("chat", "--to", bob.name) as chat, \
            open_socket(stack.ws_url, bob) as socket:
        while "-- online" not in listener.stderr.readline():
            pass
        while gateway.metric(REPLACED) < 12:
            assert sent < LINES_MAX, "the sockets get no new tokens"
            chat.stdin.write(f"line {sent}\n")
            chat.stdin.flush()
            assert socket.expect(type="message")["message"] == f"line {sent}"
            assert f"line {sent}" in listener.stdout.readline()
            sent += 1
            socket.during(SHORT_S / 10)
        said, why = chat.communicate(timeout=HANG_S)
        assert chat.returncode == 0, said + why
        listener.terminate()
        listener.communicate(timeout=HANG_S)
    assert len(device.does("devices").splitlines()) == 1, "a process has signed in again"
    assert [message["message"] for message in api.all_messages(
        bob, api.conversations(bob)["conversations"][0]["id"])] == [
            f"line {number}" for number in range(sent)]


@pytest.mark.slow
def test_a_chat_outlives_an_identity_that_is_away(stack: Stack,
                                                  short: tuple[Device, Service, Service],
                                                  api: Api, bob: Person):
    """The token ends meanwhile, and the socket with it."""
    device, gateway, identity = short
    device.login()
    with device.started("chat", "--to", bob.name) as chat, \
            open_socket(stack.ws_url, bob) as socket:
        chat.stdin.write("before\n")
        chat.stdin.flush()
        assert socket.expect(type="message")["message"] == "before"
        identity.stop()
        until("the socket is closed", lambda: gateway.metric("parley_sockets_closed_total") >= 1)
        chat.stdin.write("while it is away\n")
        chat.stdin.flush()
        identity.start().ready()
        assert socket.expect(type="message")["message"] == "while it is away"
        said, why = chat.communicate(timeout=HANG_S)
        assert chat.returncode == 0, said + why
    assert len(device.does("devices").splitlines()) == 1
