"""A session that has ended is dead everywhere: sockets of every gateway, REST of every
service, whatever they remember. Late when identity is away, but never lost."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from support.api import Api, Person, check_problem
from support.chat import open_socket
from support.raw import RawSocket
from support.service import Service
from support.stack import Stack
from support.wait import until


def session_of(api: Api, token: str) -> str:
    return api.user_of_token(token).json()["session"]


def end_by_logout(api: Api, ends: Person, other: Person) -> None:
    assert api.ask("POST", "/auth/logout", ends).status_code == 204


def end_one(api: Api, ends: Person, other: Person) -> None:
    path = f"/auth/sessions/{session_of(api, ends.token)}"
    assert api.ask("DELETE", path, other).status_code == 204


def end_all_others(api: Api, ends: Person, other: Person) -> None:
    assert api.ask("DELETE", "/auth/sessions", other).status_code == 204


def change_password(api: Api, ends: Person, other: Person) -> None:
    assert api.ask("POST", "/auth/password", other, json={
        "old_password": other.password, "new_password": other.password}).status_code == 204


def revoke_token(api: Api, ends: Person, other: Person) -> None:
    assert api.http.post("/auth/revoke", data={"token": ends.token}).status_code == 200


def revoke_refresh_token(api: Api, ends: Person, other: Person) -> None:
    assert api.http.post("/auth/revoke", data={"token": ends.refresh_token}).status_code == 200


def reuse_a_refresh_token(api: Api, ends: Person, other: Person) -> None:
    api.refresh(api.refresh(ends.refresh_token))
    check_problem(api.ask_refresh(ends.refresh_token), 401)


ENDS = {"logout": end_by_logout, "one device": end_one, "all others": end_all_others,
        "a new password": change_password, "an access token revoked": revoke_token,
        "a refresh token revoked": revoke_refresh_token,
        "a refresh token reused": reuse_a_refresh_token}


@pytest.fixture(scope="module")
def gateways(stack: Stack) -> Iterator[list[str]]:
    with Service(stack, "websocket-service") as more:
        yield [stack.ws_url, more.ws_url]


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_an_ended_session_is_dead_everywhere(end: Callable[[Api, Person, Person], None],
                                             gateways: list[str], api: Api, alice: Person):
    other = api.login(alice.name)
    with ExitStack() as opened:
        ended = [opened.enter_context(open_socket(url, alice)) for url in gateways]
        alive = [opened.enter_context(open_socket(url, other)) for url in gateways]
        assert api.ask("GET", "/conversations", alice).status_code == 200
        end(api, alice, other)
        assert [socket.closed()[0] for socket in ended] == [4401, 4401]
        assert all(socket.alive() for socket in alive)
        until("persistence refuses it",
              lambda: api.ask("GET", "/conversations", alice).status_code == 401)
        assert api.ask("GET", "/conversations", other).status_code == 200
        for url in gateways:
            with RawSocket(url) as raw:
                assert raw.upgrade(alice.token).status == 401


@pytest.mark.alone
def test_no_end_is_lost_while_identity_is_away(stack: Stack, api: Api):
    """The session ends through one instance; the one that the services ask is down."""
    people = [api.register() for _ in range(10)]
    with Service(stack, "identity-service") as asked, Service(
            stack, "websocket-service", IDENTITY_URL=asked.url) as gateway, ExitStack() as opened:
        sockets = [opened.enter_context(open_socket(gateway.ws_url, person))
                   for person in people]
        asked.stop()
        for person in people:
            assert api.ask("POST", "/auth/logout", person).status_code == 204
        assert all(socket.alive() for socket in sockets)
        asked.start().ready()
        assert [socket.closed()[0] for socket in sockets] == [4401] * len(people)


def test_a_gateway_that_starts_later_knows_it(stack: Stack, api: Api, alice: Person):
    assert api.ask("POST", "/auth/logout", alice).status_code == 204
    with Service(stack, "websocket-service") as gateway, RawSocket(gateway.ws_url) as raw:
        assert raw.upgrade(alice.token).status == 401


def test_very_many_sessions_end_at_once(stack: Stack, api: Api):
    person = api.register()
    people = [api.login(person.name) for _ in range(99)]
    with ExitStack() as opened:
        sockets = [opened.enter_context(open_socket(stack.ws_url, one)) for one in people]
        assert api.ask("DELETE", "/auth/sessions", person).status_code == 204
        assert {socket.closed()[0] for socket in sockets} == {4401}


CURSORS = ["", "x", "1", "1.", ".", "-1.01936f5e-0c1d-7e2f-8a3b-4c5d6e7f8091",
           "99999999999999999999.01936f5e-0c1d-7e2f-8a3b-4c5d6e7f8091", "1.x"]


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_bad_cursor_is_refused(cursor: str, stack: Stack):
    direct = Api(f"http://127.0.0.1:{stack.port('IDENTITY_PORT')}")
    check_problem(direct.http.get("/internal/ended-sessions", params={"since": cursor}), 422)
    direct.close()


def test_nginx_does_not_forward_the_internal_path(api: Api):
    check_problem(api.http.get("/internal/ended-sessions"), 404)
