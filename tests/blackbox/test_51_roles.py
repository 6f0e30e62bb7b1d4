"""Permissions: every REST route, for every role, in every kind of conversation."""

import pytest
import yaml

from support.api import Api, Person, check_problem
from support.chat import open_socket
from support.conversations import Group, make, new_channel_name
from support.stack import ROOT, Stack

ABSENT = 9007199254740991
# Roles of a caller. A caller without a valid token gets 401. A `removed` user was a
# member before; in a direct conversation both users are members.
COLUMNS = [*((kind, who) for kind in ("group", "channel")
             for who in ("owner", "admin", "member", "stranger", "removed")),
           ("direct", "member"), ("direct", "stranger"), ("deleted", "owner"),
           ("deleted", "member"), ("absent", "stranger")]
IN_ONE = """
                                         group                channel              direct   deleted  absent
                                         own adm mem str rem  own adm mem str rem  mem str  own mem  str
GET    /conversations/{id}               200 200 200 404 404  200 200 200 404 404  200 404  404 404  404
GET    /conversations/{id}/messages      200 200 200 404 404  200 200 200 404 404  200 404  404 404  404
GET    /conversations/{id}/members       200 200 200 404 404  200 200 200 404 404  200 404  404 404  404
PATCH  /conversations/{id}               200 200 403 404 404  200 200 403 404 404  403 404  404 404  404
POST   /conversations/{id}/members       200 200 403 404 404  200 200 403 404 404  403 404  404 404  404
DELETE /conversations/{id}/members/{user} 204 204 403 404 404 204 204 403 404 404  403 404  404 404  404
PATCH  /conversations/{id}/members/{user} 200 403 403 404 404 200 403 403 404 404  403 404  404 404  404
POST   /conversations/{id}/join          200 200 200 404 404  200 200 200 200 200  403 404  404 404  404
POST   /conversations/{id}/leave         204 204 204 404 404  204 204 204 404 404  403 404  404 404  404
DELETE /conversations/{id}               204 403 403 404 404  204 403 403 404 404  403 404  404 404  404
"""
# Routes without a conversation: the status with a valid token, and without one.
ALONE = """
POST   /auth/register         201 201
POST   /auth/login            200 200
POST   /auth/refresh          200 200
POST   /auth/password         204 401
GET    /.well-known/jwks.json 200 200
GET    /.well-known/oauth-authorization-server 200 200
POST   /auth/logout           204 401
GET    /auth/sessions         200 401
DELETE /auth/sessions         204 401
DELETE /auth/sessions/{id}    404 401
GET    /auth/getIdByToken     200 401
GET    /auth/status           200 401
GET    /auth/profile          200 401
PATCH  /auth/profile          200 401
DELETE /auth/account          204 401
POST   /auth/account/delete   204 401
GET    /auth/users            200 401
GET    /auth/users/{id}       200 401
GET    /conversations         200 401
POST   /conversations         201 401
GET    /channels              200 401
GET    /sync                  200 401
GET    /blocks                200 401
PUT    /blocks/{user}         204 401
DELETE /blocks/{user}         204 401
GET    /readyz                200 200
"""
# Routes whose Authorization header names a client of OAuth 2: test_42_oauth.
OAUTH = {"POST /token", "POST /auth/token", "POST /auth/revoke", "POST /auth/introspect"}
# Those of phones: test_49_phone.
PHONES = {"POST /auth/phone", "POST /auth/phone/start", "POST /auth/phone/verify"}
BAD_TOKENS = {"no token": None, "a bad token": "Bearer a.b.c", "no bearer": "Basic eDp5"}


