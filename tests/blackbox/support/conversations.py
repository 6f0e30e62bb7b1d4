"""conversations - creates, changes and observes groups and channels."""

from dataclasses import dataclass

import httpx

from support.api import Api, Person
from support.chat import Socket, new_uuid
from support.wait import HANG_S


def new_channel_name(first: str = "Channel") -> str:
    """A new channel name; a search for it finds only this channel."""
    return f"{first} {new_uuid()[:13]}"


@dataclass
class Group:
    """A group or channel. A request that fails here fails the test; `ask` returns any answer."""
    api: Api
    id: int
    owner: Person
    made: dict  # the answer of POST /conversations

    @property
    def path(self) -> str:
        return f"/conversations/{self.id}"

    def ask(self, method: str, below: str, person: Person | None, **options) -> httpx.Response:
        return self.api.ask(method, self.path + below, person, **options)

    def must(self, method: str, below: str, person: Person, **options) -> httpx.Response:
        answer = self.ask(method, below, person, **options)
        assert answer.is_success, f"{method} {below}: {answer.status_code} {answer.text[:300]}"
        return answer

    # --- members ------------------------------------------------------------------
    def invite(self, by: Person, *people: Person) -> None:
        self.must("POST", "/members", by, json={"users": [person.id for person in people]})

    def remove(self, by: Person, person: Person) -> None:
        self.must("DELETE", f"/members/{person.id}", by)

    def join(self, person: Person) -> None:
        self.must("POST", "/join", person)

    def leave(self, person: Person) -> None:
        self.must("POST", "/leave", person)

    def give(self, by: Person, person: Person, role: str) -> None:
        self.must("PATCH", f"/members/{person.id}", by, json={"role": role})

    def change(self, by: Person, **members) -> None:
        """changes: name, history."""
        self.must("PATCH", "", by, json=members)

    def delete(self, by: Person) -> None:
        self.must("DELETE", "", by)

    # --- entries ---------------------------------------------------------------------
    def entries(self, person: Person) -> list[dict]:
        return self.api.all_messages(person, self.id)

    def members(self, person: Person, **query) -> list[dict]:
        found, after = [], None
        while True:
            page = self.api.get(f"{self.path}/members", person,
                                **(query | ({} if after is None else {"after": after})))
            found += page["members"]
            after = page["next"]
            if after is None:
                return found

    def roles(self, person: Person) -> dict[int, str]:
        return {member["user"]: member["role"] for member in self.members(person)}

    def seen_by(self, person: Person) -> dict:
        """The conversation as this member's list shows it."""
        return self.api.conversation(person, self.id)


def make(api: Api, owner: Person, *others: Person, kind: str = "group",
         name: str | None = None, **more) -> Group:
    body = {"kind": kind, "name": name or new_channel_name(kind.capitalize()),
            "users": [person.id for person in others], **more}
    answer = api.ask("POST", "/conversations", owner, json=body)
    assert answer.status_code == 201, f"{answer.status_code}: {answer.text[:300]}"
    made = answer.json()
    return Group(api, made["id"], owner, made)


def change_of(socket: Socket, conversation: int, what: str, timeout_s: float = HANG_S) -> dict:
    """The `member` frame that reports this change of a conversation."""
    return socket.until(
        f"member frame {what}",
        lambda frame: (frame["type"], frame.get("conversation")) == ("member", conversation)
        and frame["change"]["what"] == what, timeout_s)


def pending_frames(socket: Socket, marker: Socket, person: Person) -> list[dict]:
    """The frames that a socket of `person` has received and no call has returned.
    `marker` sends a message now; its arrival shows that the frames are complete. The
    message itself is removed."""
    uuid = marker.say(person.id, "marker")
    socket.expect(type="message", uuid=uuid)
    return [frame for frame in socket.seen if frame.get("uuid") != uuid]


def assert_no_frames_of(conversation: int, socket: Socket, marker: Socket, person: Person) -> None:
    """Asserts that the socket has received nothing of this conversation."""
    found = [frame for frame in pending_frames(socket, marker, person)
             if frame.get("conversation") == conversation]
    assert found == [], found[0]
