"""api - a client of Parley's REST API, with httpx."""

import itertools
import secrets
import time
from dataclasses import dataclass, field

import httpx

from support.protocol import check_answer
from support.wait import HANG_S

PASSWORD = "correct horse battery"
PROBLEM = "application/problem+json"
counter = itertools.count(1)


def new_name() -> str:
    return f"person-{next(counter)}-{secrets.token_hex(6)}"


@dataclass
class Person:
    id: int
    name: str
    token: str
    expires_in: int
    refresh_token: str = field(repr=False)
    password: str = field(default=PASSWORD, repr=False)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Api:
    def __init__(self, url: str):
        self.url = url
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=HANG_S,
                                 event_hooks={"response": [check_answer]})

    def close(self) -> None:
        self.http.close()

    # --- identity ---------------------------------------------------------------
    def register(self, name: str | None = None, password: str = PASSWORD) -> Person:
        name = name or new_name()
        answer = self.http.post("/auth/register", json={"name": name, "password": password})
        assert answer.status_code == 201, answer.text
        return self.person(answer, password)

    def login(self, name: str, password: str = PASSWORD) -> Person:
        answer = self.http.post("/auth/login", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        return self.person(answer, password)

    @staticmethod
    def person(answer: httpx.Response, password: str) -> Person:
        body = answer.json()
        return Person(body["user"]["id"], body["user"]["name"], body["token"],
                      body["expires_in"], body["refresh_token"], password)

    def ask_refresh(self, refresh_token: str) -> httpx.Response:
        return self.http.post("/auth/refresh", json={"refresh_token": refresh_token})

    def refresh(self, refresh_token: str) -> str:
        """The next refresh token."""
        answer = self.ask_refresh(refresh_token)
        assert answer.status_code == 200, answer.text
        return answer.json()["refresh_token"]

    def sessions(self, person: "Person") -> list[dict]:
        return self.get("/auth/sessions", person)["sessions"]

    def user_of_token(self, token: str) -> httpx.Response:
        return self.http.get("/auth/getIdByToken",
                             headers={"Authorization": f"Bearer {token}"})

    # --- anything -------------------------------------------------------------------
    def ask(self, method: str, path: str, person: Person | None = None,
            **options) -> httpx.Response:
        headers = person.bearer if person else {}
        return self.http.request(method, path, headers=headers, **options)

    def get(self, path: str, person: Person, **query) -> dict:
        """Asks again after a 503, as the protocol says: a service that has just started, on a
        busy machine, may not have reached another one in time."""
        deadline = time.monotonic() + HANG_S
        while True:
            answer = self.ask("GET", path, person, params=query)
            if answer.status_code != 503 or time.monotonic() >= deadline:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:300]}"
        return answer.json()

    # --- history ------------------------------------------------------------------
    def conversations(self, person: Person, **query) -> dict:
        return self.get("/conversations", person, **query)

    def messages(self, person: Person, conversation: int, **query) -> dict:
        return self.get(f"/conversations/{conversation}/messages", person, **query)

    def all_messages(self, person: Person, conversation: int) -> list[dict]:
        found, after = [], 0
        while after is not None:
            page = self.messages(person, conversation, after=after, limit=200)
            found += page["messages"]
            after = page["next"]
        return found

    def conversation(self, person: Person, conversation: int) -> dict:
        return self.get(f"/conversations/{conversation}", person)

    def sync(self, person: Person, since: str | None = None) -> tuple[list, list, str]:
        """Conversations changed since the cursor, conversations gone, and the next cursor."""
        found, gone, more = [], [], True
        while more:
            page = self.get("/sync", person, **({} if since is None else {"since": since}))
            found += page["conversations"]
            gone += page["gone"]
            since, more = page["cursor"], page["more"]
        return found, gone, since


def check_problem(answer: httpx.Response, status: int) -> dict:
    """Asserts an RFC 9457 problem document with this status and returns it."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:300]}"
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    assert kind == PROBLEM, f"{kind}: {answer.text[:300]}"
    body = answer.json()
    assert body["status"] == status
    assert isinstance(body["title"], str) and body["title"]
    if status == 401:
        assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")
    if status in (429, 503):
        assert int(answer.headers["Retry-After"]) >= 1
    return body
