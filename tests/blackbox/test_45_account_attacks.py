"""Attacks on accounts: secrets in the place of another secret, requests that a foreign page sends
from a victim's browser, requests that a proxy and a service read differently, and names that an
attacker tries out. test_40 has forged tokens, test_66_guessing has guesses of a password.
"""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from support.api import Api, Person, check_problem
from support.raw import RawSocket
from support.service import Service
from support.stack import Stack

WRONG = "wrong horse battery"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


# --- one secret in the place of another --------------------------------------------------
def session_of(api: Api, person: Person) -> str:
    return next(session["id"] for session in api.sessions(person) if session["current"])


NOT_ACCESS: dict[str, Callable[[Api, Person], str]] = {
    "a refresh token": lambda api, person: person.refresh_token,
    "a session id": session_of,
    "the password": lambda api, person: person.password,
    "the user id": lambda api, person: str(person.id),
}
NOT_REFRESH: dict[str, Callable[[Api, Person], str]] = {
    "an access token": lambda api, person: person.token,
    "a session id": session_of,
    "the password": lambda api, person: person.password,
}
OPENED: tuple[tuple[str, str], ...] = (
    ("GET", "/auth/getIdByToken"), ("GET", "/auth/status"), ("GET", "/auth/users/1"),
    ("GET", "/auth/sessions"), ("DELETE", "/auth/sessions"), ("POST", "/auth/logout"),
    ("GET", "/conversations"), ("GET", "/sync"), ("GET", "/blocks"), ("PUT", "/blocks/1"),
)


@pytest.mark.parametrize("secret", NOT_ACCESS.values(), ids=NOT_ACCESS.keys())
def test_only_an_access_token_opens_anything(secret: Callable[[Api, Person], str], api: Api,
                                             stack: Stack, alice: Person):
    bearer = {"Authorization": f"Bearer {secret(api, alice)}"}
    for method, path in OPENED:
        check_problem(api.http.request(method, path, headers=bearer), 401)
    with RawSocket(stack.ws_url) as raw:
        assert raw.upgrade(None, **bearer).status == 401
    assert api.user_of_token(alice.token).status_code == 200


@pytest.mark.parametrize("secret", NOT_REFRESH.values(), ids=NOT_REFRESH.keys())
def test_only_a_refresh_token_refreshes(secret: Callable[[Api, Person], str], api: Api,
                                        alice: Person):
    value = secret(api, alice)
    check_problem(api.ask_refresh(value), 401)
    answer = api.http.post("/token", data={"grant_type": "refresh_token", "refresh_token": value})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    api.refresh(alice.refresh_token)


# --- a page of another origin ------------------------------------------------------------
def plain_json(person: Person) -> bytes:
    """What a form with enctype=text/plain can send."""
    return (f'{{"name":"{person.name}","password":"{person.password}","x":"="}}').encode()


