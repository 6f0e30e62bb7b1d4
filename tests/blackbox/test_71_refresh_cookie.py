"""The refresh token of a page, in a cookie (docs/adr/0036): a page of Parley's own origin gets it,
uses it and loses it; a page of any other origin can do none of that, with any call of openapi.yaml.
test_41 has the refresh tokens themselves.
"""

import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from support.api import PASSWORD, Api, Person, check_problem, new_name
from support.phones import Phones, new_address, new_phone, service_of
from support.protocol import description
from support.raw import RawSocket
from support.service import Service
from support.stack import Stack

HOST = "chat.example"
ASK = {"Parley-Refresh-Token": "cookie"}
NAMES = {"http": "parley_refresh", "https": "__Secure-parley_refresh"}
IDLE_S = 30 * 24 * 3600
VARY = "Parley-Refresh-Token, Origin, Cookie"


# --- a browser --------------------------------------------------------------------------
@dataclass
class Door:
    """A way to identity-service. The proxy says the scheme; nginx says that of its own port, also
    when TLS ends in front of it."""
    url: str
    scheme: str
    proxy: dict[str, str]


class Page:
    """A page of Parley: a browser with its cookies, and an access token in memory."""

    def __init__(self, door: Door, host: str = HOST):
        self.door, self.origin = door, f"{door.scheme}://{host}"
        self.name = NAMES[door.scheme]
        self.http = Api(door.url).http
        self.http.headers.update({"Host": host} | door.proxy)
        self.token: str | None = None  # the refresh token, which a page cannot see
        self.access: str | None = None
        self.person = (new_name(), PASSWORD)

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"{self.name}={self.token}"} if self.token else {}

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}

    def send(self, method: str, path: str, headers: dict, **options) -> httpx.Response:
        """With these headers only; the cookies of the answer are not kept."""
        answer = self.http.request(method, path, headers=headers, **options)
        self.http.cookies.clear()
        return answer

    def ask(self, method: str, path: str, headers: dict | None = None,
            **options) -> httpx.Response:
        """As fetch() does, and the browser keeps the cookie of the answer."""
        own = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"} | ASK
        answer = self.send(method, path, own | self.cookie | (headers or {}), **options)
        if is_set(answer):
            self.token = self.value_of(answer)
        return answer

    def value_of(self, answer: httpx.Response) -> str | None:
        """The token of the cookie that the answer sets; None: it deletes the cookie."""
        cookie, = answer.headers.get_list("set-cookie")
        secure = "; Secure" if self.door.scheme == "https" else ""
        found = re.fullmatch(
            rf"{self.name}=([\w-]*); Path=/auth; Max-Age=(\d+); HttpOnly; SameSite=Strict{secure}",
            cookie, re.ASCII)
        assert found, cookie
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Vary"] == VARY
        token, age = found[1], int(found[2])
        assert (len(token), age > 0) in ((64, True), (0, False)), cookie
        return token or None

    def sign_in(self, call: str = "register", **options) -> httpx.Response:
        name, password = self.person
        body = options or {"json": {"name": name, "password": password}}
        answer = self.ask("POST", f"/auth/{call}", **body)
        assert answer.status_code == (201 if call == "register" else 200), answer.text
        self.access = answer.json()["token"]
        return answer

    def refresh(self, **options) -> httpx.Response:
        return self.ask("POST", "/auth/refresh", **({"json": {}} | options))

    def close(self) -> None:
        self.http.close()


def is_set(answer: httpx.Response) -> bool:
    return "set-cookie" in answer.headers


def dead(page: Page) -> bool:
    return page.send("GET", "/auth/getIdByToken", page.bearer).status_code == 401


def direct(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.settings['IDENTITY_PORT']}"


@pytest.fixture(params=["nginx, http", "nginx, https", "direct, http", "direct, https"])
def door(request: pytest.FixtureRequest, stack: Stack, api: Api) -> Door:
    way, scheme = request.param.split(", ")
    return (Door(stack.url, scheme, {}) if way == "nginx" else
            Door(direct(stack), scheme, {"X-Forwarded-Proto": scheme}))


