"""Wall clocks that jump by hours, forth and back: of an identity-service, of its database, and
of the machine of both. A user who refreshes stays signed in, and a session that has ended stays
dead. The clock of the database decides about refresh tokens, that of the service about access
tokens."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from support.api import Api, Person, check_problem
from support.chat import open_socket
from support.clock import Clock
from support.own_mariadb import OwnMariaDb
from support.service import Service
from support.stack import Stack
from support.wait import until

pytestmark = pytest.mark.prove

MINUTE_S = 61
HOURS_S = 3 * 3600  # longer than an access token lives
DAYS_S = 40 * 86400  # longer than a refresh token lives unused
WHOSE = {"identity": (True, False), "database": (False, True), "machine": (True, True)}


class Clocks:
    """An identity-service and its MariaDB, each with a clock of its own; another instance and a
    gateway whose clocks are right."""
    def __init__(self, stack: Stack, exits: ExitStack, folder: Path):
        mariadb = exits.enter_context(OwnMariaDb(stack))
        self.own, self.database = Clock(folder / "clock"), mariadb.clock
        first, second = (exits.enter_context(Service(
            stack, "identity-service", **mariadb.settings(), **clock))
            for clock in (self.own.settings, {}))
        self.gateway = exits.enter_context(Service(
            stack, "websocket-service", IDENTITY_URL=first.url))
        self.api, self.other = Api(first.url), Api(second.url)
        for api in (self.api, self.other):
            exits.callback(api.close)

    def jump(self, whose: str, added_s: int) -> None:
        own, database = WHOSE[whose]
        self.own.set(added_s if own else 0)
        self.database.set(added_s if database else 0)

    def hear(self) -> None:
        """Until the service has read what ended after this call; with the right clocks."""
        for ends, reads in ((self.other, self.api), (self.api, self.other)):
            person = ends.register()
            assert reads.user_of_token(person.token).status_code == 200
            assert ends.ask("POST", "/auth/logout", person).status_code == 204
            until("the end is known", lambda: dead(reads, person.token))


def dead(api: Api, token: str) -> bool:
    return api.user_of_token(token).status_code == 401


@pytest.fixture(scope="module")
def all_clocks(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clocks]:
    with ExitStack() as exits:
        yield Clocks(stack, exits, tmp_path_factory.mktemp("clocks"))


@pytest.fixture
def clocks(all_clocks: Clocks) -> Iterator[Clocks]:
    yield all_clocks
    all_clocks.jump("machine", 0)


@pytest.fixture(params=[(whose, sign * HOURS_S) for whose in WHOSE for sign in (1, -1)],
                ids=lambda of: f"{of[0]}{of[1] / 3600:+.0f}h")
def jump(request: pytest.FixtureRequest, clocks: Clocks) -> Callable[[bool], None]:
    whose, added_s = request.param
    return lambda wrong: clocks.jump(whose, added_s if wrong else 0)


def test_a_client_that_refreshes_stays_signed_in(clocks: Clocks, jump: Callable[[bool], None]):
    api = clocks.api
    token = api.register().refresh_token
    for wrong in (True, False, True, False):
        lost = api.refresh(token)
        jump(wrong)  # between the rotation and its answer
        answer = api.ask_refresh(token)
        assert answer.status_code == 200 and answer.json()["refresh_token"] == lost
        assert api.user_of_token(answer.json()["token"]).status_code == 200
        token = api.refresh(lost)
        jump(not wrong)  # between two refreshes
        token = api.refresh(token)
    jump(False)
    last = api.ask_refresh(token).json()
    assert api.user_of_token(last["token"]).status_code == 200


def test_an_open_socket_survives(clocks: Clocks, jump: Callable[[bool], None]):
    person = clocks.api.register()
    with open_socket(clocks.gateway.ws_url, person) as socket:
        for wrong in (True, False):
            jump(wrong)
            token = clocks.api.refresh(person.refresh_token)
            person.refresh_token = token
            assert socket.alive()
        clocks.hear()
        assert socket.alive()


@pytest.mark.parametrize("signs_in", ["before", "after"])
def test_a_stolen_token_ends_the_family(signs_in: str, clocks: Clocks,
                                        jump: Callable[[bool], None]):
    api = clocks.api
    jump(signs_in == "after")
    person = api.register()
    second = api.refresh(person.refresh_token)
    jump(True)
    newest = api.ask_refresh(second).json()
    assert not dead(api, newest["token"])
    check_problem(api.ask_refresh(person.refresh_token), 401)  # the thief's
    until("the other instance knows it", lambda: all(
        dead(clocks.other, token) for token in (newest["token"], person.token)))
    for wrong in (True, False, True):
        jump(wrong)
        assert dead(api, newest["token"]) and dead(api, person.token)
        for token in (person.refresh_token, second, newest["refresh_token"]):
            check_problem(api.ask_refresh(token), 401)
    jump(False)
    clocks.hear()
    for each in (api, clocks.other):
        assert dead(each, newest["token"]) and dead(each, person.token)


def test_an_end_with_a_wrong_clock_closes_sockets(clocks: Clocks,
                                                  jump: Callable[[bool], None]):
    person = clocks.api.register()
    with open_socket(clocks.gateway.ws_url, person) as socket:
        jump(True)
        check_problem(use_again(clocks.api, person), 401)
        assert socket.closed()[0] == 4401


def use_again(api: Api, person: Person):
    """The reuse of a refresh token whose successor was used."""
    api.refresh(api.refresh(person.refresh_token))
    return api.ask_refresh(person.refresh_token)


def test_an_ended_session_stays_dead_when_the_clock_comes_back(
        clocks: Clocks, jump: Callable[[bool], None]):
    person = clocks.api.register()
    assert clocks.api.ask("POST", "/auth/logout", person).status_code == 204
    jump(True)
    assert dead(clocks.api, person.token)  # also by its age, when the clock is late
    jump(False)
    clocks.hear()
    for api in (clocks.api, clocks.other):
        assert dead(api, person.token)


def test_a_socket_with_a_cached_token_is_a_use(clocks: Clocks, stack: Stack, tmp_path: Path):
    person = clocks.api.register()
    clock = Clock(tmp_path / "clock")
    last_used = clocks.api.sessions(person)[0]["last_used_at"]
    with Service(stack, "websocket-service", IDENTITY_URL=clocks.api.url,
                 **clock.settings) as gateway:
        for added_s in (0, MINUTE_S):
            clock.set(added_s)
            clocks.jump("identity", added_s)
            with open_socket(gateway.ws_url, person):
                pass
            last_used = until("it was used later", lambda: later_use(clocks, person, last_used))


def later_use(clocks: Clocks, person: Person, before: str) -> str | None:
    last = clocks.api.sessions(person)[0]["last_used_at"]
    return last if last > before else None


def test_the_clock_of_a_service_ends_no_refresh_token(clocks: Clocks):
    token = clocks.api.register().refresh_token
    for added_s in (DAYS_S, -DAYS_S, 0):
        clocks.jump("identity", added_s)
        token = clocks.api.refresh(token)


# --- presence ------------------------------------------------------------------------
@pytest.mark.parametrize("added_s", (1800, -1800))  # less than an access token lives
def test_a_gateway_with_a_wrong_clock_spoils_no_presence(added_s: int, stack: Stack, api: Api,
                                                         alice: Person, bob: Person,
                                                         tmp_path: Path):
    """The gateways write times to Redis, of which the highest counts."""
    clock = Clock(tmp_path / "clock")
    clock.set(added_s)

    def state() -> str:
        user, = subscriber.expect(type="presence")["users"]
        assert user["user"] == bob.id
        if user["state"] == "offline" and "last_seen" in user:
            assert began <= datetime.fromisoformat(user["last_seen"]) <= datetime.now(timezone.utc)
        return user["state"]

    def subscribed() -> bool:
        subscriber.watch(bob.id)
        frame = subscriber.until("an answer", lambda one: one["type"] in ("presence", "error"))
        return frame["type"] == "presence" and frame["users"][0]["state"] == "offline"

    with Service(stack, "websocket-service", **clock.settings) as wrong, \
            open_socket(stack.ws_url, alice) as subscriber:
        began = datetime.now(timezone.utc) - timedelta(seconds=1)
        until("presence is available", subscribed)
        for url in (wrong.ws_url, stack.ws_url, wrong.ws_url):
            with open_socket(url, bob):
                assert state() == "online"
            assert state() == "offline"
