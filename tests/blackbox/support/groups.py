"""groups - the REST calls that change groups and channels, with httpx."""

import httpx

from support.api import Person


class Groups:
    def __init__(self, url: str):
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=15)

    def close(self) -> None:
        self.http.close()

    def ask(self, person: Person, method: str, path: str, **options) -> httpx.Response:
        return self.http.request(method, path, headers=person.bearer, **options)

    def make(self, person: Person, kind: str, name: str, *users: Person,
             **more) -> httpx.Response:
        body = {"kind": kind, "name": name, "users": [user.id for user in users]} | more
        return self.ask(person, "POST", "/conversations", json=body)

    def made(self, person: Person, kind: str, name: str, *users: Person, **more) -> int:
        answer = self.make(person, kind, name, *users, **more)
        assert answer.status_code == 201, answer.text
        assert answer.headers["Location"] == f"/conversations/{answer.json()['id']}"
        return answer.json()["id"]

    def edit(self, person: Person, conversation: int, **body) -> httpx.Response:
        return self.ask(person, "PATCH", f"/conversations/{conversation}", json=body)

    def delete(self, person: Person, conversation: int) -> httpx.Response:
        return self.ask(person, "DELETE", f"/conversations/{conversation}")

    def invite(self, person: Person, conversation: int, *users: Person) -> httpx.Response:
        return self.ask(person, "POST", f"/conversations/{conversation}/members",
                        json={"users": [user.id for user in users]})

    def join(self, person: Person, conversation: int) -> httpx.Response:
        return self.ask(person, "POST", f"/conversations/{conversation}/join")

    def leave(self, person: Person, conversation: int) -> httpx.Response:
        return self.ask(person, "POST", f"/conversations/{conversation}/leave")

    def remove(self, person: Person, conversation: int, user: Person) -> httpx.Response:
        return self.ask(person, "DELETE", f"/conversations/{conversation}/members/{user.id}")

    def give(self, person: Person, conversation: int, user: Person,
             role: str) -> httpx.Response:
        return self.ask(person, "PATCH", f"/conversations/{conversation}/members/{user.id}",
                        json={"role": role})

    def channels(self, person: Person, **query) -> dict:
        answer = self.ask(person, "GET", "/channels", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all_channels(self, person: Person, **query) -> list[dict]:
        page = self.channels(person, **query)
        found = page["channels"]
        while page["next"] is not None:
            page = self.channels(person, **query, after=page["next"])
            found += page["channels"]
        return found