# Of a long table, two of the four.
TWO_DOORS = pytest.mark.parametrize("door", ["nginx, http", "direct, https"], indirect=True)


@pytest.fixture
def page(door: Door) -> Iterator[Page]:
    page = Page(door)
    page.sign_in()
    yield page
    page.close()


@pytest.fixture
def other(page: Page) -> Iterator[Page]:
    """The same user in another browser."""
    other = Page(page.door)
    other.person = page.person
    other.sign_in("login")
    yield other
    other.close()


# --- it is set --------------------------------------------------------------------------
def check_signed_in(page: Page, answer: httpx.Response) -> None:
    body = answer.json()
    assert page.token and page.value_of(answer) == page.token
    assert page.token not in answer.text and "refresh_token" not in body
    assert f"Max-Age={body['refresh_expires_in']};" in answer.headers["set-cookie"]
    assert body["token_type"] == "Bearer" and body["user"]["name"] == page.person[0]


def test_a_page_gets_the_refresh_token_as_a_cookie(door: Door):
    page = Page(door)
    name, password = page.person
    check_signed_in(page, page.sign_in())
    first = page.token
    check_signed_in(page, page.sign_in("login"))
    check_signed_in(page, page.sign_in("login", data={"name": name, "password": password}))
    assert page.token != first
    before = page.token
    check_signed_in(page, page.refresh())
    assert page.token != before and not dead(page)
    page.close()


def test_a_page_that_signs_in_by_phone_gets_it(stack: Stack):
    with service_of(stack) as service:
        phones, phone = Phones(service, stack), new_phone()
        page = Page(Door(service.url, "http", {"X-Forwarded-Proto": "http"}))
        for status in (201, 200):
            answer = page.ask("POST", "/auth/phone/verify", new_address(), json={
                "phone": phone, "code": phones.code(phone), "name": page.person[0]})
            assert answer.status_code == status
            check_signed_in(page, answer)
        assert page.refresh().status_code == 200
        foreign = page.send("POST", "/auth/phone/verify", ASK | {"Origin": "http://evil.example"},
                            json={"phone": phone, "code": phones.code(phone)})
        check_problem(foreign, 403)
        assert not is_set(foreign)
        assert page.token not in service.log()
        page.close()


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080", "192.0.2.7:8443"])
def test_every_host_has_pages(host: str, door: Door):
    page = Page(door, host)
    check_signed_in(page, page.sign_in())
    assert page.refresh().status_code == 200
    page.close()


def test_a_page_whose_browser_tells_no_fetch_metadata(page: Page):
    """Over plain http, except to loopback addresses, and in old browsers."""
    answer = page.send("POST", "/auth/refresh",
                       {"Origin": page.origin} | ASK | page.cookie, json={})
    assert answer.status_code == 200 and page.value_of(answer)


def test_who_does_not_ask_gets_no_cookie(page: Page):
    """Whatever else the request says, and the cookie stays good."""
    name, password = page.person
    headers = page.cookie | {"Origin": page.origin, "Sec-Fetch-Site": "same-origin"}
    login = page.send("POST", "/auth/login", headers, json={"name": name, "password": password})
    body = login.json()
    refreshed = page.send("POST", "/auth/refresh", headers,
                          json={"refresh_token": body["refresh_token"]})
    for answer in (login, refreshed):
        assert answer.status_code == 200 and not is_set(answer)
        assert answer.headers["Vary"] == VARY
    assert refreshed.json()["refresh_token"] not in (body["refresh_token"], page.token)
    check_problem(page.send("POST", "/auth/refresh", headers, json={}), 422)
    assert page.refresh().status_code == 200


