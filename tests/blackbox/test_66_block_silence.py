"""A block is silence between two users, in their direct conversation and nowhere else.

The table says for each frame what its sender is told and what the other user's socket gets; the
lists and the history must show both users exactly what was saved. The block is taken away and
made again for each part, so whatever is cached about the two has to change each time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from support.api import Api, Person
from support.chat import Socket, new_uuid
from support.conversations import make
from support.service import Service
from support.stack import Stack
from support.wait import HANG_S, until

# The gateway passes one `typing` in 2 s on; see docs/protocol/socket.md.
TYPING_PAUSE_S = 2.1
ABSENT = 2**53 - 1
ADDED, REMOVED = "👍", "🎉"
KINDS = ("direct", "group", "channel")

# Who blocks the other one.
STATES: dict[str, tuple[str, ...]] = {
    "nobody": (), "bob": ("bob",), "both": ("alice", "bob"), "nobody any more": (),
}

# frame -> (the answer to its sender, the frame at the other user's socket)
Outcomes = dict[str, tuple[str | None, str | None]]
FREE: Outcomes = {
    "delivered": (None, "receipt"),
    "read": (None, "receipt"),
    "message by user": ("saved", "message"),
    "message": ("saved", "message"),
    "reply": ("saved", "message"),
    "edit": ("saved", "edit"),
    "react": ("saved", "reaction"),
    "react, remove": ("saved", "reaction"),
    "delete": ("saved", "delete"),
    "typing": (None, "typing"),
    "presence": ("online", None),
}
FROM_THE_BLOCKED: Outcomes = {
    "delivered": (None, None),
    "read": (None, None),
    "message by user": ("unknown_user", None),
    "message": ("unknown_user", None),
    "reply": ("unknown_user", None),
    "edit": ("unknown_user", None),
    "react": ("unknown_user", None),
    "react, remove": ("unknown_user", None),
    "delete": ("saved", "delete"),
    "typing": (None, None),
    "presence": ("offline", None),
}
FROM_THE_BLOCKER: Outcomes = {
    "delivered": (None, "receipt"),
    "read": (None, "receipt"),
    "message by user": ("not_allowed", None),
    "message": ("not_allowed", None),
    "reply": ("not_allowed", None),
    "edit": ("not_allowed", None),
    "react": ("not_allowed", None),
    "react, remove": ("not_allowed", None),
    "delete": ("saved", "delete"),
    "typing": (None, None),
    "presence": ("online", None),
}
# No group or channel knows blocks. Presence belongs to no conversation.
ELSEWHERE = ("typing", "delivered", "read", "message", "reply", "edit", "react",
             "react, remove", "delete")


def expected(kind: str, state: str, sender: str) -> Outcomes:
    blockers = STATES[state]
    here = FREE
    if blockers:
        here = FROM_THE_BLOCKER if blockers == (sender,) else FROM_THE_BLOCKED
    if kind == "direct":
        return here
    return {frame: FREE[frame] for frame in ELSEWHERE} | {"presence": here["presence"]}


@dataclass
class Text:
    """A message as the history must show it."""
    sender: int
    message: str
    reply_to: int | None = None
    edited: bool = False
    deleted: bool = False
    reactions: dict[str, list[int]] = field(default_factory=dict)


def text_of(entry: dict) -> Text:
    return Text(entry["user_from"], entry["message"], entry.get("reply_to"),
                "edited_at" in entry, "deleted_at" in entry,
                {found["reaction"]: found["users"] for found in entry.get("reactions", [])})


@dataclass
class User:
    person: Person
    socket: Socket
    second: Socket

    @property
    def id(self) -> int:
        return self.person.id


class Pair:
    """Two users, and the conversation that the frames of the table are about."""

    def __init__(self, api: Api, kind: str, alice: User, bob: User, marker: Socket):
        self.api, self.kind, self.marker = api, kind, marker
        self.users = {"alice": alice, "bob": bob}
        self.state = "nobody"
        self.texts: dict[int, Text] = {}  # seq -> what the history must show
        self.direct = alice.socket.saved(alice.socket.say(bob.id, "hi"))["conversation"]
        if kind == "direct":
            self.conversation = self.direct
            self.texts[1] = Text(alice.id, "hi")
        else:
            self.conversation = make(api, alice.person, bob.person, kind=kind).id

    def other(self, user: User) -> User:
        alice, bob = self.users.values()
        return bob if user is alice else alice

    def block(self, state: str) -> None:
        self.state = state
        for name, user in self.users.items():
            method = "PUT" if name in STATES[state] else "DELETE"
            answer = self.api.ask(method, f"/blocks/{self.other(user).id}", user.person)
            assert answer.status_code == 204, answer.text
        for user in self.users.values():
            self.settle(user, self.direct)

    def blocks(self, user: User) -> bool:
        return any(self.users[name] is user for name in STATES[self.state])

    def settle(self, user: User, conversation: int) -> None:
        """All that was sent to the conversation was processed, and the gateway of this user
        has read the events. Nobody may delete this, blocked or not."""
        frame = {"code": "unavailable"}
        while frame["code"] == "unavailable":  # a second long the conversation may be unknown
            uuid = user.socket.change("delete", conversation, ABSENT)
            frame = user.socket.refusal(uuid)
        assert frame["code"] == "unknown_message", frame

    def arrived(self, user: User, socket: Socket | None = None) -> list[dict]:
        """What a socket of the user has received of the conversation up to now."""
        seen = (socket or user.socket).quiet(self.marker, new_uuid(), user.id)
        found = [frame for frame in seen if frame.get("conversation") == self.conversation
                 and frame["type"] != "state"]
        seen.clear()
        return found

    # --- the frames of the table --------------------------------------------------------
    def say(self, user: User, message: str) -> int:
        seq = user.socket.saved(user.socket.say_in(self.conversation, message))["seq"]
        self.texts[seq] = Text(user.id, message)
        return seq

    def prepare(self, user: User) -> None:
        """What the frames of this user refer to: two messages of the user, then two of the
        other one, so that the user has something to read."""
        other, at = self.other(user), self.conversation
        self.mine, self.doomed = self.say(user, "mine"), self.say(user, "doomed")
        self.theirs, self.last = self.say(other, "theirs"), self.say(other, "last")
        user.socket.saved(user.socket.change("react", at, self.theirs, reaction=REMOVED))
        self.texts[self.theirs].reactions[REMOVED] = [user.id]

    def send(self, frame: str, user: User) -> str | None:
        """The uuid of the frame, if it has one."""
        socket, at, text = user.socket, self.conversation, f"{frame} from {user.id}"
        if frame in ("delivered", "read"):
            socket.receipt(frame, at, self.theirs if frame == "delivered" else self.last)
            return None
        return {
            "message by user": lambda: socket.say(self.other(user).id, text),
            "message": lambda: socket.say_in(at, text),
            "reply": lambda: socket.say_in(at, text, reply_to=self.last),
            "edit": lambda: socket.change("edit", at, self.mine, message=text),
            "react": lambda: socket.change("react", at, self.theirs, reaction=ADDED),
            "react, remove": lambda: socket.change("react", at, self.theirs, reaction=REMOVED,
                                                   remove=True),
            "delete": lambda: socket.change("delete", at, self.doomed),
        }[frame]()

    def apply(self, frame: str, user: User, seq: int) -> None:
        """The frame was saved."""
        text = f"{frame} from {user.id}"
        reactions = self.texts[self.theirs].reactions
        if frame == "edit":
            self.texts[seq].message, self.texts[seq].edited = text, True
        elif frame == "react":
            reactions[ADDED] = [user.id]
        elif frame == "react, remove":
            del reactions[REMOVED]
        elif frame == "delete":
            self.texts[seq] = Text(user.id, "", deleted=True)
        else:
            self.texts[seq] = Text(user.id, text, self.last if frame == "reply" else None)

    def outcome(self, frame: str, user: User) -> tuple[str | None, str | None]:
        """Sends a frame; the answer, and what the other user's socket gets."""
        other, told = self.other(user), None
        uuid = self.send(frame, user)
        if uuid:
            answer = user.socket.until(
                f"an answer to {frame}", lambda found: found.get("uuid") == uuid
                and found.get("state") in ("saved", "error"))
            told = answer.get("code", "saved")
            if told == "saved":
                self.apply(frame, user, answer["seq"])
        else:
            self.settle(user, self.conversation)
        heard, own = self.arrived(other), self.arrived(user, user.second)
        # All sockets of the user hear what the user did.
        assert len(own) == (told in (None, "saved")), (frame, own)
        assert len(heard) <= 1, (frame, heard)
        if heard and uuid:
            assert heard[0]["uuid"] == uuid, heard
        return told, heard[0]["type"] if heard else None

    # --- what both may read -----------------------------------------------------------
    def assert_read(self, user: User, since: str, revision: int) -> None:
        """Lists, history, changes and receipts, as one of the two sees them."""
        person, at = user.person, self.conversation
        entries = {entry["seq"]: entry for entry in self.api.all_messages(person, at)
                   if entry["type"] == "message"}
        assert {seq: text_of(entry) for seq, entry in entries.items()} == self.texts
        changed = self.api.messages(person, at, revised=revision, limit=200)["messages"]
        assert {entry["seq"] for entry in changed} == {
            seq for seq, entry in entries.items() if entry.get("revision", 0) > revision}
        assert all(entry == entries[entry["seq"]] for entry in changed)
        listed = self.api.conversation(person, at)
        assert listed["last_seq"] == max(self.texts)
        found, gone, _ = self.api.sync(person, since)
        assert [one for one in found if one["id"] == at] == [listed] and gone == []

    def members(self, reader: User, **query) -> dict[int, tuple[int, int]]:
        """user -> (delivered, read)"""
        page = self.api.get(f"/conversations/{self.conversation}/members", reader.person, **query)
        return {member["user"]: (member["delivered_seq"], member["read_seq"])
                for member in page["members"]}


