"""Users who delete their account: their sessions end, they leave their groups, nobody writes to
them, and their messages stay."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from support.api import Api, Person, check_problem, new_name
from support.chat import Socket, open_socket
from support.conversations import change_of, make, new_channel_name
from support.deletion import WAYS, ask, delete
from support.parts import Parts, parts_of
from support.service import Service
from support.stack import Stack
from support.wait import until


@pytest.fixture(scope="module")
def parts(stack: Stack) -> Iterator[Parts]:
    with parts_of(stack, "deleted") as parts:
        yield parts


def sign_in(api: Api, person: Person) -> httpx.Response:
    return api.http.post("/auth/login", json={"name": person.name, "password": person.password})


# --- the account ------------------------------------------------------------------------
@pytest.mark.parametrize("way", WAYS)
def test_all_sessions_end_and_the_user_is_gone(way: str, stack: Stack, api: Api, alice: Person,
                                               bob: Person):
    other = api.login(alice.name)
    assert api.ask("PATCH", "/auth/profile", alice, json={
        "display_name": "Alice", "about": "x", "avatar_url": "https://a.example/"}).is_success
    with ExitStack() as opened:
        sockets = [opened.enter_context(open_socket(stack.ws_url, one)) for one in (alice, other)]
        assert ask(api, alice, way, password=alice.password).status_code == 204
        for person in (alice, other):
            check_problem(api.user_of_token(person.token), 401)
            check_problem(api.ask_refresh(person.refresh_token), 401)
        assert [socket.closed()[0] for socket in sockets] == [4401, 4401]
    until("REST refuses it", lambda: api.ask("GET", "/sync", other).status_code == 401)
    unknown = api.http.post("/auth/login", json={"name": new_name(), "password": "x" * 10})
    assert check_problem(sign_in(api, alice), 401) == check_problem(unknown, 401)
    check_problem(api.ask("GET", f"/auth/users/{alice.id}", bob), 410)
    check_problem(api.ask("GET", "/auth/users", bob, params={"name": alice.name}), 404)
    found = api.get("/auth/users", bob, ids=f"{alice.id},{bob.id}")["users"]
    assert [user["id"] for user in found] == [bob.id]
    check_problem(api.http.post("/auth/register", json={
        "name": alice.name.upper(), "password": alice.password}), 409)


def test_a_wrong_password_is_a_guess(api: Api, alice: Person):
    for _ in range(10):
        check_problem(ask(api, alice, password="wrong"), 403)
    check_problem(ask(api, alice, password=alice.password), 429)
    assert api.user_of_token(alice.token).status_code == 200


BODIES: dict[str, tuple[dict, int]] = {
    "nothing": ({}, 422), "null": ({"password": None}, 422), "a number": ({"password": 1}, 422),
    "a code without a phone": ({"code": "123456"}, 422), "a short code": ({"code": "12345"}, 422),
    "a code of letters": ({"code": "abcdef"}, 422), "a number as code": ({"code": 123456}, 422),
    "no code": ({"code": None}, 422), "both": ({"code": "123456", "password": "x"}, 422),
    "an empty one": ({"password": ""}, 403)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body, status", BODIES.values(), ids=BODIES.keys())
def test_a_bad_body_deletes_nothing(body: dict, status: int, way: str, api: Api, alice: Person):
    check_problem(ask(api, alice, way, **body), status)
    assert sign_in(api, alice).status_code == 200


@pytest.mark.parametrize("way", WAYS)
def test_a_body_and_a_token_are_needed(way: str, api: Api, alice: Person):
    method, path = WAYS[way]
    check_problem(api.ask(method, path, alice), 415)
    check_problem(api.http.request(method, path, content="{", headers=alice.bearer | {
        "Content-Type": "application/json"}), 400)
    check_problem(api.http.request(method, path, json={"password": alice.password}), 401)
    assert sign_in(api, alice).status_code == 200


def test_the_name_is_free_after_a_while(stack: Stack, api: Api, alice: Person, bob: Person):
    with Service(stack, "identity-service", IDENTITY_NAME_RESERVED="0") as identity:
        direct = Api(identity.url)
        delete(direct, alice)
        # A start looks at once which names are free.
        with Service(stack, "identity-service"):
            again = api.register(alice.name)
        direct.close()
    assert again.id != alice.id
    assert api.get("/auth/users", bob, name=alice.name)["id"] == again.id
    check_problem(api.ask("GET", f"/auth/users/{alice.id}", bob), 410)


def test_no_sign_in_or_refresh_survives_a_deletion(api: Api):
    """They run while the account is deleted."""
    for _ in range(3):
        person = api.register()
        tokens: list[httpx.Response] = []
        go = threading.Barrier(5)

        def sign_ins(person: Person = person, tokens: list = tokens,
                     go: threading.Barrier = go) -> None:
            own = Api(api.url)
            go.wait()
            for _ in range(4):
                tokens.append(sign_in(own, person))
            own.close()

        def refreshes(person: Person = person, tokens: list = tokens,
                      go: threading.Barrier = go) -> None:
            own, token = Api(api.url), person.refresh_token
            go.wait()
            while (answer := own.ask_refresh(token)).status_code in (200, 429, 503):
                tokens.append(answer)
                token = answer.json().get("refresh_token", token)
            assert answer.status_code == 401
            own.close()

        threads = [threading.Thread(target=work) for work in (sign_ins,) * 3 + (refreshes,)]
        for thread in threads:
            thread.start()
        go.wait()
        until("it is deleted", lambda: ask(api, person, password=person.password).status_code
              in (204, 401))
        for thread in threads:
            thread.join()
        assert {answer.status_code for answer in tokens} <= {200, 401, 429, 503}
        for answer in tokens:
            if answer.status_code == 200:
                check_problem(api.user_of_token(answer.json()["token"]), 401)
                check_problem(api.ask_refresh(answer.json()["refresh_token"]), 401)


# --- conversations ----------------------------------------------------------------------
def test_groups_are_left_and_ownership_passes_on(parts: Parts, api: Api):
    rest = parts.rest[0]
    owner, admin, member = (api.register() for _ in range(3))
    passed = make(rest, owner, admin, member)
    passed.give(owner, admin, "admin")
    joined = make(rest, admin, owner, kind="channel")
    alone_name = new_channel_name()
    alone = make(rest, owner, kind="channel", name=alone_name)
    with open_socket(parts.gateways[0].ws_url, member) as socket:
        delete(api, owner)
        entry = change_of(socket, passed.id, "left")
        assert entry["user_from"] == owner.id
        assert entry["change"] == {"what": "left", "users": [owner.id], "owner": admin.id}
    until("all are left", lambda: owner.id not in joined.roles(admin))
    assert passed.roles(admin) == {admin.id: "owner", member.id: "member"}
    # The name of the channel without members is free again.
    until("it is deleted", lambda: rest.ask("POST", "/conversations", member, json={
        "kind": "channel", "name": alone_name}).status_code == 201)
    check_problem(alone.ask("GET", "", member), 404)


def code_of(socket: Socket, uuid: str) -> str | None:
    """Of the refusal of this frame; None: it was saved."""
    return socket.until(f"an answer to {uuid}", lambda frame: frame.get("uuid") == uuid and
                        frame.get("state") in ("saved", "error")).get("code")


def test_a_pair_keeps_its_messages_and_takes_no_more(parts: Parts, api: Api):
    rest = parts.rest[0]
    alice, bob = api.register(), api.register()
    with ExitStack() as opened:
        own, his = (opened.enter_context(open_socket(gateway.ws_url, person)) for gateway, person
                    in zip(parts.gateways, (alice, bob), strict=True))
        own.saved(own.say(bob.id, "one"))
        last = his.saved(his.say(alice.id, "two"))
        pair, seq = last["conversation"], last["seq"]
        delete(api, alice)
        for say in (lambda: his.say_in(pair, "late"), lambda: his.say(alice.id, "late")):
            until("it is refused", lambda say=say: code_of(his, say()) == "unknown_user")
        before = rest.all_messages(bob, pair)
        assert [message["message"] for message in before][:2] == ["one", "two"]
        for uuid in (his.say_in(pair, "x"), his.say(alice.id, "x"),
                     his.say_in(pair, "x", reply_to=1),
                     his.change("edit", pair, seq, message="x"),
                     his.change("react", pair, 1, reaction="👍")):
            assert code_of(his, uuid) == "unknown_user"
        assert rest.all_messages(bob, pair) == before
        # The own message can still be deleted.
        assert code_of(his, his.change("delete", pair, seq)) is None


def test_nobody_adds_or_blocks_a_deleted_user(parts: Parts, api: Api):
    rest = parts.rest[0]
    alice, bob = api.register(), api.register()
    group = make(rest, bob)
    # persistence remembers that alice exists.
    assert rest.ask("PUT", f"/blocks/{alice.id}", bob).status_code == 204
    assert rest.ask("DELETE", f"/blocks/{alice.id}", bob).status_code == 204
    delete(api, alice)
    until("it is unknown", lambda: rest.ask("PUT", f"/blocks/{alice.id}", bob).status_code == 404)
    check_problem(group.ask("POST", "/members", bob, json={"users": [alice.id]}), 422)
    check_problem(rest.ask("POST", "/conversations", bob, json={
        "kind": "group", "name": "x", "users": [alice.id]}), 422)


CURSORS = ["", "x", "1", "1.", ".1", "-1.1", "1.x", "99999999999999999999.1"]


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_bad_cursor_is_refused(cursor: str, stack: Stack):
    direct = Api(f"http://127.0.0.1:{stack.port('IDENTITY_PORT')}")
    check_problem(direct.http.get("/internal/deleted-users", params={"since": cursor}), 422)
    direct.close()


@pytest.mark.parametrize("older", ["", "x", "-1", "1.5", "31536001", "99999999999999999999"])
def test_a_bad_age_is_refused(older: str, stack: Stack):
    direct = Api(f"http://127.0.0.1:{stack.port('IDENTITY_PORT')}")
    check_problem(direct.http.get("/internal/deleted-users", params={"older": older}), 422)
    direct.close()


def test_nginx_does_not_forward_the_internal_path(api: Api):
    check_problem(api.http.get("/internal/deleted-users"), 404)
