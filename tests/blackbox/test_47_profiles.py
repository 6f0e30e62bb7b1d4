"""Profiles: what a user says of itself, and what others see of it."""

import json

import httpx
import pytest

from support.api import Api, Person, check_problem

UNSET = {"display_name": None, "about": None, "avatar_url": None}
URL = "https://cdn.example.com/a.png?size=64"


def profile(api: Api, person: Person) -> dict:
    return api.get("/auth/profile", person)


def patch(api: Api, person: Person, change: object, **options) -> httpx.Response:
    return api.ask("PATCH", "/auth/profile", person, json=change, **options)


def changed(api: Api, person: Person, change: object) -> dict:
    answer = patch(api, person, change)
    assert answer.status_code == 200, answer.text
    return answer.json()


def users(api: Api, person: Person, ids: list[int]) -> list[dict]:
    return api.get("/auth/users", person, ids=",".join(map(str, ids)))["users"]


def test_a_new_user_has_an_empty_profile(api: Api, alice: Person):
    answer = api.ask("GET", "/auth/profile", alice)
    assert answer.json() == {"id": alice.id, "name": alice.name, "phone": None} | UNSET
    assert answer.headers["Cache-Control"] == "no-store"


def test_null_removes_and_absent_stays(api: Api, alice: Person):
    whole = {"id": alice.id, "name": alice.name, "display_name": "Alice 🦊", "about": "a\nb\t<i>",
             "avatar_url": URL, "phone": None}
    assert changed(api, alice, {"display_name": "Alice 🦊", "about": "a\nb\t<i>",
                                "avatar_url": URL}) == whole
    assert changed(api, alice, {}) == whole
    assert changed(api, alice, {"about": None}) == whole | {"about": None}
    assert changed(api, alice, {"about": "", "display_name": None, "unknown": {"x": [1]}}) \
        == whole | {"about": "", "display_name": None}
    assert profile(api, alice) == whole | {"about": "", "display_name": None}


def test_a_merge_patch_has_a_type_of_its_own(api: Api, alice: Person):
    for kind in ("application/merge-patch+json", "application/json; charset=utf-8"):
        answer = api.http.patch("/auth/profile", content=json.dumps({"about": kind}),
                                headers=alice.bearer | {"Content-Type": kind})
        assert answer.status_code == 200 and answer.json()["about"] == kind
    for kind in ("application/json-patch+json", "application/x-www-form-urlencoded", "text/plain"):
        check_problem(api.http.patch("/auth/profile", content="{}",
                                     headers=alice.bearer | {"Content-Type": kind}), 415)


def test_a_display_name_is_normalised_and_need_not_be_unique(api: Api, alice: Person, bob: Person):
    for person in (alice, bob):
        assert changed(api, person, {"display_name": "Zoe\u0308"})["display_name"] == "Zo\u00eb"


def test_others_see_all_but_the_phone(api: Api, alice: Person, bob: Person):
    seen = {"id": alice.id, "name": alice.name, "display_name": "A", "about": "b",
            "avatar_url": URL}
    changed(api, alice, {"display_name": "A", "about": "b", "avatar_url": URL})
    assert api.get(f"/auth/users/{alice.id}", bob) == seen
    assert api.get("/auth/users", bob, name=alice.name.upper()) == seen
    assert users(api, bob, [alice.id]) == [seen]


def test_many_users_in_one_call(api: Api, alice: Person):
    people = [alice, *(api.register() for _ in range(11))]
    for person in people[::2]:
        changed(api, person, {"display_name": person.name[:20] + " 🦊", "about": "\x01" * 500,
                              "avatar_url": "https://a.example/" + "'" * 2030})
    ids = [person.id for person in people]
    unknown = [2 ** 53 - 1 - index for index in range(100 - 2 * len(ids))]
    found = users(api, alice, ids[::-1] + unknown + ids)
    assert [user["id"] for user in found] == sorted(ids)
    assert [user["name"] for user in found] == [person.name for person in people]
    assert found[0]["about"] == "\x01" * 500 and found[1]["about"] is None
    assert users(api, alice, unknown) == []


LISTS = {"empty": "", "a word": "a", "a comma": ",", "two commas": "1,,2", "a comma first": ",1",
         "a comma last": "1,", "zero": "0", "negative": "-1", "a sign": "+1", "a fraction": "1.5",
         "a leading zero": "01", "a blank": "1, 2", "beyond 2^53": str(2 ** 53),
         "beyond 2^64": str(2 ** 64 + 1), "semicolons": "1;2", "101 ids": ",".join(["1"] * 101),
         "an array": "[1,2]", "quotes": "'1'"}