@pytest.fixture(scope="module")
def elsewhere(stack: Stack):
    stack.wait_ready()
    with Service(stack, "websocket-service") as gateway:
        yield gateway


@pytest.fixture
def pair_in(api: Api, alice: Person, bob: Person, elsewhere: Service,
            enter) -> Callable[[str], Pair]:
    def pair_in(kind: str) -> Pair:
        one = User(alice, enter(alice), enter(alice))
        two = User(bob, *(enter(bob, elsewhere.ws_url) for _ in range(2)))
        return Pair(api, kind, one, two, enter(api.register()))
    return pair_in


# --- typing ----------------------------------------------------------------------------
def assert_typing_arrives(pair: Pair, typist: User) -> None:
    """Repeats it, as a client does: `typing` may be lost."""
    members = {"type": "typing", "conversation": pair.conversation, "user": typist.id}

    def arrives() -> bool:
        typist.socket.typing(pair.conversation)
        return bool(pair.other(typist).socket.expect(0.5, **members))
    until(f"{members}", arrives, HANG_S)


def assert_typing_does_not_arrive(pair: Pair, typist: User) -> None:
    typist.socket.typing(pair.conversation)
    pair.settle(typist, pair.conversation)
    assert pair.arrived(pair.other(typist)) == []


# --- presence --------------------------------------------------------------------------
def presence_told(user: User, other: User) -> dict:
    """The answer to a query of the user. It leaves no subscription."""
    user.socket.watch(other.id)
    found, = user.socket.expect(type="presence")["users"]
    user.socket.watch()
    assert found.pop("user") == other.id
    return found


