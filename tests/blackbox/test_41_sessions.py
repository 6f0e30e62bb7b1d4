"""Sessions: refresh tokens rotate, devices are listed and ended."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import Api, Person, check_problem
from support.bad import members, nested
from support.service import Service
from support.stack import Stack
from support.wait import until

ABSENT = "01936f5e-0c1d-7e2f-8a3b-4c5d6e7f8091"


def session_of(api: Api, token: str) -> str:
    return api.user_of_token(token).json()["session"]


def dead(api: Api, token: str) -> bool:
    return api.user_of_token(token).status_code == 401


# --- refresh ------------------------------------------------------------------------
def test_a_refresh_gives_new_tokens_of_the_same_session(api: Api, alice: Person):
    answer = api.ask_refresh(alice.refresh_token)
    body = answer.json()
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert body["user"] == {"id": alice.id, "name": alice.name}
    assert body["token"] != alice.token and body["refresh_token"] != alice.refresh_token
    assert session_of(api, body["token"]) == session_of(api, alice.token)
    # The older access token lives until it expires.
    assert api.user_of_token(alice.token).status_code == 200


def test_a_lost_answer_can_be_asked_for_again(api: Api, alice: Person):
    lost = api.refresh(alice.refresh_token)
    assert api.refresh(alice.refresh_token) == lost
    following = api.refresh(lost)
    assert api.refresh(lost) == following


def test_a_token_that_two_clients_used_ends_the_session(api: Api, alice: Person):
    other = api.login(alice.name)
    newest = api.refresh(api.refresh(alice.refresh_token))
    check_problem(api.ask_refresh(alice.refresh_token), 401)
    check_problem(api.ask_refresh(newest), 401)
    assert dead(api, alice.token)
    # Another session of the user lives on.
    assert api.user_of_token(other.token).status_code == 200
    api.refresh(other.refresh_token)


def test_tabs_that_refresh_at_once_agree(api: Api, stack: Stack, alice: Person):
    """Also through two instances, again and again."""
    with Service(stack, "identity-service") as second, ThreadPoolExecutor(8) as pool:
        apis = [api, Api(second.url)]
        token = alice.refresh_token
        for _ in range(10):
            together = threading.Barrier(8)

            def tab(number: int, token: str = token,
                    together: threading.Barrier = together) -> str:
                together.wait()
                return apis[number % 2].refresh(token)

            token, = set(pool.map(tab, range(8)))
        apis[1].close()


def test_a_killed_identity_signs_nobody_out(api: Api, stack: Stack, alice: Person):
    """The answer to every refresh is lost, at some moment before or after the commit."""
    token = alice.refresh_token
    for _ in range(5):
        with Service(stack, "identity-service") as victim:
            asked = threading.Event()

            def ask(url: str = victim.url, token: str = token,
                    asked: threading.Event = asked) -> None:
                lone = Api(url)
                asked.set()
                try:
                    lone.ask_refresh(token)
                except Exception:  # noqa: BLE001 - the connection dies, as wanted
                    pass
                lone.close()

            asking = threading.Thread(target=ask)
            asking.start()
            asked.wait()
            victim.child.kill()
            asking.join()
        token = api.refresh(token)


BODIES = {
    "no body": (b"", 400),
    "not JSON": (b"refresh_token=x", 400),
    "an array": (b"[]", 400),
    "twice": (b'{"refresh_token":"a","refresh_token":"a"}', 400),
    "65 members": (("{" + ",".join(members(65)) + "}").encode(), 400),
    "17 levels": (nested(17).encode(), 400),
    "missing": (b"{}", 422),
    "null": (b'{"refresh_token":null}', 422),
    "a number": (b'{"refresh_token":1}', 422),
    "empty": (b'{"refresh_token":""}', 401),
    "short": (b'{"refresh_token":"x"}', 401),
    "unknown": (b'{"refresh_token":"' + b"A" * 64 + b'"}', 401),
    "padded": (b'{"refresh_token":"' + b"A" * 63 + b'="}', 401),
    "a blank before": (b'{"refresh_token":" ' + b"A" * 64 + b'"}', 401),
    "long": (b'{"refresh_token":"' + b"A" * 10000 + b'"}', 401),
}


@pytest.mark.parametrize("body, status", BODIES.values(), ids=BODIES.keys())
def test_a_bad_body_is_refused(body: bytes, status: int, api: Api):
    check_problem(api.http.post("/auth/refresh", content=body,
                                headers={"Content-Type": "application/json"}), status)


def test_tokens_are_not_mixed_up(api: Api, alice: Person):
    """An access token refreshes nothing, and a refresh token opens nothing."""
    check_problem(api.ask_refresh(alice.token), 401)
    check_problem(api.user_of_token(alice.refresh_token), 401)
    check_problem(api.http.get("/conversations", headers={
        "Authorization": f"Bearer {alice.refresh_token}"}), 401)
    api.refresh(alice.refresh_token)


@pytest.mark.parametrize("idle, most, seconds", [(70, 1000, 70), (1000, 70, 70)])
def test_the_settings_bound_refresh_tokens(idle: int, most: int, seconds: int, stack: Stack):
    with Service(stack, "identity-service", IDENTITY_REFRESH_IDLE=str(idle),
                 IDENTITY_REFRESH_MAX=str(most)) as service:
        api = Api(service.url)
        person = api.register()
        signed_in = api.http.post("/auth/login", json={"name": person.name,
                                                       "password": person.password}).json()
        assert signed_in["refresh_expires_in"] == seconds
        refreshed = api.ask_refresh(signed_in["refresh_token"]).json()
        assert 0 <= refreshed["refresh_expires_in"] <= seconds
        api.close()


def test_a_form_is_refused(api: Api, alice: Person):
    check_problem(api.http.post("/auth/refresh", data={
        "refresh_token": alice.refresh_token}), 415)


# --- devices ------------------------------------------------------------------------
def test_a_user_sees_the_own_devices(api: Api, alice: Person, bob: Person):
    phone = api.http.post("/auth/login", headers={"User-Agent": "a phone"}, json={
        "name": alice.name, "password": alice.password}).json()
    rows = api.sessions(alice)
    assert len(rows) == 2 and sum(row["current"] for row in rows) == 1
    first = rows[0]  # used last
    assert first["user_agent"] == "a phone" and first["address"] == "127.0.0.1"
    assert first["id"] == session_of(api, phone["token"]) and not first["current"]
    api.refresh(alice.refresh_token)
    assert api.sessions(alice)[0]["id"] == session_of(api, alice.token)
    assert len(api.sessions(bob)) == 1


@pytest.mark.parametrize("use", ["a refresh", "a socket"])
def test_a_session_is_used(use: str, api: Api, alice: Person, enter):
    session, = api.sessions(alice)
    if use == "a refresh":
        api.refresh(alice.refresh_token)
    else:
        enter(alice)
    until("it was used later", lambda: api.sessions(alice)[0]["last_used_at"] >
          session["last_used_at"])


def test_a_user_agent_of_any_bytes_is_listed(api: Api, stack: Stack, alice: Person):
    odd = b"caf\xe9 \xf0\x9f\x98\x80 " + b"x" * 1000
    api.http.post("/auth/login", headers={b"User-Agent": odd},
                  json={"name": alice.name, "password": alice.password})
    assert api.sessions(alice)[0]["user_agent"] == \
        ("caf? ???? " + "x" * 1000)[:255]


def test_a_logout_ends_the_own_session_at_once(api: Api, alice: Person):
    other = api.login(alice.name)
    answer = api.ask("POST", "/auth/logout", alice)
    assert answer.status_code == 204 and answer.content == b""
    assert dead(api, alice.token)
    check_problem(api.ask("POST", "/auth/logout", alice), 401)
    check_problem(api.ask_refresh(alice.refresh_token), 401)
    assert len(api.sessions(other)) == 1


def test_every_instance_refuses_an_ended_session(api: Api, stack: Stack, alice: Person):
    with Service(stack, "identity-service") as second:
        other = Api(second.url)
        assert not dead(other, alice.token)
        assert api.ask("POST", "/auth/logout", alice).status_code == 204
        until("the other instance knows it", lambda: dead(other, alice.token))
        other.close()


def test_a_user_ends_one_session(api: Api, alice: Person, bob: Person):
    lost = api.login(alice.name)
    path = f"/auth/sessions/{session_of(api, lost.token)}"
    check_problem(api.ask("DELETE", path, bob), 404)
    assert not dead(api, lost.token)
    assert api.ask("DELETE", path, alice).status_code == 204
    assert dead(api, lost.token) and not dead(api, alice.token)
    check_problem(api.ask("DELETE", path, alice), 404)
    check_problem(api.ask_refresh(lost.refresh_token), 401)


@pytest.mark.parametrize("session", [ABSENT, "1", "x" * 36, ABSENT.replace("-", "")])
def test_an_absent_session_is_404(session: str, api: Api, alice: Person):
    check_problem(api.ask("DELETE", f"/auth/sessions/{session}", alice), 404)


def test_a_user_ends_all_other_sessions(api: Api, alice: Person, bob: Person):
    others = [api.login(alice.name) for _ in range(3)]
    assert api.ask("DELETE", "/auth/sessions", alice).status_code == 204
    assert all(dead(api, other.token) for other in others)
    assert not dead(api, alice.token) and not dead(api, bob.token)
    assert [row["current"] for row in api.sessions(alice)] == [True]
    api.refresh(alice.refresh_token)
