"""POST /auth/password: the new one counts, the other sessions end."""

import pytest

from support.api import Api, Person, check_problem

NEW = "another correct horse"


def change(api: Api, person: Person, **body: object):
    return api.ask("POST", "/auth/password", person, json=body)


def test_a_new_password_ends_all_other_sessions(api: Api, alice: Person):
    other = api.login(alice.name)
    answer = change(api, alice, old_password=alice.password, new_password=NEW)
    assert answer.status_code == 204 and answer.content == b""
    assert api.user_of_token(other.token).status_code == 401
    check_problem(api.ask_refresh(other.refresh_token), 401)
    assert api.user_of_token(alice.token).status_code == 200
    api.refresh(alice.refresh_token)
    check_problem(api.http.post("/auth/login", json={"name": alice.name,
                                                     "password": alice.password}), 401)
    api.login(alice.name, NEW)


def test_a_wrong_old_password_is_a_guess(api: Api, alice: Person):
    for _ in range(10):
        check_problem(change(api, alice, old_password="wrong", new_password=NEW), 403)
    check_problem(change(api, alice, old_password="wrong", new_password=NEW), 429)
    assert api.user_of_token(alice.token).status_code == 200


BODIES: dict[str, tuple[dict, int]] = {
    "no old one": ({"new_password": NEW}, 422),
    "no new one": ({"old_password": "x"}, 422),
    "null": ({"old_password": None, "new_password": NEW}, 422),
    "a number": ({"old_password": "x", "new_password": 12345678}, 422),
    "a short new one": ({"old_password": "x", "new_password": "1234567"}, 422),
    "a long new one": ({"old_password": "x", "new_password": "x" * 257}, 422),
    "control characters": ({"old_password": "x", "new_password": "1234567\n8"}, 422),
}


@pytest.mark.parametrize("body, status", BODIES.values(), ids=BODIES.keys())
def test_a_bad_body_is_refused(body: dict, status: int, api: Api, alice: Person):
    check_problem(change(api, alice, **body), status)
    api.login(alice.name)


def test_only_the_user_may(api: Api, alice: Person):
    check_problem(api.http.post("/auth/password", json={
        "old_password": alice.password, "new_password": NEW}), 401)
    api.login(alice.name)