@pytest.mark.parametrize("value", ["body", "Cookie", "cookie, cookie", "1"])
def test_a_header_with_another_value_is_refused(value: str, page: Page):
    for path in ("/auth/login", "/auth/refresh", "/auth/logout"):
        answer = page.ask("POST", path, {"Parley-Refresh-Token": value} | page.bearer, json={})
        check_problem(answer, 400)
        assert not is_set(answer)
    assert page.refresh().status_code == 200


# --- it is used -------------------------------------------------------------------------
def test_a_lost_answer_is_given_again(page: Page):
    lost = page.token
    first = page.value_of(page.refresh())
    page.token = lost
    assert page.value_of(page.refresh()) == first
    following = page.value_of(page.refresh())
    assert following not in (lost, first) and not dead(page)


def test_tabs_that_refresh_at_once_agree(page: Page, stack: Stack):
    """Also through two instances, again and again."""
    with Service(stack, "identity-service") as second, ThreadPoolExecutor(8) as pool:
        far = Page(Door(second.url, page.door.scheme, page.door.proxy))
        for _ in range(5):
            together = threading.Barrier(8)

            def tab(number: int, cookie: dict = page.cookie,
                    together: threading.Barrier = together) -> str:
                near = (page, far)[number % 2]
                headers = {"Origin": page.origin} | ASK | cookie
                together.wait()
                answer = near.send("POST", "/auth/refresh", headers, json={})
                assert answer.status_code == 200, answer.text
                return near.value_of(answer)

            page.token, = set(pool.map(tab, range(8)))
        far.close()
    assert page.refresh().status_code == 200


def test_a_stolen_cookie_ends_the_session_and_is_deleted(page: Page, other: Page):
    stolen = page.token
    page.refresh()
    page.refresh()
    newest = page.token
    page.token = stolen
    answer = page.refresh()
    check_problem(answer, 401)
    assert page.value_of(answer) is None and page.token is None and dead(page)
    page.token = newest
    check_problem(page.refresh(), 401)
    assert page.token is None
    assert other.refresh().status_code == 200 and not dead(other)


def test_a_token_of_the_body_and_the_cookie_exclude_each_other(page: Page, api: Api):
    """The header decides which one is meant. Nothing is used when both are."""
    person = api.register()
    for value in (person.refresh_token, page.token, "", None, 1):
        answer = page.refresh(json={"refresh_token": value})
        check_problem(answer, 422)
        assert not is_set(answer)
    kept = page.token
    assert page.refresh().status_code == 200
    answer = page.send("POST", "/auth/refresh", {"Origin": page.origin} | page.cookie,
                       json={"refresh_token": person.refresh_token})
    assert answer.json()["user"]["id"] == person.id and not is_set(answer)
    # The token of the cookie is a refresh token as any other.
    answer = page.send("POST", "/auth/refresh", {}, json={"refresh_token": kept})
    assert answer.json()["refresh_token"] == page.token


@pytest.mark.parametrize("body, status", [
    (b"", 400), (b"[]", 400), (b"{", 400), (b'{"a":1,"a":1}', 400), (b'{"a":"\xff"}', 400)])
def test_a_bad_body_uses_nothing(body: bytes, status: int, page: Page):
    before = page.token
    answer = page.refresh(content=body, headers={"Content-Type": "application/json"}, json=None)
    check_problem(answer, status)
    assert not is_set(answer) and page.token == before
    assert page.refresh().status_code == 200


# --- bad cookies ------------------------------------------------------------------------
def others(count: int) -> str:
    return "; ".join(f"c{number}={'x' * 90}" for number in range(count))