def table(text: str) -> dict[str, list[int]]:
    """Method and path -> statuses."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if words and words[0].isupper():
            found[" ".join(words[:2])] = [int(word) for word in words[2:]]
    return found


ROUTES, OTHERS = table(IN_ONE), table(ALONE)


def test_every_route_is_in_the_table():
    api = yaml.safe_load((ROOT / "docs/protocol/openapi.yaml").read_text("utf-8"))
    documented = {f"{method.upper()} {path}" for path, item in api["paths"].items()
                  for method in item if method != "parameters"}
    assert documented == ROUTES.keys() | OTHERS.keys() | OAUTH | PHONES
    assert all(len(row) == len(COLUMNS) for row in ROUTES.values())
    said = {f"{method.upper()} {path}": {int(code) for code in operation["responses"]}
            for path, item in api["paths"].items()
            for method, operation in item.items() if method != "parameters"}
    for route, row in (ROUTES | OTHERS).items():
        unlisted = set(row) - said[route]
        assert not unlisted, f"{route}: docs/protocol does not list {unlisted}"


class People:
    """The users of the conversations; each route gets a new owner."""

    def __init__(self, api: Api):
        for name in ("admin", "member", "stranger", "removed", "target", "new"):
            setattr(self, name, api.register())


@pytest.fixture(scope="module")
def people(stack: Stack, shared_api: Api) -> People:
    stack.wait_ready()
    return People(shared_api)


def conversation(kind: str, api: Api, stack: Stack, owner: Person, people: People) -> Group:
    if kind == "absent":
        return Group(api, ABSENT, owner, {})
    if kind == "direct":
        with open_socket(stack.ws_url, people.member) as socket:
            saved = socket.saved(socket.say(people.target.id, "hi"))
        return Group(api, saved["conversation"], owner, {})
    group = make(api, owner, people.admin, people.member, people.removed, people.target,
                 kind="group" if kind == "deleted" else kind)
    group.give(owner, people.admin, "admin")
    group.remove(owner, people.removed)
    if kind == "deleted":
        group.delete(owner)
    return group


def ask(api: Api, route: str, group: Group, people: People, headers: dict):
    method, path = route.split()
    bodies = {"PATCH /conversations/{id}": {"name": new_channel_name()},
              "POST /conversations/{id}/members": {"users": [people.new.id]},
              "PATCH /conversations/{id}/members/{user}": {"role": "admin"}}
    body = {"json": bodies[route]} if route in bodies else {}
    return api.http.request(method, path.format(id=group.id, user=people.target.id),
                            headers=headers, **body)


@pytest.mark.parametrize("kind", ["group", "channel", "direct", "deleted", "absent"])
@pytest.mark.parametrize("route", ROUTES)
def test_each_role_gets_the_status_of_the_table(route: str, kind: str, api: Api, stack: Stack,
                                                people: People):
    owner = api.register()
    answers = {}
    for (of, who), wanted in zip(COLUMNS, ROUTES[route]):
        if of != kind:
            continue
        group = conversation(kind, api, stack, owner, people)
        person = owner if who == "owner" else getattr(people, who)
        answer = ask(api, route, group, people, person.bearer)
        answers[who] = (answer.status_code, wanted)
        if wanted >= 400 and answer.status_code == wanted:
            check_problem(answer, wanted)
    wrong = {who: got for who, got in answers.items() if got[0] != got[1]}
    assert not wrong, f"{route}: (actual, expected) {wrong}"
    for name, token in BAD_TOKENS.items():
        answer = ask(api, route, conversation(kind, api, stack, owner, people)
                     if kind == "group" and name == "no token" else group, people,
                     {"Authorization": token} if token else {})
        assert answer.status_code == 401, f"{route}, {name}: {answer.status_code}"
        check_problem(answer, 401)


@pytest.mark.parametrize("route", OTHERS)
def test_routes_without_a_conversation_need_a_token(route: str, api: Api, people: People):
    method, path = route.split()
    person, other = api.register(), people.target
    bodies = {"POST /auth/login": {"name": person.name, "password": person.password},
              "POST /auth/refresh": {"refresh_token": person.refresh_token},
              "POST /auth/password": {"old_password": person.password,
                                      "new_password": person.password},
              "PATCH /auth/profile": {},
              "DELETE /auth/account": {"password": person.password},
              "POST /auth/account/delete": {"password": person.password},
              "POST /conversations": {"kind": "group", "name": "mine", "users": [other.id]}}
    for headers, wanted in zip((person.bearer, *({"Authorization": token} if token else {}
                                                 for token in BAD_TOKENS.values())),
                               (OTHERS[route][0], *[OTHERS[route][1]] * len(BAD_TOKENS))):
        if route == "POST /auth/register":
            bodies[route] = {"name": new_channel_name("user"), "password": person.password}
        answer = api.http.request(
            method, path.format(id=other.id, user=other.id), headers=headers,
            params={"name": other.name} if path == "/auth/users" else {},
            **({"json": bodies[route]} if route in bodies else {}))
        assert answer.status_code == wanted, f"{route}, {headers.keys()}: {answer.text[:200]}"
        if wanted >= 400:
            check_problem(answer, wanted)


@pytest.mark.parametrize("role, may", [
    ("owner", {"admin": 204, "member": 204}), ("admin", {"owner": 403, "admin": 403,
                                                         "member": 204}),
    ("member", {"owner": 403, "admin": 403, "member": 403})])
def test_each_role_removes_only_lower_roles(role: str, may: dict[str, int], api: Api,
                                            people: People):
    owner, second = api.register(), api.register()
    for other, wanted in may.items():
        group = make(api, owner, people.admin, people.member, people.target, second)
        for person in (people.admin, second):
            group.give(owner, person, "admin")
        person = owner if role == "owner" else getattr(people, role)
        target = {"owner": owner, "admin": second, "member": people.target}[other]
        answer = group.ask("DELETE", f"/members/{target.id}", person)
        assert answer.status_code == wanted, (role, other, answer.text)
        assert (target.id in group.roles(people.member)) == (wanted != 204)


def test_removing_a_user_who_is_no_member_is_refused(api: Api, people: People):
    owner = api.register()
    group = make(api, owner, people.member)
    for user in (people.stranger.id, ABSENT, "0", "x"):
        check_problem(group.ask("DELETE", f"/members/{user}", owner), 404)
        check_problem(group.ask("PATCH", f"/members/{user}", owner, json={"role": "admin"}), 404)


@pytest.mark.parametrize("body", [{}, {"role": "king"}, {"role": 3}, {"role": None}])
def test_a_role_outside_the_three_is_refused(body: dict, api: Api, people: People):
    owner = api.register()
    group = make(api, owner, people.member)
    check_problem(group.ask("PATCH", f"/members/{people.member.id}", owner, json=body), 422)


@pytest.mark.parametrize("number", ["0", "x", "-1", "9007199254740992", "1.0", "%31"])
def test_an_unknown_number_is_not_found(number: str, api: Api, people: People):
    for method, below in (("GET", ""), ("GET", "/messages"), ("GET", "/members"),
                          ("DELETE", ""), ("POST", "/join"), ("POST", "/leave")):
        answer = api.ask(method, f"/conversations/{number}{below}", people.member)
        assert answer.status_code in (400, 404), answer.text
        check_problem(answer, answer.status_code)
