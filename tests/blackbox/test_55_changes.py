"""Edits, deletions and reactions."""

import pytest

from support.api import Api, Person
from support.chat import Socket, new_uuid
from support.conversations import Group, assert_no_frames_of, change_of, make, pending_frames
from support.stack import Stack
from support.stores import rows

ABSENT = 9007199254740991


class Room:
    """A group of three: alice owns it, bob has sent a message."""

    def __init__(self, api: Api, enter, alice: Person, bob: Person, carol: Person):
        self.alice, self.bob, self.carol = alice, bob, carol
        self.one, self.two, self.three = enter(alice), enter(bob), enter(carol)
        self.group: Group = make(api, alice, bob, carol)
        self.id = self.group.id
        uuid = self.two.say_in(self.id, "hello")
        self.seq = self.two.saved(uuid)["seq"]
        for socket in (self.one, self.three):
            socket.expect(type="message", uuid=uuid)

    def last(self, person: Person) -> dict:
        """The message as history shows it now."""
        found, = self.group.api.messages(person, self.id, after=self.seq - 1,
                                         limit=1)["messages"]
        return found


@pytest.fixture
def room(api: Api, alice: Person, bob: Person, enter) -> Room:
    return Room(api, enter, alice, bob, api.register())


# --- edit ----------------------------------------------------------------------------
def test_an_edit_is_saved_and_delivered(room: Room, enter):
    other = enter(room.bob)
    before = room.last(room.alice)
    uuid = room.two.change("edit", room.id, room.seq, message="hello!")
    saved = room.two.saved(uuid)
    assert set(saved) == {"type", "uuid", "state", "conversation", "seq", "revision",
                          "created_at"}
    assert (saved["seq"], saved["revision"]) == (room.seq, 1)
    for socket in (room.one, room.three, other):
        frame = socket.expect(type="edit", uuid=uuid)
        assert frame == {"type": "edit", "conversation": room.id, "seq": room.seq,
                         "revision": 1, "user_from": room.bob.id, "uuid": uuid,
                         "message": "hello!", "created_at": saved["created_at"]}
    # The socket that made the change gets it once.
    assert not [frame for frame in pending_frames(room.two, room.one, room.bob)
                if frame["type"] == "edit"]
    after = room.last(room.carol)
    assert after == before | {"message": "hello!", "revision": 1,
                              "edited_at": saved["created_at"]}
    # A change does not consume a seq.
    assert room.two.saved(room.two.say_in(room.id, "next"))["seq"] == room.seq + 1