# Cookie headers, each with the name and the good token; the status; whether the answer deletes it.
COOKIES: dict[str, tuple[tuple[str, ...], int, bool]] = {
    "the cookie": (("{name}={token}",), 200, False),
    "among others": (("a=1; {name}={token}; b=2",), 200, False),
    "blanks around": (("a=1 ;\t {name} \t=  {token} ;",), 200, False),
    "among 70 others": ((others(70) + "; {name}={token}",), 200, False),
    "in a second header": (("a=1", "{name}={token}"), 200, False),
    "none": ((), 401, False),
    "no header of ours": (("a=1",), 401, False),
    "an empty header": (("",), 401, False),
    "no value": (("{name}=",), 401, True),
    "no equals sign": (("{name}",), 401, False),
    "only the value": (("{token}",), 401, False),
    "another name": (("{name}2={token}",), 401, False),
    "capitals": (("{capitals}={token}",), 401, False),
    "the name of the other scheme": (("{foreign}={token}",), 401, False),
    "a space of Unicode before": (("\u2003{name}={token}",), 401, False),
    "quotes": (('{name}="{token}"',), 401, True),
    "an escape": (("{name}=%41{token}",), 401, True),
    "padding": (("{name}={token}=",), 401, True),
    "cut short": (("{name}={cut}",), 401, True),
    "a letter more": (("{name}={token}A",), 401, True),
    "another family": (("{name}=AAAA{cut}AA",), 401, True),
    "unknown": (("{name}=" + "A" * 64,), 401, True),
    "no base64": (("{name}=" + "!" * 64,), 401, True),
    "bytes of no text": (("{name}=\xff\xfe\x80",), 401, True),
    "an access token": (("{name}={access}",), 401, True),
    "long": (("{name}=" + "A" * 7000,), 401, True),
    "twice": (("{name}={token}; {name}={theirs}",), 400, False),
    "twice, the other order": (("{name}={theirs}; {name}={token}",), 400, False),
    "twice, in two headers": (("{name}={token}", "{name}={theirs}"), 400, False),
    "twice the same": (("{name}={token}; {name}={token}",), 400, False),
    "garbage beside it": (("{name}=x; {name}={token}",), 400, False),
    "nothing beside it": (("{name}=; {name}={token}",), 400, False),
    "a hundred": (("; ".join(["{name}={token}"] + ["{name}=x"] * 99),), 400, False),
    "beside that of the other scheme": (("{foreign}={theirs}; {name}={token}",), 200, False),
    "attributes of RFC 2965": (('$Version=1; {name}={token}; $Path="/auth"',), 200, False),
}


@TWO_DOORS
@pytest.mark.parametrize("lines, status, deleted", COOKIES.values(), ids=COOKIES.keys())
def test_cookies(lines: tuple[str, ...], status: int, deleted: bool, page: Page, api: Api):
    mallory = api.register()
    foreign = next(name for name in NAMES.values() if name != page.name)
    texts = [line.format(name=page.name, foreign=foreign, token=page.token, cut=page.token[:-6],
                         theirs=mallory.refresh_token, access=page.access,
                         capitals=page.name.upper()) for line in lines]
    headers = [(b"Origin", page.origin.encode()), (b"Parley-Refresh-Token", b"cookie"),
               *((b"Cookie", text.encode("utf-8" if "\u2003" in text else "latin-1"))
                 for text in texts)]
    answer = page.send("POST", "/auth/refresh", httpx.Headers(headers), json={})
    assert answer.status_code == status, answer.text
    assert is_set(answer) == (status == 200 or deleted)
    if is_set(answer):
        assert (page.value_of(answer) is None) == deleted
    if status == 200:
        assert answer.json()["user"]["name"] == page.person[0]
    # No token was used up, of neither user.
    assert page.refresh().status_code == 200
    api.refresh(mallory.refresh_token)


def ask_raw(page: Page, lines: list[str], version: str = "1.1") -> str:
    """All that came until the server closed."""
    port = urlsplit(page.door.url).port
    head = "\r\n".join((f"POST /auth/refresh HTTP/{version}", "Connection: close",
                        "Content-Type: application/json", "Content-Length: 2",
                        "Parley-Refresh-Token: cookie", f"Origin: {page.origin}",
                        f"Cookie: {page.name}={page.token}", *lines))
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
        try:
            wire.sendall(f"{head}\r\n\r\n{{}}".encode("latin-1"))
            while piece := wire.recv(65536):
                said += piece
        except ConnectionError:
            pass  # refused while we still wrote
    return said.decode("latin-1")