# --- the table --------------------------------------------------------------------------
def check_frames(pair: Pair, state: str, sender: str) -> None:
    user = pair.users[sender]
    other = pair.other(user)
    pair.block("nobody")
    pair.prepare(user)
    before = pair.api.conversation(other.person, pair.conversation)["revision"]
    cursors = {one.id: pair.api.sync(one.person)[2] for one in (user, other)}
    pair.block(state)
    for one in (user, other):
        pair.arrived(one)
        pair.arrived(one, one.second)
    wanted = {frame: outcome for frame, outcome in expected(pair.kind, state, sender).items()
              if frame not in ("typing", "presence")}
    assert {frame: pair.outcome(frame, user) for frame in wanted} == wanted
    for one in (user, other):
        pair.assert_read(one, cursors[one.id], before)
    read = pair.api.conversation(user.person, pair.conversation)
    own = (read["delivered_seq"], read["read_seq"])
    assert min(own) >= pair.last
    hidden = pair.kind == "direct" and pair.blocks(other)
    assert pair.members(user)[user.id] == own
    assert pair.members(other)[user.id] == ((0, 0) if hidden else own)
    assert (user.id in pair.members(other, seen=pair.last)) == (not hidden)


def check_typing_and_presence(pair: Pair) -> None:
    for user in pair.users.values():
        pair.settle(user, pair.conversation)
    pair.users["alice"].socket.during(TYPING_PAUSE_S)  # or the gateway drops it as too frequent
    for sender, user in pair.users.items():
        wanted = expected(pair.kind, pair.state, sender)
        pair.arrived(pair.other(user))
        if wanted["typing"] == (None, "typing"):
            assert_typing_arrives(pair, user)
        else:
            assert_typing_does_not_arrive(pair, user)
        # The gateway looks a change of blocks up.
        until(f"{wanted['presence']}", lambda: presence_told(user, pair.other(user)) ==
              {"state": wanted["presence"][0]})


