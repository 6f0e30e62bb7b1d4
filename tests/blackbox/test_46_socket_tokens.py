"""A new token for an open socket: the notice before the end, `auth` and its answers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.api import Api, Person
from support.chat import Socket, open_socket
from support.raw import RawSocket
from support.service import Service
from support.stack import Stack
from support.wait import until


def session_of(api: Api, token: str) -> str:
    return api.user_of_token(token).json()["session"]


def end(api: Api, person: Person) -> None:
    assert api.ask("POST", "/auth/logout", person).status_code == 204


def replaces(socket: Socket, api: Api, token: str) -> None:
    """The socket takes the token, and its answer tells what identity knows of it."""
    owner = api.user_of_token(token).json()
    socket.authenticate(token)
    answer = socket.expect(type="auth")
    assert answer["session"] == owner["session"]
    assert answer["expires_at"] == owner["expires_at"]


def gateway_refuses(url: str, token: str) -> bool:
    with RawSocket(url) as raw:
        return raw.upgrade(token).status == 401


def says_to_itself(socket: Socket, person: Person) -> None:
    socket.saved(socket.say(person.id, "to myself"))


# --- the life of a token --------------------------------------------------------------
LIVES_S = (4, 16, 64)


class TokenEndedEarly(Exception):
    pass


class Refreshing:
    """One session with short tokens; `expired` counts tokens that ended one after another."""

    def __init__(self, api: Api):
        self.api = api
        self.person = api.register()
        self.expired, self.watched = 0, self.person.token

    def refresh(self) -> str:
        answer = self.api.ask_refresh(self.person.refresh_token)
        assert answer.status_code == 200, answer.text
        self.person = Api.person(answer, self.person.password)
        return self.person.token

    def look(self) -> None:
        if self.api.user_of_token(self.watched).status_code == 401:
            self.expired, self.watched = self.expired + 1, self.person.token


@pytest.mark.slow
def test_a_socket_lives_on_over_several_tokens(stack: Stack, api: Api):
    """On a slow machine a short token ends before its successor has taken its place."""
    for ttl_s in LIVES_S:
        try:
            check_several_tokens(stack, ttl_s)
            return
        except TokenEndedEarly:
            continue
    raise AssertionError("each token ended before its successor was there")


def check_several_tokens(stack: Stack, ttl_s: int) -> None:
    with Service(stack, "identity-service", IDENTITY_TOKEN_TTL=str(ttl_s)) as identity, \
            Service(stack, "websocket-service", IDENTITY_URL=identity.url) as gateway, \
            ExitStack() as opened:
        short = Refreshing(Api(identity.url))
        try:
            lives, ends = [opened.enter_context(open_socket(gateway.ws_url, short.person))
                           for _ in range(2)]
            goes_on(short, lives, ttl_s)
        except (ConnectionClosed, InvalidStatus) as early:
            raise TokenEndedEarly from early
        assert lives.alive()
        assert ends.closed() == (4401, "token_ended")
        assert [frame["type"] for frame in ends.seen if frame["type"] == "token"] == ["token"]


def goes_on(short: Refreshing, socket: Socket, ttl_s: int) -> None:
    while short.expired < 4:
        notice = socket.expect(type="token")
        assert notice["expires_at"] == short.api.user_of_token(
            short.person.token).json().get("expires_at", notice["expires_at"])
        replaces_short(short, socket)
        says_to_itself(socket, short.person)
        socket.during(ttl_s / 10)
        short.look()


def replaces_short(short: Refreshing, socket: Socket) -> None:
    socket.authenticate(short.refresh())
    answer = socket.until("answer to auth", lambda frame: frame["type"] in ("auth", "error"))
    if answer["type"] == "error":  # the token ended while it was looked up
        assert answer["code"] == "bad_token"
        raise TokenEndedEarly


@pytest.mark.slow
def test_the_notice_comes_before_the_end(stack: Stack):
    with Service(stack, "identity-service", IDENTITY_TOKEN_TTL="70") as identity, \
            Service(stack, "websocket-service", IDENTITY_URL=identity.url) as gateway:
        api = Api(identity.url)
        person = api.register()
        with open_socket(gateway.ws_url, person) as socket:
            notice = socket.expect(type="token")
            owner = api.user_of_token(person.token)
            assert owner.status_code == 200, "the token has ended already"
            assert notice["expires_at"] == owner.json()["expires_at"]


# --- which session the socket belongs to ----------------------------------------------
@pytest.fixture(scope="module")
def gateways(stack: Stack) -> Iterator[list[str]]:
    with Service(stack, "websocket-service") as more:
        yield [stack.ws_url, more.ws_url]


def test_the_socket_belongs_to_the_new_session(gateways: list[str], api: Api, alice: Person):
    other = api.login(alice.name)
    with ExitStack() as opened:
        sockets = [opened.enter_context(open_socket(url, alice)) for url in gateways]
        for socket in sockets:
            replaces(socket, api, other.token)
        end(api, alice)
        for url in gateways:
            until("the old session is dead there", lambda: gateway_refuses(url, alice.token))
        for socket in sockets:
            says_to_itself(socket, alice)
        end(api, other)
        assert [socket.closed() for socket in sockets] == [(4401, "session_ended")] * 2


def test_a_token_of_another_user_closes_the_socket(stack: Stack, api: Api, alice: Person,
                                                   bob: Person):
    with open_socket(stack.ws_url, alice) as socket, open_socket(stack.ws_url, alice) as same:
        socket.authenticate(bob.token)
        assert socket.closed() == (4401, "another_user")
        assert [frame for frame in socket.seen if frame["type"] in ("auth", "error")] == []
        says_to_itself(same, alice)
    assert api.user_of_token(bob.token).status_code == 200


# --- tokens that are refused ------------------------------------------------------------
def tampered(api: Api, person: Person) -> str:
    head, body, signature = person.token.split(".")
    return f"{head}.{body}.{signature[::-1]}"


def without_signature(api: Api, person: Person) -> str:
    return person.token.rsplit(".", 1)[0] + "."


def refresh_token(api: Api, person: Person) -> str:
    return person.refresh_token


def of_an_ended_session(api: Api, person: Person) -> str:
    other = api.login(person.name)
    end(api, other)
    return other.token


BAD_TOKENS: dict[str, Callable[[Api, Person], object]] = {
    "tampered": tampered,
    "without signature": without_signature,
    "a refresh token": refresh_token,
    "of a session that has ended": of_an_ended_session,
    "with Bearer before it": lambda api, person: f"Bearer {person.token}",
    "with a blank behind it": lambda api, person: person.token + " ",
    "with a header behind it": lambda api, person: person.token + "\r\nHost: h",
    "no token": lambda api, person: "x",
    "empty": lambda api, person: "",
    "too long": lambda api, person: "x" * 4097,
    "not ASCII": lambda api, person: "é",
    "null": lambda api, person: None,
    "a number": lambda api, person: 1,
    "a list": lambda api, person: [person.token],
    "an object": lambda api, person: {"token": person.token},
}


@pytest.mark.parametrize("make", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_bad_token_leaves_the_old_one(make: Callable[[Api, Person], object], stack: Stack,
                                        api: Api, alice: Person):
    with open_socket(stack.ws_url, alice) as socket:
        socket.send({"type": "auth", "token": make(api, alice)})
        refusal = socket.expect(type="error")
        assert refusal["code"] == "bad_token" and refusal["retryable"] is False, refusal
        says_to_itself(socket, alice)
        assert not [frame for frame in socket.seen if frame["type"] == "auth"]
        end(api, alice)
        assert socket.closed() == (4401, "session_ended")


def test_frames_of_auth_are_answered_in_order(stack: Stack, api: Api, alice: Person):
    others = [api.login(alice.name) for _ in range(3)]
    sessions = [session_of(api, other.token) for other in others]
    with open_socket(stack.ws_url, alice) as socket:
        for other in others:
            socket.authenticate(other.token)
            socket.authenticate("bad")
        answers = [socket.until("an answer", lambda frame: frame["type"] in ("auth", "error"))
                   for _ in range(6)]
    assert [answer["session"] for answer in answers[::2]] == sessions
    assert [answer["code"] for answer in answers[1::2]] == ["bad_token"] * 3


# --- identity is away ---------------------------------------------------------------------
@pytest.mark.alone
def test_identity_is_away_and_the_old_token_stays(stack: Stack, api: Api):
    person = api.register()
    other = api.login(person.name)
    with Service(stack, "identity-service") as asked, \
            Service(stack, "websocket-service", IDENTITY_URL=asked.url) as gateway, \
            open_socket(gateway.ws_url, person) as socket:
        asked.stop()
        socket.authenticate(other.token)
        refusal = socket.expect(type="error")
        assert refusal["code"] == "unavailable" and refusal["retryable"] is True, refusal
        says_to_itself(socket, person)
        asked.start().ready()
        replaces(socket, api, other.token)
        end(api, other)
        assert socket.closed() == (4401, "session_ended")