@pytest.mark.parametrize("size", [40_000, 200_000])
def test_cookies_that_are_too_long_are_refused(size: int, page: Page):
    said = ask_raw(page, [f"Host: {HOST}", f"Cookie: a={'x' * size}"])
    assert not said or re.match(r"HTTP/1\.1 4(00|13|31) ", said), said[:300]
    assert "set-cookie" not in said.lower()
    assert page.refresh().status_code == 200


@pytest.mark.parametrize("lines, version", [
    ((), "1.0"), ((), "1.1"), (("Host: evil.example",), "1.1"), (("Host:",), "1.1"),
    ((f"Host: {HOST}", "Host: evil.example"), "1.1"), ((f"Host: {HOST}:1",), "1.1"),
    ((f"Host: {HOST}", "Origin: https://evil.example"), "1.1"),
    ((f"Host: {HOST}", "Sec-Fetch-Site: cross-site"), "1.1")])
def test_a_request_of_another_host_is_refused(lines: tuple[str, ...], version: str, page: Page):
    said = ask_raw(page, list(lines), version)
    assert re.match(r"HTTP/1\.[01] (400|403) ", said), said[:300]
    assert "set-cookie" not in said.lower()
    assert page.refresh().status_code == 200


# --- it is no access token --------------------------------------------------------------
def calls(methods: tuple[str, ...]) -> list[tuple[str, str, dict]]:
    return [(method.upper(), path, operation)
            for path, item in description("openapi.yaml")["paths"].items()
            for method, operation in item.items() if method in methods]


WITH_TOKEN = [(method, path) for method, path, operation in
              calls(("get", "post", "put", "patch", "delete"))
              if operation.get("security") is None]


def place(path: str) -> str:
    return re.sub(r"\{\w+\}", "1", path)


@pytest.mark.parametrize("method, path", WITH_TOKEN)
def test_the_cookie_opens_nothing(method: str, path: str, stack: Stack, api: Api):
    page = Page(Door(stack.url, "https", {}))
    page.sign_in()
    for extra in ({}, {"Authorization": f"Bearer {page.token}"}, {"Authorization": "Bearer"},
                  {"Cookie": f"token={page.access}; access_token={page.access}; "
                             f"{page.name}={page.access}"}):
        answer = page.ask(method, place(path), extra, **(
            {"json": {}} if method != "GET" else {}))
        check_problem(answer, 401)
        assert not is_set(answer)
    assert page.refresh().status_code == 200
    page.close()


def test_the_cookie_opens_no_socket(page: Page, stack: Stack, api: Api):
    for token in (page.token, page.access):
        with RawSocket(stack.ws_url) as raw:
            assert raw.upgrade(None, Cookie=f"{page.name}={token}; token={token}").status == 401


@pytest.mark.parametrize("path, form", [
    ("/token", {"grant_type": "refresh_token"}), ("/auth/token", {"grant_type": "refresh_token"}),
    ("/auth/revoke", {"x": "y"}), ("/auth/revoke", {"token": ""}), ("/auth/introspect", {"token": "x"})])
def test_the_calls_of_oauth_read_and_set_no_cookie(path: str, form: dict, page: Page, api: Api):
    answer = page.ask("POST", path, data=form)
    assert answer.status_code in (200, 400, 401) and not is_set(answer)
    person = api.register()
    granted = page.ask("POST", "/token", data={"username": person.name,
                                               "password": person.password})
    assert granted.json()["refresh_token"] and not is_set(granted)
    assert not dead(page) and page.refresh().status_code == 200


# --- it is deleted ----------------------------------------------------------------------
def session_of(page: Page) -> str:
    return page.send("GET", "/auth/getIdByToken", page.bearer).json()["session"]