def test_a_direct_message_can_be_edited_by_its_author(api: Api, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    saved = one.saved(one.say(bob.id, "hello"))
    uuid = one.change("edit", saved["conversation"], saved["seq"], message="hello, bob")
    assert one.saved(uuid)["revision"] == 1
    assert two.expect(type="edit", uuid=uuid)["message"] == "hello, bob"
    assert [entry["message"] for entry in api.all_messages(bob, saved["conversation"])] == \
        ["hello, bob"]
    listed, = api.conversations(bob)["conversations"]
    assert listed["last_message"]["message"] == "hello, bob"
    # A user cannot edit another user's message.
    two.refused(two.change("edit", saved["conversation"], saved["seq"], message="mine"),
                "not_allowed")
    two.refused(two.change("delete", saved["conversation"], saved["seq"]), "not_allowed")


def test_revisions_follow_one_another(room: Room):
    """One revision counter per conversation, in the order of the changes."""
    second = room.one.saved(room.one.say_in(room.id, "second"))["seq"]
    revisions = []
    for number in range(3):
        revisions.append(room.two.saved(room.two.change(
            "edit", room.id, room.seq, message=f"first {number}"))["revision"])
        revisions.append(room.one.saved(room.one.change(
            "edit", room.id, second, message=f"second {number}"))["revision"])
    revisions.append(room.three.saved(room.three.change(
        "react", room.id, second, reaction="👍"))["revision"])
    assert revisions == list(range(1, 8))
    assert room.group.seen_by(room.carol)["revision"] == 7


@pytest.mark.parametrize("kind", ["edit", "delete", "react"])
def test_a_repeated_change_applies_once(kind: str, room: Room):
    more = {"edit": {"message": "once"}, "delete": {}, "react": {"reaction": "👍"}}[kind]
    uuid = room.two.change(kind, room.id, room.seq, **more)
    first = room.two.saved(uuid)
    if kind != "delete":
        room.two.saved(room.two.change("edit", room.id, room.seq, message="later"))
    more |= {"message": "twice"} if kind == "edit" else {}
    room.two.change(kind, room.id, room.seq, uuid=uuid.upper(), **more)
    assert room.two.saved(uuid) == first
    assert room.last(room.alice)["message"] == ("" if kind == "delete" else "later")


def test_simultaneous_changes_with_one_uuid_make_one_change(room: Room):
    uuid = new_uuid()
    for number in range(20):
        room.two.change("edit", room.id, room.seq, uuid=uuid, message=f"try {number}")
    assert room.two.saved(uuid)["revision"] == 1
    last = room.two.saved(room.two.change("react", room.id, room.seq, reaction="x"))
    assert last["revision"] == 2
    assert room.last(room.alice)["message"] == "try 0"


# --- delete --------------------------------------------------------------------------
def test_a_deleted_text_is_in_no_table(room: Room, stack: Stack):
    text = f"secret {new_uuid()}"
    edited = f"edited {new_uuid()}"
    uuid = room.two.say_in(room.id, text)
    seq = room.two.saved(uuid)["seq"]
    room.two.saved(room.two.change("edit", room.id, seq, message=edited))
    room.one.saved(room.one.change("react", room.id, seq, reaction="🙈"))
    gone = room.two.change("delete", room.id, seq)
    saved = room.two.saved(gone)
    for socket in (room.one, room.three):
        frame = socket.expect(type="delete", uuid=gone)
        assert frame == {"type": "delete", "conversation": room.id, "seq": seq, "revision": 3,
                         "user_from": room.bob.id, "uuid": gone,
                         "created_at": saved["created_at"]}
    entry = room.group.entries(room.carol)[-1]
    assert (entry["seq"], entry["uuid"], entry["message"]) == (seq, uuid, "")
    assert (entry["revision"], entry["deleted_at"]) == (3, saved["created_at"])
    assert not entry.get("reactions")
    tables = [name for name, in rows(stack, "SELECT table_name FROM information_schema.tables"
                                            " WHERE table_schema = 'chat'")]
    for table in tables:
        for row in rows(stack, f"SELECT * FROM `{table}`"):
            for value in row:
                value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
                assert text not in str(value) and edited not in str(value), table
    assert rows(stack, "SELECT 1 FROM reactions WHERE conversation = %s AND seq = %s",
                (room.id, seq)) == []
    # A deleted message cannot change.
    room.two.refused(room.two.change("edit", room.id, seq, message="back"), "unknown_message")
    room.two.refused(room.two.change("react", room.id, seq, reaction="👍"), "unknown_message")


def test_a_repeated_send_of_a_deleted_message_has_no_text(room: Room):
    """A repeated uuid gets the first answer; a repeated event shows the deletion."""
    text = "not for long"
    uuid = room.two.say_in(room.id, text)
    saved = room.two.saved(uuid)
    room.one.expect(type="message", uuid=uuid)
    room.two.saved(room.two.change("delete", room.id, saved["seq"]))
    room.two.say_in(room.id, text, uuid=uuid)
    assert room.two.saved(uuid) == saved
    again = [frame for frame in pending_frames(room.one, room.two, room.alice)
             if frame["type"] == "message" and frame.get("uuid") == uuid]
    assert all(frame["message"] == "" and "deleted_at" in frame for frame in again), again


def test_only_the_author_admins_and_the_owner_delete(room: Room):
    """Only the author, admins and the owner may delete."""
    room.three.refused(room.three.change("delete", room.id, room.seq), "not_allowed")
    room.three.refused(room.three.change("edit", room.id, room.seq, message="x"), "not_allowed")
    # The owner may delete messages of others, but not edit them.
    room.one.refused(room.one.change("edit", room.id, room.seq, message="x"), "not_allowed")
    room.one.saved(room.one.change("delete", room.id, room.seq))
    assert room.last(room.bob)["message"] == ""
    seq = room.one.saved(room.one.say_in(room.id, "the owner's"))["seq"]
    room.group.give(room.alice, room.carol, "admin")
    change_of(room.three, room.id, "role")
    room.three.saved(room.three.change("delete", room.id, seq))
    room.group.give(room.alice, room.carol, "member")
    seq = room.one.saved(room.one.say_in(room.id, "another"))["seq"]
    room.three.refused(room.three.change("delete", room.id, seq), "not_allowed")


# --- react ---------------------------------------------------------------------------
def reactions(room: Room) -> dict[str, list[int]]:
    found = room.last(room.carol).get("reactions", [])
    return {entry["reaction"]: sorted(entry["users"]) for entry in found}


def test_reactions_are_a_set(room: Room):
    def react(socket: Socket, reaction: str, **more) -> int:
        return socket.saved(socket.change("react", room.id, room.seq, reaction=reaction,
                                          **more))["revision"]

    uuid = room.one.change("react", room.id, room.seq, reaction="👍")
    saved = room.one.saved(uuid)
    frame = room.two.expect(type="reaction", uuid=uuid)
    assert frame == {"type": "reaction", "conversation": room.id, "seq": room.seq,
                     "revision": 1, "user_from": room.alice.id, "uuid": uuid,
                     "reaction": "👍", "remove": False, "created_at": saved["created_at"]}
    assert react(room.two, "👍") == 2
    assert react(room.two, "🎉") == 3
    assert reactions(room) == {"👍": sorted([room.alice.id, room.bob.id]), "🎉": [room.bob.id]}
    # Setting a set reaction or removing an absent one changes nothing.
    assert react(room.two, "🎉") == 4
    assert react(room.three, "🎉", remove=True) == 5
    assert react(room.three, "never", remove=True) == 6
    assert react(room.two, "👍", remove=True) == 7
    assert reactions(room) == {"👍": [room.alice.id], "🎉": [room.bob.id]}
    assert react(room.two, "🎉", remove=True) == 8
    assert react(room.one, "👍", remove=True) == 9
    assert reactions(room) == {}
    assert room.last(room.alice)["revision"] == 9
    assert "edited_at" not in room.last(room.alice)


def test_reactions_are_compared_byte_by_byte(room: Room):
    """Case, accents and modifiers distinguish reactions."""
    given = ["a", "A", "ä", "👍", "👍🏽", "x" * 64]
    for reaction in given:
        room.one.saved(room.one.change("react", room.id, room.seq, reaction=reaction))
    assert set(reactions(room)) == set(given)


FITTING = {
    "heart": "❤\ufe0f", "family": "👩\u200d👩\u200d👧\u200d👦", "keycap": "1\ufe0f\u20e3", "flag": "🇩🇪",
    "england": "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
    "kiss with skin tones": "👨🏻\u200d❤\ufe0f\u200d💋\u200d👨🏿", "letter": "é", "letters": "हाँ",
    "word": "ok", "number": "100", "sign": "+", "word of 64 bytes": "0123456789abcdef" * 4,
    "64 bytes of one character": "é" + "\u0301" * 31,
}
UNFIT = {
    "two emoji": "👍👍", "two flags": "🇩🇪🇫🇷", "emoji and letter": "👍a", "shortcode": ":+1:",
    "sign and number": "+1", "blank": " ", "blank inside": "a b", "no-break space": "\u00a0",
    "invisible": "\u200b", "filler": "\u3164", "mark alone": "\u0301", "override": "\u202ea",
    "joiner at the end": "👍\u200d", "control": "a\n", "empty": "", "65 bytes": "x" * 65,
    "65 bytes of one character": "e" + "\u0301" * 32, "a number": 1, "null": None,
}


@pytest.mark.parametrize("reaction", FITTING.values(), ids=FITTING.keys())
def test_a_reaction_is_one_character_or_a_word(reaction: str, room: Room):
    room.one.saved(room.one.change("react", room.id, room.seq, reaction=reaction))
    assert room.two.expect(type="reaction")["reaction"] == reaction
    assert set(reactions(room)) == {reaction}
    room.one.saved(room.one.change("react", room.id, room.seq, reaction=reaction, remove=True))
    assert reactions(room) == {}


@pytest.mark.parametrize("reaction", UNFIT.values(), ids=UNFIT.keys())
def test_other_text_is_no_reaction(reaction, room: Room):
    room.one.refused(room.one.change("react", room.id, room.seq, reaction=reaction),
                     "bad_reaction")
    assert reactions(room) == {}


def test_a_reaction_of_an_older_version_can_be_removed(room: Room):
    room.one.saved(room.one.change("react", room.id, room.seq, reaction="+1", remove=True))
    room.one.refused(room.one.change("react", room.id, room.seq, reaction="a b", remove=True),
                     "bad_reaction")


def test_a_message_has_at_most_20_different_reactions(room: Room):
    for number in range(20):
        room.one.saved(room.one.change("react", room.id, room.seq, reaction=f"r{number}"))
    room.two.refused(room.two.change("react", room.id, room.seq, reaction="r20"), "too_many")
    room.two.saved(room.two.change("react", room.id, room.seq, reaction="r7"))
    room.one.saved(room.one.change("react", room.id, room.seq, reaction="r0", remove=True))
    room.two.saved(room.two.change("react", room.id, room.seq, reaction="r20"))
    assert len(reactions(room)) == 20


def test_reactions_at_the_same_moment_do_not_exceed_the_maximum(room: Room):
    """Three users send ten different reactions each, without waiting for an answer."""
    sent = [(socket, socket.change("react", room.id, room.seq, reaction=f"{name}{number}"))
            for number in range(10) for name, socket in zip("abc", (room.one, room.two, room.three))]
    answers = [socket.until(f"an answer to {uuid}", lambda frame, uuid=uuid: (
        frame.get("uuid") == uuid and (frame.get("state") == "saved" or "code" in frame)))
        for socket, uuid in sent]
    assert [answer.get("code") for answer in answers].count("too_many") == 10
    assert [answer.get("state") for answer in answers].count("saved") == 20
    assert len(reactions(room)) == 20


# --- refused changes -----------------------------------------------------------------
@pytest.mark.parametrize("seq", [1, 3, ABSENT])
@pytest.mark.parametrize("kind", ["edit", "delete", "react"])
def test_a_change_of_no_message_is_refused(kind: str, seq: int, room: Room):
    """Entry 1 is the creation; entries from 3 on do not exist yet."""
    more = {"edit": {"message": "x"}, "delete": {}, "react": {"reaction": "x"}}[kind]
    room.one.refused(room.one.change(kind, room.id, seq, **more), "unknown_message")


def test_a_new_member_cannot_change_earlier_messages(room: Room, api: Api, enter):
    late = api.register()
    four = enter(late)
    room.group.invite(room.alice, late)
    four.refused(four.change("react", room.id, room.seq, reaction="x"), "unknown_message")
    nothing_seen = [frame for frame in four.seen if frame["type"] in ("edit", "reaction")]
    # Changes to an invisible message are invisible, too.
    room.two.saved(room.two.change("edit", room.id, room.seq, message="changed"))
    assert nothing_seen == []
    assert api.messages(late, room.id, revised=0)["messages"] == []


# --- revised messages ----------------------------------------------------------------
def test_history_returns_the_messages_revised_since(room: Room, api: Api):
    seqs = [room.two.saved(room.two.say_in(room.id, f"text {number}"))["seq"]
            for number in range(5)]
    room.two.saved(room.two.change("edit", room.id, seqs[0], message="first edit"))     # 1
    room.two.saved(room.two.change("edit", room.id, seqs[1], message="edited"))         # 2
    room.one.saved(room.one.change("react", room.id, seqs[2], reaction="👍"))           # 3
    room.two.saved(room.two.change("edit", room.id, seqs[0], message="second edit"))    # 4
    room.two.saved(room.two.change("delete", room.id, seqs[3]))                         # 5

    def revised(revision: int) -> list[dict]:
        found, next_one = [], revision
        while next_one is not None:
            page = api.messages(room.carol, room.id, revised=next_one, limit=2)
            found += page["messages"]
            next_one = page["next"]
        return found

    everything_changed = revised(0)
    # Each message once, in its last state, as in history.
    assert [(entry["revision"], entry["seq"]) for entry in everything_changed] == \
        [(2, seqs[1]), (3, seqs[2]), (4, seqs[0]), (5, seqs[3])]
    history = {entry["seq"]: entry for entry in room.group.entries(room.carol)}
    assert all(history[entry["seq"]] == entry for entry in everything_changed)
    assert [entry["seq"] for entry in revised(3)] == [seqs[0], seqs[3]]
    assert revised(5) == [] and revised(ABSENT) == []
    assert room.group.seen_by(room.carol)["revision"] == 5


def test_a_former_member_receives_no_changes(room: Room):
    room.group.leave(room.carol)
    change_of(room.three, room.id, "left")
    room.three.seen.clear()
    uuid = room.two.change("edit", room.id, room.seq, message="without carol")
    room.two.saved(uuid)
    room.one.expect(type="edit", uuid=uuid)
    assert_no_frames_of(room.id, room.three, room.one, room.carol)
    room.three.refused(room.three.change("react", room.id, room.seq, reaction="x"),
                       "unknown_conversation")
