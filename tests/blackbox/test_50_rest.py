"""Bad REST requests: each gets its status and a problem document."""

import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from support.api import PASSWORD, Api, Person, check_problem, new_name
from support.stack import Stack
from support.wait import HANG_S

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GOOD = {"name": "n", "password": PASSWORD}


def body(**members) -> bytes:
    whole = {"name": new_name(), "password": PASSWORD} | members
    return json.dumps({k: v for k, v in whole.items() if v is not ...}).encode()


# description -> (method, path, headers, body, status)
REQUESTS = {
    # paths and methods
    "the root": ("POST", "/", JSON, b"{}", 405),
    "an unknown path": ("GET", "/nothing", {}, None, 404),
    "/metrics": ("GET", "/metrics", {}, None, 404),
    "/healthz": ("GET", "/healthz", {}, None, 404),
    "/auth/metrics": ("GET", "/auth/metrics", {}, None, 404),
    "/auth/../metrics": ("GET", "/auth/%2e%2e/metrics", {}, None, 400),
    "/auth/": ("GET", "/auth/", {}, None, 404),
    "/auth": ("GET", "/auth", {}, None, 404),
    "/auth/nothing": ("GET", "/auth/nothing", {}, None, 404),
    "/auth/register/": ("POST", "/auth/register/", JSON, body(), 404),
    "/auth/REGISTER": ("POST", "/auth/REGISTER", JSON, body(), 404),
    "/ws/": ("GET", "/ws/", {}, None, 404),
    "/wsx": ("GET", "/wsx", {}, None, 404),
    "/ws without an upgrade": ("GET", "/ws", {}, None, 426),
    "/conversationsx": ("GET", "/conversationsx", {}, None, 404),
    "/conversations/1/": ("GET", "/conversations/1/", {}, None, 404),
    "/conversations/1/nothing": ("GET", "/conversations/1/nothing", {}, None, 404),
    "/sync/": ("GET", "/sync/", {}, None, 404),
    "/syncx": ("GET", "/syncx", {}, None, 404),
    "/blocks/": ("GET", "/blocks/", {}, None, 404),
    "/blocks/1/2": ("PUT", "/blocks/1/2", {}, None, 404),
    "/channelsx": ("GET", "/channelsx", {}, None, 404),
    "/readyz/x": ("GET", "/readyz/x", {}, None, 404),
    "/.problem": ("GET", "/.problem", {}, None, 404),
    "/.ready/identity": ("GET", "/.ready/identity", {}, None, 404),
    "GET register": ("GET", "/auth/register", {}, None, 405),
    "PUT login": ("PUT", "/auth/login", JSON, body(), 405),
    "DELETE login": ("DELETE", "/auth/login", {}, None, 405),
    "POST getIdByToken": ("POST", "/auth/getIdByToken", JSON, b"{}", 405),
    "POST status": ("POST", "/auth/status", JSON, b"{}", 405),
    "DELETE users/1": ("DELETE", "/auth/users/1", {}, None, 405),
    "PUT conversations": ("PUT", "/conversations", JSON, b"{}", 405),
    "PUT conversations/1": ("PUT", "/conversations/1", JSON, b"{}", 405),
    "POST messages": ("POST", "/conversations/1/messages", JSON, b"{}", 405),
    "DELETE members": ("DELETE", "/conversations/1/members", {}, None, 405),
    "GET members/1": ("GET", "/conversations/1/members/1", {}, None, 405),
    "GET join": ("GET", "/conversations/1/join", {}, None, 405),
    "DELETE leave": ("DELETE", "/conversations/1/leave", {}, None, 405),
    "POST channels": ("POST", "/channels", JSON, b"{}", 405),
    "DELETE messages": ("DELETE", "/conversations/1/messages", {}, None, 405),
    "POST sync": ("POST", "/sync", JSON, b"{}", 405),
    "PUT blocks": ("PUT", "/blocks", {}, None, 405),
    "GET blocks/1": ("GET", "/blocks/1", {}, None, 405),
    "PATCH blocks/1": ("PATCH", "/blocks/1", JSON, b"{}", 405),
    # content types and sizes
    "no content type": ("POST", "/auth/register", {}, body(), 415),
    "text": ("POST", "/auth/register", {"Content-Type": "text/plain"}, body(), 415),
    "xml": ("POST", "/auth/login", {"Content-Type": "application/xml"}, b"<a/>", 415),
    "multipart": ("POST", "/auth/register",
                  {"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 415),
    "json in all but name": ("POST", "/auth/register",
                             {"Content-Type": "application/jsonx"}, body(), 415),
    "16385 bytes": ("POST", "/auth/register", JSON, body(more="x" * 16385), 413),
    "a mebibyte": ("POST", "/auth/login", JSON, b" " * (1 << 20), 413),
    # invalid JSON
    "an empty body": ("POST", "/auth/register", JSON, b"", 400),
    "not JSON": ("POST", "/auth/register", JSON, b"hello", 400),
    "an array": ("POST", "/auth/register", JSON, b"[]", 400),
    "a string": ("POST", "/auth/register", JSON, b'"name"', 400),
    "null": ("POST", "/auth/login", JSON, b"null", 400),
    "cut off": ("POST", "/auth/register", JSON, body()[:-1], 400),
    "bytes behind it": ("POST", "/auth/register", JSON, body() + b"x", 400),
    "a member twice": ("POST", "/auth/register", JSON,
                       b'{"name":"a","name":"b","password":"long enough"}', 400),
    "bad UTF-8": ("POST", "/auth/register", JSON,
                  b'{"name":"\xff\xfe","password":"long enough"}', 400),
    "an escaped NUL": ("POST", "/auth/register", JSON,
                       rb'{"name":"a\u0000b","password":"long enough"}', 400),
    "a lone surrogate": ("POST", "/auth/register", JSON,
                         rb'{"name":"\ud800","password":"long enough"}', 400),
    "17 deep": ("POST", "/auth/register", JSON, b'{"a":' * 17 + b"1" + b"}" * 17, 400),
    # invalid forms
    "a bad escape": ("POST", "/auth/register", FORM, b"name=%zz&password=long+enough", 400),
    "a cut escape": ("POST", "/auth/register", FORM, b"name=abc&password=long+enough%2", 400),
    "an escape of bad UTF-8": ("POST", "/auth/register", FORM,
                               b"name=%ff&password=long+enough", 400),
    "an escaped NUL in a form": ("POST", "/auth/register", FORM,
                                 b"name=a%00b&password=long+enough", 400),
    "a name twice": ("POST", "/auth/register", FORM,
                     b"name=a&name=b&password=long+enough", 400),
    # members
    "no members": ("POST", "/auth/register", JSON, b"{}", 422),
    "no name": ("POST", "/auth/register", JSON, body(name=...), 422),
    "no password": ("POST", "/auth/register", JSON, body(password=...), 422),
    "name null": ("POST", "/auth/register", JSON, body(name=None), 422),
    "name a number": ("POST", "/auth/register", JSON, body(name=7), 422),
    "password a list": ("POST", "/auth/register", JSON, body(password=["x"] * 8), 422),
    "name empty": ("POST", "/auth/register", JSON, body(name=""), 422),
    "name 65 letters": ("POST", "/auth/register", JSON, body(name="x" * 65), 422),
    "name 65 of four bytes": ("POST", "/auth/register", JSON, body(name="🎉" * 65), 422),
    "name starts with a space": ("POST", "/auth/register", JSON, body(name=" a"), 422),
    "name ends with a space": ("POST", "/auth/register", JSON, body(name="a "), 422),
    "name a space": ("POST", "/auth/register", JSON, body(name=" "), 422),
    "name with a newline": ("POST", "/auth/register", JSON, body(name="a\nb"), 422),
    "name with an escape": ("POST", "/auth/register", JSON, body(name="a\x1bb"), 422),
    "name with DEL": ("POST", "/auth/register", JSON, body(name="a\x7fb"), 422),
    "name with C1": ("POST", "/auth/register", JSON, body(name="a\x85b"), 422),
    "password 7 bytes": ("POST", "/auth/register", JSON, body(password="x" * 7), 422),
    "password 257 bytes": ("POST", "/auth/register", JSON, body(password="x" * 257), 422),
    "password 130 letters, 260 bytes": ("POST", "/auth/register", JSON,
                                        body(password="ü" * 130), 422),
    "form without members": ("POST", "/auth/register", FORM, b"", 422),
    "form without a password": ("POST", "/auth/register", FORM, b"name=abc", 422),
    "Name for name": ("POST", "/auth/register", JSON,
                      b'{"Name":"a","password":"long enough"}', 422),
    # signing in
    "unknown name": ("POST", "/auth/login", JSON, body(), 401),
    # without a token
    "getIdByToken without": ("GET", "/auth/getIdByToken", {}, None, 401),
    "status without": ("GET", "/auth/status", {}, None, 401),
    "users without": ("GET", "/auth/users?name=a", {}, None, 401),
    "users/1 without": ("GET", "/auth/users/1", {}, None, 401),
    "conversations without": ("GET", "/conversations", {}, None, 401),
    "conversations/1 without": ("GET", "/conversations/1", {}, None, 401),
    "messages without": ("GET", "/conversations/1/messages", {}, None, 401),
    "members without": ("GET", "/conversations/1/members", {}, None, 401),
    "sync without": ("GET", "/sync", {}, None, 401),
    "blocks without": ("GET", "/blocks", {}, None, 401),
    "blocking without": ("PUT", "/blocks/1", {}, None, 401),
    "unblocking without": ("DELETE", "/blocks/1", {}, None, 401),
}


@pytest.mark.parametrize("method, path, headers, content, status", REQUESTS.values(),
                         ids=REQUESTS.keys())
def test_a_bad_request_is_refused(method, path, headers, content, status, shared_api: Api):
    answer = shared_api.http.request(method, path, headers=headers, content=content)
    check_problem(answer, status)
    if status == 405:
        assert answer.headers["Allow"]
        assert method not in [word.strip() for word in answer.headers["Allow"].split(",")]
    if status == 426:
        assert answer.headers["Upgrade"].lower() == "websocket"


@pytest.mark.parametrize("query", ["", "?name=", "?other=x", "?name=" + "x" * 65,
                                   "?name=%20a", "?name=a%0ab"])
def test_a_search_without_a_valid_name_is_refused(query: str, alice: Person, api: Api):
    check_problem(api.http.get("/auth/users" + query, headers=alice.bearer), 422)


@pytest.mark.parametrize("number", ["0", "-1", "abc", "1.5", "18446744073709551616",
                                    "9007199254740992", "1'--"])
def test_an_invalid_user_id_is_not_found(number: str, alice: Person, api: Api):
    check_problem(api.http.get(f"/auth/users/{number}", headers=alice.bearer), 404)


# --- names and passwords ----------------------------------------------------------
def test_a_wrong_password_and_an_unknown_name_get_the_same_text(alice: Person, api: Api):
    wrong = api.http.post("/auth/login", json={"name": alice.name, "password": "x" * 20})
    unknown = api.http.post("/auth/login", json={"name": new_name(), "password": "x" * 20})
    short = api.http.post("/auth/login", json={"name": alice.name, "password": "x"})
    for answer in (wrong, unknown, short):
        check_problem(answer, 401)
    assert wrong.text == unknown.text == short.text


@pytest.mark.parametrize("first, second", [
    ("bob", "BOB"), ("ünal", "ÜNAL"), ("жанна", "ЖАННА"), ("σοφία", "ΣΟΦΊΑ"),
    ("straße", "STRASSE")], ids=["latin", "umlaut", "cyrillic", "greek", "sharp s"])
def test_names_are_compared_without_regard_to_case(first: str, second: str, api: Api):
    tail = new_name()
    api.register(f"{first} {tail}")
    answer = api.http.post("/auth/register", json={"name": f"{second} {tail}",
                                                   "password": PASSWORD})
    check_problem(answer, 409)
    assert api.login(f"{second} {tail}").name == f"{first} {tail}"


@pytest.mark.parametrize("first, second", [
    ("Zoe", "Zoë"), ("resume", "résumé"), ("o", "ø"), ("a", "а"), ("l", "I"), ("x", "x\u0301")],
    ids=["diaeresis", "acute", "stroke", "cyrillic a", "look-alikes", "combining"])
def test_accents_and_lookalikes_distinguish_names(first: str, second: str, api: Api):
    tail = new_name()
    assert api.register(f"{tail} {first}").id != api.register(f"{tail} {second}").id


@pytest.mark.parametrize("length", [1, 64])
def test_names_at_their_limits_are_accepted(length: int, api: Api):
    name = (new_name() + "🎉" * 64)[-length:] if length > 1 else None
    if name is None:  # another test may have taken the name: 201 or 409, never 422
        answer = api.http.post("/auth/register", json={"name": "🜀", "password": PASSWORD})
        assert answer.status_code in (201, 409)
        return
    name = (new_name() + "🎉" * 64)[:64]
    assert api.register(name).name == name


@pytest.mark.parametrize("password", ["12345678", "x" * 256, "ü" * 128, "🎉🎉",
                                      '"\\%&+ ', " " * 8],
                         ids=["8", "256", "256 of two", "8 of four", "odd", "blanks"])
def test_passwords_at_their_limits_are_accepted(password: str, api: Api):
    password = password if len(password.encode()) >= 8 else password * 2
    person = api.register(password=password)
    assert api.login(person.name, password).id == person.id
    check_problem(api.http.post("/auth/login", json={
        "name": person.name, "password": password[:-1] + "~"}), 401)


def test_a_taken_name_gets_409(alice: Person, api: Api):
    check_problem(api.http.post("/auth/register", json={
        "name": alice.name, "password": PASSWORD}), 409)


def test_a_body_of_16_kib_is_read(api: Api):
    whole = body(more="")
    content = body(more="x" * (16384 - len(whole)))
    content += b" " * (16384 - len(content))
    assert len(content) == 16384
    assert api.http.post("/auth/register", headers=JSON, content=content).status_code == 201


def test_head_answers_like_get_without_a_body(alice: Person, api: Api):
    answer = api.http.head("/auth/status", headers=alice.bearer)
    assert answer.status_code == 200
    assert answer.content == b""


def test_a_json_content_type_may_name_a_charset(api: Api):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert api.http.post("/auth/register", headers=headers, content=body()).status_code == 201


# --- raw requests that a library would not send ---------------------------------------
def send_raw(url: str, text: str) -> tuple[int, str]:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=HANG_S) as tcp:
        tcp.sendall(text.replace("\n", "\r\n").encode("latin-1"))
        answer = b""
        while piece := tcp.recv(65536):
            answer += piece
    head, _, content = answer.partition(b"\r\n\r\n")
    return (int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0), \
        (head + b"\n" + content).decode("utf-8", "replace")


RAW_REQUESTS = {
    "Authorization twice": ("GET /auth/getIdByToken HTTP/1.1\nHost: x\nAuthorization: Bearer {t}"
                            "\nAuthorization: Bearer {t}\nConnection: close\n\n", 400),
    "Content-Length twice": ("POST /auth/login HTTP/1.1\nHost: x\nContent-Type: application/json"
                             "\nContent-Length: 2\nContent-Length: 3\nConnection: close\n\n{}",
                             400),
    "Content-Length and Transfer-Encoding": (
        "POST /auth/login HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 2\n"
        "Transfer-Encoding: chunked\nConnection: close\n\n0\n\n", 400),
    "Content-Length negative": ("POST /auth/login HTTP/1.1\nHost: x\nContent-Length: -1\n"
                                "Connection: close\n\n", 400),
    "no Host": ("GET /readyz HTTP/1.1\nConnection: close\n\n", 400),
    "a NUL in the path": ("GET /auth/\0 HTTP/1.1\nHost: x\nConnection: close\n\n", 400),
    "an escaped NUL in the path": ("GET /auth/%00 HTTP/1.1\nHost: x\nConnection: close\n\n", 400),
    "a blank before the colon": ("GET /readyz HTTP/1.1\nHost : x\nConnection: close\n\n", 400),
    "no HTTP": ("hello\n\n", 400),
    "a whole URL": ("GET http://other/auth/status HTTP/1.1\nHost: x\nConnection: close\n\n", 400),
    "CONNECT": ("CONNECT other:443 HTTP/1.1\nHost: x\nConnection: close\n\n", 400),
    "a long URL": ("GET /" + "x" * 9000 + " HTTP/1.1\nHost: x\nConnection: close\n\n", 414),
    "a long header": ("GET /readyz HTTP/1.1\nHost: x\nX-Long: " + "x" * 40000 +
                      "\nConnection: close\n\n", 431),
}


@pytest.mark.parametrize("text, status", RAW_REQUESTS.values(), ids=RAW_REQUESTS.keys())
def test_malformed_http_is_refused(text: str, status: int, alice: Person, stack: Stack):
    got, answer = send_raw(stack.url, text.replace("{t}", alice.token))
    assert got == status or (status == 400 and got in (405, 0)), answer
    if got:
        assert "application/problem+json" in answer, answer


def test_an_upgrade_to_http2_is_ignored(stack: Stack):
    got, answer = send_raw(stack.url, "GET /auth/status HTTP/1.1\nHost: x\n"
                           "Connection: Upgrade, HTTP2-Settings, close\nUpgrade: h2c\n"
                           "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\n\n")
    assert got == 401, answer
    got, _ = send_raw(stack.url, "PRI * HTTP/2.0\n\nSM\n\n")
    assert got in (0, 400, 405, 505)


def test_nginx_answers_errors_with_problem_documents(stack: Stack):
    """Without a service behind it, nginx itself answers 502."""
    with httpx.Client(base_url=stack.url, trust_env=False) as http:
        for path, status in (("/nothing", 404), ("/ws", 426), ("/metrics", 404)):
            check_problem(http.get(path), status)


def test_readiness_is_public(stack: Stack):
    answer = httpx.get(f"{stack.url}/readyz", trust_env=False)
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready"}