def delete_own(page: Page) -> httpx.Response:
    return page.ask("DELETE", f"/auth/sessions/{session_of(page)}", page.bearer)


ENDS: dict[str, Callable[[Page], httpx.Response]] = {
    "a logout": lambda page: page.ask("POST", "/auth/logout", page.bearer),
    "the end of the own session": delete_own,
    "DELETE of the account": lambda page: page.ask(
        "DELETE", "/auth/account", page.bearer, json={"password": PASSWORD}),
    "POST of the account's deletion": lambda page: page.ask(
        "POST", "/auth/account/delete", page.bearer, json={"password": PASSWORD}),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_a_page_that_ends_its_session_loses_the_cookie(end: Callable[[Page], httpx.Response],
                                                       page: Page):
    kept = page.token
    answer = end(page)
    assert answer.status_code == 204 and page.value_of(answer) is None and page.token is None
    assert dead(page)
    check_problem(page.refresh(), 401)
    page.token = kept
    answer = page.refresh()
    check_problem(answer, 401)
    assert page.value_of(answer) is None


ELSEWHERE: dict[str, Callable[[Page, Page], httpx.Response]] = {
    "all others end": lambda page, other: other.ask("DELETE", "/auth/sessions", other.bearer),
    "it is ended": lambda page, other: other.ask(
        "DELETE", f"/auth/sessions/{session_of(page)}", other.bearer),
    "a new password": lambda page, other: other.ask(
        "POST", "/auth/password", other.bearer,
        json={"old_password": PASSWORD, "new_password": "another horse 2"}),
    "it is revoked": lambda page, other: other.ask(
        "POST", "/auth/revoke", data={"token": page.access}),
}


@pytest.mark.parametrize("end", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_session_that_is_ended_elsewhere_loses_the_cookie(
        end: Callable[[Page, Page], httpx.Response], page: Page, other: Page):
    """The next refresh deletes it. The browser that did it keeps its own."""
    before = other.token
    answer = end(page, other)
    assert answer.status_code in (200, 204) and not is_set(answer)
    answer = page.refresh()
    check_problem(answer, 401)
    assert page.value_of(answer) is None and dead(page)
    assert other.token == before and other.refresh().status_code == 200


KEEPS: dict[str, tuple[str, str, dict, int]] = {
    "a wrong password": ("POST", "/auth/account/delete", {"password": "wrong horse"}, 403),
    "no password": ("DELETE", "/auth/account", {}, 422),
    "the session of nobody": ("DELETE", "/auth/sessions/01936f5e-0c1d-7e2f-8a3b-4c5d6e7f8091",
                              {}, 404),
    "a login that fails": ("POST", "/auth/login", {"name": "nobody", "password": "x" * 9}, 401),
    "a name that is taken": ("POST", "/auth/register", {}, 409),
}


@pytest.mark.parametrize("method, path, body, status", KEEPS.values(), ids=KEEPS.keys())
def test_a_call_that_fails_keeps_the_cookie(method: str, path: str, body: dict, status: int,
                                            page: Page):
    if status == 409:
        body = {"name": page.person[0], "password": PASSWORD}
    answer = page.ask(method, path, page.bearer, json=body)
    check_problem(answer, status)
    assert not is_set(answer) and page.refresh().status_code == 200


def test_a_logout_without_a_token_keeps_the_cookie(page: Page):
    """The page refreshes, and then either logs out, or the cookie has been deleted."""
    for bearer in ({}, {"Authorization": "Bearer x"}):
        answer = page.ask("POST", "/auth/logout", bearer)
        check_problem(answer, 401)
        assert not is_set(answer)
    assert page.refresh().status_code == 200 and not dead(page)


def test_a_busy_server_keeps_the_cookie(stack: Stack):
    """A 503 is no reason to sign a user out."""
    with Service(stack, "identity-service", IDENTITY_QUERY_THREADS="1",
                 IDENTITY_QUERY_QUEUE="1") as service:
        page = Page(Door(service.url, "http", {}))
        page.sign_in()
        with ThreadPoolExecutor(24) as pool:
            headers = {"Origin": page.origin} | ASK | page.cookie
            answers = list(pool.map(lambda _: page.send("POST", "/auth/refresh", headers, json={}),
                                    range(200)))
        busy = [answer for answer in answers if answer.status_code == 503]
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert busy and not any(is_set(answer) for answer in busy)
        assert page.refresh().status_code == 200
        page.close()


# --- a page of another origin -----------------------------------------------------------
STATE_CHANGING = [(method, path) for method, path, _ in calls(("post", "put", "patch", "delete"))]
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
EVIL = "https://evil.example"
CROSS, SIBLING = {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}


@dataclass
class Attack:
    """What the browser of the victim sends for the page of another origin."""
    headers: dict[str, str]
    kind: dict[str, str]


# With the header, as if a browser sent it without asking, or a proxy allowed it: always refused.
WITH_HEADER = {name: Attack(headers | ASK, JSON) for name, headers in {
    "a foreign page": {"Origin": EVIL} | CROSS,
    "a foreign page, told by Origin alone": {"Origin": EVIL},
    "a foreign page, told by Sec-Fetch-Site alone": CROSS,
    "a foreign page that Origin does not tell": {"Origin": f"https://{HOST}"} | CROSS,
    "a sibling host": {"Origin": f"https://a.{HOST}"} | SIBLING,
    "a sibling host, told by Sec-Fetch-Site alone": SIBLING,
    "the parent": {"Origin": "https://example"} | SIBLING,
    "another port": {"Origin": f"https://{HOST}:8443"} | SIBLING,
    "a host that begins alike": {"Origin": f"https://{HOST}.evil.example"} | CROSS,
    "a sandbox": {"Origin": "null"} | CROSS,
    "a sandbox of our own page": {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    "a sandbox, told by Origin alone": {"Origin": "null"},
    "a click of the user": {"Sec-Fetch-Site": "none"},
    "neither header": {},
}.items()}
# Without it: what a browser sends to any origin without asking first, and JSON.
WITHOUT_HEADER = {
    "a form": Attack({"Origin": EVIL} | CROSS, FORM),
    "a form of a sibling host": Attack({"Origin": f"https://a.{HOST}"} | SIBLING, FORM),
    "a form of a sandbox": Attack({"Origin": "null"} | CROSS, FORM),
    "a form without Origin": Attack(CROSS, FORM),
    "a form that tells Origin alone": Attack({"Origin": EVIL}, FORM),
    "a form with files": Attack({"Origin": EVIL} | CROSS, {
        "Content-Type": "multipart/form-data; boundary=x"}),
    "text": Attack({"Origin": EVIL} | CROSS, {"Content-Type": "text/plain"}),
    "text that is called JSON, too": Attack({"Origin": EVIL} | CROSS, {
        "Content-Type": "text/plain; application/json"}),
    "no type": Attack({"Origin": EVIL} | CROSS, {}),
    "a method in a header": Attack(
        {"Origin": EVIL, "X-HTTP-Method-Override": "DELETE"} | CROSS, FORM),
    "JSON": Attack({"Origin": EVIL} | CROSS, JSON),
}
# These read no cookie, and have an effect on no session but one whose token the body has. The
# header means nothing to them, and clients of other origins may use them.
OPEN = ("/token", "/auth/token", "/auth/revoke", "/auth/introspect", "/auth/phone/start")
# An attacker may sign in to an own account; then no cookie is set.
SIGN_IN = ("/auth/register", "/auth/login")
# The calls that set, use or delete the cookie.
ASKED = (*SIGN_IN, "/auth/refresh", "/auth/logout", "/auth/account", "/auth/account/delete",
         "/auth/sessions/{id}", "/auth/phone/verify")


def body_for(path: str, mallory: Person, kind: dict[str, str]) -> bytes:
    """What the attacker knows: an account of their own."""
    name = new_name() if path == "/auth/register" else mallory.name
    if kind == FORM:
        return (f"name={name}&password={mallory.password}&username={name}&token=x"
                f"&_method=DELETE").encode()
    return (f'{{"name":"{name}","password":"{mallory.password}","x":"="}}').encode()


def allowed(path: str, attack: Attack) -> bool:
    """Whether the call may succeed: it has an effect on nothing of the victim's."""
    return path in OPEN or (path in SIGN_IN and attack.kind == JSON and attack.headers.keys()
                            .isdisjoint(ASK))


def attack_all(attacks: dict[str, Attack], method: str, path: str, door: Door, api: Api) -> None:
    victim, mallory = Page(door), api.register()
    victim.sign_in()
    session = session_of(victim)
    at = path.replace("{id}", session) if "sessions" in path else place(path)
    for name, attack in attacks.items():
        answer = victim.send(method, at, attack.headers | attack.kind | victim.cookie,
                             content=body_for(path, mallory, attack.kind))
        assert not is_set(answer), name
        assert not [header for header in answer.headers
                    if header.startswith("access-control-")], name
        if not allowed(path, attack):
            unfit = (422,) if attack.kind == JSON else ()
            assert answer.status_code in (401, 403, 404, 405, 415, 501, *unfit), (name, answer.text)
        if path in ASKED and not attack.headers.keys().isdisjoint(ASK):
            assert answer.status_code == 403, (name, answer.text)
    rows = victim.send("GET", "/auth/sessions", victim.bearer).json()["sessions"]
    assert [row["id"] for row in rows] == [session]
    assert victim.refresh().status_code == 200 and not dead(victim)
    victim.close()


@pytest.mark.parametrize("method, path", STATE_CHANGING)
def test_a_page_of_another_origin_changes_nothing(method: str, path: str, stack: Stack, api: Api):
    for url, proxy in ((stack.url, {}), (direct(stack), {"X-Forwarded-Proto": "https"})):
        door = Door(url, "https", proxy)
        attack_all(WITH_HEADER | WITHOUT_HEADER, method, path, door, api)
        if proxy:
            # A page over http, which the network may have forged, of a host that has https.
            attack_all({"the page over http": Attack({"Origin": f"http://{HOST}"} | ASK, JSON)},
                       method, path, door, api)


@pytest.mark.parametrize("method, path", STATE_CHANGING)
def test_no_browser_may_ask_for_another_origin(method: str, path: str, stack: Stack, api: Api):
    """The preflight, which alone would let a foreign page send the header."""
    for origin in (EVIL, f"https://a.{HOST}", "null", f"https://{HOST}"):
        answer = api.http.options(place(path), headers={
            "Host": HOST, "Origin": origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "parley-refresh-token,content-type"})
        assert answer.status_code >= 400
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_page_of_another_origin_with_a_token_deletes_no_cookie(page: Page):
    """Even if it has got hold of an access token."""
    answer = page.send("POST", "/auth/logout", page.bearer | page.cookie | {"Origin": EVIL} | ASK)
    check_problem(answer, 403)
    assert not is_set(answer) and not dead(page)


@pytest.mark.parametrize("path", SIGN_IN)
def test_a_form_of_no_browser_and_of_the_own_page_sign_in(path: str, page: Page):
    name, password = page.person
    for headers in ({}, {"Origin": page.origin}, {"Sec-Fetch-Site": "none"},
                    {"Origin": page.origin, "Sec-Fetch-Site": "same-origin"}):
        body = {"name": name if path == "/auth/login" else f"{name}-{secrets.token_hex(4)}",
                "password": password}
        answer = page.send("POST", path, headers, data=body)
        assert answer.status_code in (200, 201), answer.text
        assert answer.json()["refresh_token"] and not is_set(answer)