@pytest.mark.parametrize("ids", LISTS.values(), ids=LISTS.keys())
def test_a_bad_list_is_refused(ids: str, api: Api, alice: Person):
    check_problem(api.ask("GET", "/auth/users", alice, params={"ids": ids}), 422)


QUERIES = {"nothing": ("", 422), "both": ("?name=x&ids=1", 422), "ids twice": ("?ids=1&ids=2", 400),
           "not UTF-8": ("?ids=%ff", 422), "a broken escape": ("?ids=%4", 422)}


@pytest.mark.parametrize("query, status", QUERIES.values(), ids=QUERIES.keys())
def test_a_bad_query_is_refused(query: str, status: int, api: Api, alice: Person):
    check_problem(api.ask("GET", f"/auth/users{query}", alice), status)


CHANGES: dict[str, object] = {
    "id": {"id": 1}, "id null": {"id": None}, "name": {"name": "x"}, "phone": {"phone": None},
    "a good member beside": {"about": "a", "name": "x"},
    "display name empty": {"display_name": ""}, "65 characters": {"display_name": "x" * 65},
    "display name of a blank": {"display_name": " "}, "invisible": {"display_name": "\u3164"},
    "two lines": {"display_name": "a\nb"}, "direction": {"display_name": "a\u202eb"},
    "unassigned": {"display_name": "a\u0378"}, "private use": {"display_name": "\ue000"},
    "display name a number": {"display_name": 1}, "an object": {"display_name": {"a": None}},
    "501 characters": {"about": "x" * 501}, "about a list": {"about": ["a"]},
    "about false": {"about": False},
    "URL empty": {"avatar_url": ""}, "http": {"avatar_url": "http://example.com/a.png"},
    "a script": {"avatar_url": "javascript:alert(1)"}, "data": {"avatar_url": "data:image/png,x"},
    "no scheme": {"avatar_url": "//example.com/a.png"}, "a path": {"avatar_url": "/a.png"},
    "a user": {"avatar_url": "https://ann@example.com/"},
    "a password": {"avatar_url": "https://ann:x@example.com/"},
    "an empty user": {"avatar_url": "https://@example.com/"},
    "a backslash": {"avatar_url": "https://example.com\\@other.example/"},
    "no host": {"avatar_url": "https:///a.png"}, "a blank in it": {"avatar_url": "https://a.example/ b"},
    "a line": {"avatar_url": "https://a.example/\nb"}, "a port": {"avatar_url": "https://a.example:65536/"},
    "no ASCII": {"avatar_url": "https://bücher.example/"},
    "2,049 characters": {"avatar_url": "https://a.example/" + "x" * 2031},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_bad_change_changes_nothing(change: dict, api: Api, alice: Person):
    before = changed(api, alice, {"display_name": "A", "about": "b", "avatar_url": URL})
    check_problem(patch(api, alice, change), 422)
    assert profile(api, alice) == before


BODIES = {"nothing": b"", "null": b"null", "a list": b"[]", "a text": b'"x"', "half": b'{"about":',
          "twice": b'{"about":"a","about":"b"}', "no UTF-8": b'{"about":"\xff"}',
          "half a surrogate": b'{"about":"\\ud800"}', "NUL": b'{"about":"\\u0000"}',
          "more behind": b"{}{}"}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_malformed_body_is_refused(body: bytes, api: Api, alice: Person):
    check_problem(api.http.patch("/auth/profile", content=body, headers=alice.bearer | {
        "Content-Type": "application/json"}), 400)


def test_limits_are_taken(api: Api, alice: Person):
    longest = {"display_name": "🦊" * 64, "about": "🦊" * 500,
               "avatar_url": "https://a.example/" + "x" * 2030}
    assert changed(api, alice, longest) == longest | {"id": alice.id, "name": alice.name,
                                                      "phone": None}


def test_a_token_is_needed(api: Api, alice: Person):
    for method, path in (("GET", "/auth/profile"), ("PATCH", "/auth/profile"),
                         ("GET", "/auth/users?ids=1"), ("GET", f"/auth/users/{alice.id}")):
        check_problem(api.ask(method, path, **({"json": {}} if method == "PATCH" else {})), 401)
    check_problem(api.ask("PUT", "/auth/profile", alice, json={}), 405)