FOREIGN: dict[str, Callable[[Api, Person], httpx.Response]] = {
    "a form logs out": lambda api, person: api.http.post("/auth/logout", data={"a": "b"}),
    "a form ends sessions": lambda api, person: api.http.post(
        "/auth/sessions", data={"_method": "DELETE"}),
    "a form changes the password": lambda api, person: api.http.post(
        "/auth/password", data={"old_password": person.password, "new_password": WRONG}),
    "text/plain signs in": lambda api, person: api.http.post(
        "/auth/login", content=plain_json(person), headers={"Content-Type": "text/plain"}),
    "text/plain registers": lambda api, person: api.http.post(
        "/auth/register", content=plain_json(person), headers={"Content-Type": "text/plain"}),
    "text/plain gets a token": lambda api, person: api.http.post(
        "/token", content=b"grant_type=password", headers={"Content-Type": "text/plain"}),
    "a cookie": lambda api, person: api.http.get(
        "/auth/status", headers={"Cookie": f"token={person.token}; access_token={person.token}"}),
    "a preflight": lambda api, person: api.http.options("/auth/logout", headers={
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization"}),
}


@pytest.mark.parametrize("ask", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_page_can_do_nothing_and_read_nothing(
        ask: Callable[[Api, Person], httpx.Response], api: Api, alice: Person):
    api.http.headers.update({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    try:
        answer = ask(api, alice)
        read = api.http.get("/auth/status", headers=alice.bearer)
    finally:
        for name in ("Origin", "Sec-Fetch-Site"):
            del api.http.headers[name]
    assert answer.status_code in (401, 404, 405, 415), answer.text
    for each in (answer, read):
        assert not [name for name in each.headers if name.startswith("access-control-")]
        assert "set-cookie" not in each.headers
    assert api.user_of_token(alice.token).status_code == 200
    assert len(api.sessions(alice)) == 1
    api.login(alice.name)


# --- two readings of one request ---------------------------------------------------------
def ask_raw(stack: Stack, text: str) -> tuple[int, str]:
    """The status, and all that came until the server closed."""
    with socket.create_connection(("127.0.0.1", urlsplit(stack.url).port), timeout=60) as wire:
        wire.sendall(text.encode("latin-1"))
        said = b""
        while piece := wire.recv(65536):
            said += piece
    answer = said.decode("latin-1")
    return int(answer.split(" ")[1]), answer


def request(path: str, *lines: str, body: str = "", method: str = "POST") -> str:
    head = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: parley", "Connection: close", *lines))
    return f"{head}\r\n\r\n{body}"


def form(body: str, *lines: str) -> str:
    return request("/token", f"Content-Type: {FORM}", f"Content-Length: {len(body)}", *lines,
                   body=body)


def smuggled(alice: Person, bob: Person) -> dict[str, str]:
    ours, theirs = f"Authorization: Bearer {alice.token}", f"Authorization: Bearer {bob.token}"
    grant = f"grant_type=password&username={alice.name}&password={alice.password}"
    inner = request("/auth/logout", theirs, "Content-Length: 0")
    return {
        "two tokens": request("/auth/status", ours, theirs, method="GET"),
        "one token twice": request("/auth/status", ours, ours, method="GET"),
        "two tokens in one line": request("/auth/status", f"{ours}, Bearer {bob.token}",
                                          method="GET"),
        "a folded header": request("/auth/status", "Authorization: Bearer",
                                   f" {alice.token}", method="GET"),
        "a space before the colon": request("/auth/status",
                                            f"Authorization : Bearer {alice.token}",
                                            method="GET"),
        "two lengths": request("/auth/logout", ours, "Content-Length: 0",
                               f"Content-Length: {len(inner)}", body=inner),
        "a length and chunks": request("/auth/logout", ours, f"Content-Length: {len(inner) + 5}",
                                       "Transfer-Encoding: chunked", body=f"0\r\n\r\n{inner}"),
        "chunks in another spelling": request(
            "/auth/logout", ours, "Transfer-Encoding: xchunked", "Content-Length: 0"),
        "two types": request("/token", f"Content-Type: {FORM}", f"Content-Type: {JSON}",
                             f"Content-Length: {len(grant)}", body=grant),
        "a member twice": form(f"{grant}&username={bob.name}"),
        "a member in the query": form("grant_type=password").replace(
            "/token ", f"/token?username={alice.name}&password={alice.password} "),
        "a member under an escaped name twice": form(f"{grant}&user%6eame={bob.name}"),
        "another charset": request("/token", f"Content-Type: {FORM};charset=utf-16",
                                   f"Content-Length: {len(grant)}", body=grant),
    }


@pytest.mark.parametrize("name", smuggled(Person(0, "", "", 0, ""), Person(0, "", "", 0, "")))
def test_a_request_with_two_readings_has_no_effect(name: str, stack: Stack, api: Api,
                                                   alice: Person, bob: Person):
    status, said = ask_raw(stack, smuggled(alice, bob)[name])
    assert status in (400, 401, 415, 501), said
    assert said.count("HTTP/1.1 ") == 1, said
    for person in (alice, bob):
        assert api.user_of_token(person.token).status_code == 200


# --- which names exist -------------------------------------------------------------------
def same(answer: httpx.Response) -> tuple[int, dict, dict]:
    """What must not differ."""
    varies = ("date", "x-request-id")
    return (answer.status_code, answer.json(), {name: value for name, value in
                                                answer.headers.items() if name not in varies})


def test_a_sign_in_does_not_tell_whether_a_name_exists(stack: Stack, api: Api):
    """By text, by code, and by the work that the server does."""
    person = api.register()
    absent = f"{person.name[:-1]}~"
    with Service(stack, "identity-service") as lone:
        near = Api(lone.url)
        answers, hashes = {}, {}
        for name in (person.name, absent):
            before = lone.metric("parley_password_hash_seconds_count")
            answers[name] = (
                same(near.http.post("/auth/login", json={"name": name, "password": WRONG})),
                same(near.http.post("/token", data={"username": name, "password": WRONG})))
            hashes[name] = lone.metric("parley_password_hash_seconds_count") - before
        near.close()
    assert answers[person.name] == answers[absent]
    assert hashes[person.name] == hashes[absent] > 0