@pytest.mark.prove
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", STATES)
def test_each_frame_in_each_state(state: str, kind: str, pair_in):
    pair = pair_in(kind)
    if state == "nobody any more":
        pair.block("both")
    for sender in pair.users:
        check_frames(pair, state, sender)
    check_typing_and_presence(pair)


# --- presence of a user who is subscribed to ----------------------------------------------
def state_of(socket: Socket, person: Person, state: str) -> dict:
    """The next presence frame that names this state of the person."""
    frame = socket.until(
        f"user {person.id} {state}",
        lambda frame: frame["type"] == "presence" and any(
            (user["user"], user["state"]) == (person.id, state) for user in frame["users"]))
    return next(user for user in frame["users"] if user["user"] == person.id)


@pytest.mark.slow
def test_subscriptions(pair_in, enter):
    """Alice learns nothing about Bob: neither where she has subscribed before the block, nor
    where she subscribes during it, nor when he leaves."""
    pair = pair_in("direct")
    alice, bob = pair.users.values()
    nothing = {"user": bob.id, "state": "offline"}
    alice.socket.watch(bob.id)
    state_of(alice.socket, bob.person, "online")
    pair.block("bob")
    assert state_of(alice.socket, bob.person, "offline") == nothing
    alice.second.watch(bob.id)
    assert state_of(alice.second, bob.person, "offline") == nothing
    # An observer who is not blocked sees that Bob leaves; Alice sees nothing new.
    observer = enter(pair.api.register())
    observer.watch(bob.id)
    state_of(observer, bob.person, "online")
    bob.socket.close()
    bob.second.close()
    state_of(observer, bob.person, "offline")
    for socket in (alice.socket, alice.second):
        assert [frame for frame in socket.quiet(pair.marker, new_uuid(), alice.id)
                if frame["type"] == "presence"] == []
    bob.socket = enter(bob.person)
    state_of(observer, bob.person, "online")
    pair.block("nobody")
    for socket in (alice.socket, alice.second):
        state_of(socket, bob.person, "online")
