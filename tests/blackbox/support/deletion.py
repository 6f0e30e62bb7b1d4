"""deletion - users who delete their account."""

import httpx

from support.api import Api, Person

WAYS = {"DELETE": ("DELETE", "/auth/account"), "POST": ("POST", "/auth/account/delete")}


def ask(api: Api, person: Person, way: str = "DELETE", **body: object) -> httpx.Response:
    return api.ask(*WAYS[way], person, json=body)


def delete(api: Api, *people: Person) -> None:
    for person in people:
        answer = ask(api, person, password=person.password)
        assert answer.status_code == 204 and answer.content == b"", answer.text
