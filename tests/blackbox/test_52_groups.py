"""Groups and channels: membership, delivery and order."""

import pytest

from support.api import Api, Person, check_problem
from support.chat import new_uuid
from support.conversations import (assert_no_frames_of, change_of, make, new_channel_name,
                                   pending_frames)

ABSENT = 9007199254740991


@pytest.fixture
def carol(api: Api) -> Person:
    return api.register()


@pytest.fixture
def dave(api: Api) -> Person:
    return api.register()


def in_order(entries: list[dict]) -> list[dict]:
    """The entries; asserts that their seqs are consecutive."""
    seqs = [entry["seq"] for entry in entries]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))) if seqs else True, seqs
    return entries


def in_words(entries: list[dict]) -> list[str]:
    """One word for each entry: the text of a message, or the kind of change."""
    return [entry["message"] if entry["type"] == "message" else entry["change"]["what"]
            for entry in entries]


# --- creation ------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["group", "channel"])
def test_a_new_conversation_has_its_creator_and_members(kind: str, api: Api, alice: Person,
                                                        bob: Person, carol: Person, enter):
    sockets = {person.id: enter(person) for person in (alice, bob, carol)}
    group = make(api, alice, bob, carol, kind=kind)
    assert (group.made["kind"], group.made["last_seq"]) == (kind, 1)
    for person in (alice, bob, carol):
        frame = change_of(sockets[person.id], group.id, "created")
        assert frame["seq"] == 1 and frame["user_from"] == alice.id
        assert frame["change"]["name"] == group.made["name"]
        assert frame["change"]["users"][0] == alice.id
        assert set(frame["change"]["users"]) == {alice.id, bob.id, carol.id}
        assert group.entries(person) == [frame]
        listed, = api.conversations(person)["conversations"]
        assert (listed["id"], listed["kind"], listed["name"]) == \
            (group.id, kind, group.made["name"])
        assert listed == group.seen_by(person)
        assert listed["last_message"] == frame
        # A new member has read all earlier entries.
        assert (listed["read_seq"], listed["unread"]) == (1, 0)
    assert group.roles(bob) == {alice.id: "owner", bob.id: "member", carol.id: "member"}


def test_a_conversation_may_have_one_member(api: Api, alice: Person, enter):
    group = make(api, alice)
    one, other = enter(alice), enter(alice)
    uuid = one.say_in(group.id, "echo")
    assert one.saved(uuid)["seq"] == 2
    assert other.expect(type="message", uuid=uuid)["message"] == "echo"


BAD_BODIES = {
    "no kind": {"kind": ...},
    "kind direct": {"kind": "direct"},
    "kind unknown": {"kind": "club"},
    "kind a number": {"kind": 2},
    "no name": {"name": ...},
    "empty name": {"name": ""},
    "long name": {"name": "x" * 65},
    "blank at the end": {"name": "x "},
    "control character": {"name": "a\u0007b"},
    "name a number": {"name": 7},
    "users no list": {"users": 5},
    "user 0": {"users": [0]},
    "user a text": {"users": ["1"]},
    "user negative": {"users": [-1]},
    "history unknown": {"history": "some"},
    "uuid malformed": {"uuid": "x"},
    "too many users": {"users": list(range(1, 53))},
}


@pytest.mark.parametrize("changes", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_an_invalid_conversation_is_refused(changes: dict, api: Api, alice: Person):
    body = {"kind": "group", "name": "good", "users": []} | changes
    body = {name: value for name, value in body.items() if value is not ...}
    check_problem(api.ask("POST", "/conversations", alice, json=body), 422)
    assert api.conversations(alice)["conversations"] == []


def test_an_unknown_user_cannot_be_a_member(api: Api, alice: Person, bob: Person):
    answer = api.ask("POST", "/conversations", alice,
                     json={"kind": "group", "name": "ghosts", "users": [bob.id, ABSENT]})
    check_problem(answer, 422)
    group = make(api, alice)
    check_problem(group.ask("POST", "/members", alice, json={"users": [bob.id, ABSENT]}), 422)
    assert list(group.roles(alice)) == [alice.id]
    assert len(api.conversations(bob)["conversations"]) == 0


def test_the_same_uuid_makes_one_conversation(api: Api, alice: Person, bob: Person, enter):
    uuid, name = new_uuid(), new_channel_name()
    two = enter(bob)
    first = make(api, alice, bob, kind="channel", name=name, uuid=uuid)
    for body in ({"kind": "channel", "name": name, "users": [bob.id], "uuid": uuid},
                 {"kind": "group", "name": "another body", "uuid": uuid.upper()}):
        answer = api.ask("POST", "/conversations", alice, json=body)
        assert (answer.status_code, answer.json()["id"]) == (200, first.id)
    assert in_words(first.entries(alice)) == ["created"]
    change_of(two, first.id, "created")
    # The same uuid from another sender is another message.
    assert make(api, bob, uuid=uuid).id != first.id


# --- messages ------------------------------------------------------------------------
def test_a_message_reaches_all_sockets_of_all_members(api: Api, alice: Person, bob: Person,
                                                      carol: Person, enter):
    group = make(api, alice, bob, carol)
    sending, others = enter(alice), [enter(person) for person in (alice, bob, bob, carol)]
    uuid = sending.say_in(group.id, "hi all")
    saved = sending.saved(uuid)
    assert (saved["conversation"], saved["seq"]) == (group.id, 2)
    frames = [socket.expect(type="message", uuid=uuid) for socket in others]
    assert all(frame == frames[0] for frame in frames)
    assert set(frames[0]) == {"type", "id", "conversation", "seq", "user_from", "uuid",
                              "message", "created_at"}
    for member in ("id", "seq", "conversation", "created_at"):
        assert frames[0][member] == saved[member]
    # The sending socket gets it once, as `saved`.
    assert not [frame for frame in pending_frames(sending, others[1], alice)
                if frame.get("uuid") == uuid]
    assert group.entries(carol)[-1] == frames[0]


def test_messages_and_changes_share_one_order(api: Api, alice: Person, bob: Person,
                                              carol: Person, dave: Person, enter):
    one, two = enter(alice), enter(bob)
    group = make(api, alice, bob, history="all")
    one.saved(one.say_in(group.id, "a"))
    group.invite(alice, carol)
    two.saved(two.say_in(group.id, "b"))
    group.give(alice, bob, "admin")
    group.change(bob, name="Renamed")
    group.change(bob, history="joined")
    group.invite(bob, dave)
    group.remove(bob, dave)
    one.saved(one.say_in(group.id, "c"))
    group.leave(carol)
    wanted = ["created", "a", "invited", "b", "role", "renamed", "history", "invited",
              "removed", "c", "left"]
    history = in_order(group.entries(alice))
    assert in_words(history) == wanted and history[0]["seq"] == 1
    changes = {entry["change"]["what"]: entry for entry in history if entry["type"] == "member"}
    assert changes["role"]["change"] == {"what": "role", "users": [bob.id], "role": "admin"}
    assert changes["renamed"]["change"] == {"what": "renamed", "name": "Renamed"}
    assert changes["history"]["change"] == {"what": "history", "history": "joined"}
    assert changes["removed"]["change"] == {"what": "removed", "users": [dave.id]}
    assert changes["removed"]["user_from"] == bob.id
    assert changes["left"]["change"] == {"what": "left", "users": [carol.id]}
    assert changes["left"]["user_from"] == carol.id
    assert len({entry["id"] for entry in history}) == len({entry["uuid"] for entry in history}) \
        == len(history)
    # History holds what the sockets received, each entry once. (A REST change may
    # overtake a message by milliseconds; seq gives the order.)
    for socket, person in ((one, alice), (two, bob)):
        socket.until("the last entry", lambda frame: frame.get("seq") == history[-1]["seq"]
                     and frame["type"] == "member")
        received = [frame for frame in socket.seen if frame.get("conversation") == group.id
                    and frame["type"] in ("message", "member")] + [history[-1]]
        own = "a c" if person is alice else "b"
        received.sort(key=lambda frame: frame["seq"])
        assert received == [entry for entry in history
                            if entry.get("message", "?") not in own.split()]


def test_seq_has_no_gaps_while_many_write_and_change(api: Api, alice: Person, bob: Person,
                                                     carol: Person, enter):
    one, two = enter(alice), enter(bob)
    group = make(api, alice, bob)
    uuids = []
    for number in range(20):
        uuids += [one.say_in(group.id, f"a{number}"), two.say_in(group.id, f"b{number}")]
        if number % 5 == 0:
            group.invite(alice, carol)
        if number % 5 == 2:
            group.remove(alice, carol)
    for at, uuid in enumerate(uuids):
        (one if at % 2 == 0 else two).saved(uuid)
    history = in_order(group.entries(bob))
    assert [entry["uuid"] for entry in history if entry["type"] == "message"
            and entry["user_from"] == alice.id] == uuids[::2]
    assert in_words(history).count("invited") == in_words(history).count("removed") == 4


def test_a_reply_names_the_message_it_answers(api: Api, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    group = make(api, alice, bob)
    first = one.saved(one.say_in(group.id, "question"))
    uuid = two.say_in(group.id, "answer", reply_to=first["seq"])
    two.saved(uuid)
    frame = one.expect(type="message", uuid=uuid)
    assert frame["reply_to"] == first["seq"]
    assert group.entries(alice)[-1] == frame
    direct = one.saved(one.say(bob.id, "question"))
    uuid = two.say(alice.id, "answer", reply_to=direct["seq"])
    two.saved(uuid)
    assert one.expect(type="message", uuid=uuid)["reply_to"] == direct["seq"]


@pytest.mark.parametrize("seq", [1, 3, 99, ABSENT])
def test_a_reply_to_no_message_is_refused(seq: int, api: Api, alice: Person, bob: Person, enter):
    """Message 1 is the creator's, message 3 the reply itself."""
    one = enter(alice)
    group = make(api, alice, bob)
    one.saved(one.say_in(group.id, "two"))
    one.refused(one.say_in(group.id, "x", reply_to=seq), "unknown_message")
    assert in_words(group.entries(alice)) == ["created", "two"]


def test_a_send_can_name_a_direct_conversation(api: Api, alice: Person, bob: Person, enter):
    one, two = enter(alice), enter(bob)
    saved = one.saved(one.say(bob.id, "by person"))
    uuid = two.say_in(saved["conversation"], "by number")
    again = two.saved(uuid)
    assert (again["conversation"], again["seq"]) == (saved["conversation"], 2)
    frame = one.expect(type="message", uuid=uuid)
    assert (frame["user_from"], frame["user_to"]) == (bob.id, alice.id)
    assert one.saved(one.say(bob.id, "by person"))["seq"] == 3


# --- strangers -----------------------------------------------------------------------
READS = ["", "/messages", "/messages?after=0", "/messages?revised=0", "/members",
         "/members?seen=1"]


def comparable(answer) -> tuple:
    """An answer without the members that differ between requests."""
    headers = {name: value for name, value in answer.headers.items()
               if name.lower() not in ("date", "x-request-id")}
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("kind", ["group", "channel"])
def test_a_strangers_requests_get_the_answers_for_a_missing_conversation(
        kind: str, api: Api, alice: Person, bob: Person, carol: Person):
    group = make(api, alice, bob, kind=kind)
    for below in READS:
        absent, strange = (api.ask("GET", f"/conversations/{number}{below}", carol)
                           for number in (ABSENT, group.id))
        check_problem(strange, 404)
        assert comparable(strange) == comparable(absent), below
    writes = [("PATCH", "", {"name": "mine"}), ("DELETE", "", None), ("POST", "/leave", None),
              ("POST", "/members", {"users": [carol.id]}),
              ("DELETE", f"/members/{bob.id}", None),
              ("PATCH", f"/members/{bob.id}", {"role": "admin"})]
    if kind == "group":
        writes.append(("POST", "/join", None))
    for method, below, body in writes:
        absent, strange = (api.ask(method, f"/conversations/{number}{below}", carol,
                                   **({} if body is None else {"json": body}))
                           for number in (ABSENT, group.id))
        check_problem(strange, 404)
        assert comparable(strange) == comparable(absent), (method, below)
    assert in_words(group.entries(alice)) == ["created"]


def same_but(uuid: str, conversation: int, frame: dict) -> dict:
    """A refusal without the names of the request."""
    return {name: "…" if value in (uuid, conversation) else value
            for name, value in frame.items()}


@pytest.mark.parametrize("kind", ["group", "channel"])
def test_a_strangers_frames_get_the_refusals_for_a_missing_conversation(
        kind: str, api: Api, alice: Person, bob: Person, carol: Person, enter):
    one, two, three = enter(alice), enter(bob), enter(carol)
    group = make(api, alice, bob, kind=kind)
    seq = one.saved(one.say_in(group.id, "inside"))["seq"]
    two.until("the message", lambda frame: frame["type"] == "message")
    asks = {
        "message": lambda number: three.say_in(number, "let me in"),
        "reply": lambda number: three.say_in(number, "let me in", reply_to=seq),
        "edit": lambda number: three.change("edit", number, seq, message="changed"),
        "delete": lambda number: three.change("delete", number, seq),
        "react": lambda number: three.change("react", number, seq, reaction="👍"),
    }
    for name, send in asks.items():
        answers = []
        for number in (ABSENT, group.id):
            uuid = send(number)
            answers.append(same_but(uuid, number, three.refused(uuid, "unknown_conversation")))
        assert answers[0] == answers[1], name
    assert in_words(group.entries(alice)) == ["created", "inside"]
    assert [frame["type"] for frame in pending_frames(two, one, bob)
            if frame.get("conversation") == group.id] == ["member"]


# --- leaving and joining -------------------------------------------------------------
@pytest.mark.parametrize("how", ["leaves", "removed"])
def test_a_former_member_receives_the_last_change_only(how: str, api: Api, alice: Person,
                                                       bob: Person, carol: Person, enter):
    one, gone, stays = enter(alice), enter(bob), enter(carol)
    group = make(api, alice, bob, carol)
    mine = gone.say_in(group.id, "I was here")
    saved = gone.saved(mine)
    what = "left" if how == "leaves" else "removed"
    if how == "leaves":
        group.leave(bob)
    else:
        group.remove(alice, bob)
    last = change_of(gone, group.id, what)
    assert last["change"]["users"] == [bob.id]
    assert change_of(stays, group.id, what) == last
    uuid = one.say_in(group.id, "without bob")
    one.saved(uuid)
    stays.expect(type="message", uuid=uuid)
    group.change(alice, name="Without Bob")
    change_of(stays, group.id, "renamed")
    gone.expect(type="member", conversation=group.id)  # the frame of its creation
    assert_no_frames_of(group.id, gone, one, bob)
    # Neither old nor new entries are visible.
    for below in READS:
        check_problem(group.ask("GET", below, bob), 404)
    assert group.id not in [entry["id"] for entry in api.conversations(bob)["conversations"]]
    gone.refused(gone.say_in(group.id, "still here?"), "unknown_conversation")
    # An earlier message stays saved: the same uuid gets the same answer.
    gone.say_in(group.id, "I was here", uuid=mine)
    assert gone.saved(mine) == saved
    assert in_words(group.entries(carol)) == [
        "created", "I was here", what, "without bob", "renamed"]


def test_a_former_member_can_return(api: Api, alice: Person, bob: Person, enter):
    two = enter(bob)
    group = make(api, alice, bob)
    group.remove(alice, bob)
    change_of(two, group.id, "removed")
    group.invite(alice, bob)
    back = change_of(two, group.id, "invited")
    two.saved(two.say_in(group.id, "back"))
    assert [entry["seq"] for entry in group.entries(bob)] == [back["seq"], back["seq"] + 1]
    assert group.seen_by(bob)["unread"] == 0


@pytest.mark.parametrize("history, sees", [("joined", ["invited", "after"]),
                                           ("all", ["created", "before", "invited", "after"])])
def test_history_decides_which_entries_a_new_member_sees(history: str, sees: list[str], api: Api,
                                                         alice: Person, bob: Person, carol: Person,
                                                         enter):
    one, late = enter(alice), enter(carol)
    group = make(api, alice, bob, history=history)
    before = one.saved(one.say_in(group.id, "before"))
    group.invite(alice, carol)
    one.saved(one.say_in(group.id, "after"))
    assert in_words(in_order(group.entries(carol))) == sees
    first = change_of(late, group.id, "invited")
    assert first["seq"] == 3
    assert (group.seen_by(carol)["unread"], group.seen_by(carol)["last_seq"]) == (1, 4)
    if history == "joined":
        late.refused(late.change("react", group.id, before["seq"], reaction="👀"),
                     "unknown_message")
        late.refused(late.say_in(group.id, "re", reply_to=before["seq"]), "unknown_message")
        assert api.messages(carol, group.id, before=3)["messages"] == []
    # A member from the start sees everything.
    assert in_words(group.entries(bob)) == ["created", "before", "invited", "after"]


def test_a_history_change_applies_to_later_members_only(api: Api, alice: Person, bob: Person,
                                                        carol: Person):
    """A later change does not affect present members."""
    group = make(api, alice, history="joined")
    group.invite(alice, bob)
    group.change(alice, history="all")
    group.invite(alice, carol)
    assert in_words(group.entries(bob)) == ["invited", "history", "invited"]
    assert in_words(group.entries(carol)) == ["created", "invited", "history", "invited"]


def check_repeated_message(api: Api, enter, count: int) -> None:
    """A new member does not receive an earlier message when its sender repeats it."""
    people = [api.register() for _ in range(count)]
    late = api.register()
    one, two, new = enter(people[0]), enter(people[1]), enter(late)
    group = make(api, people[0], *people[1:], history="joined")
    uuid = one.say_in(group.id, "before")
    saved = one.saved(uuid)
    group.invite(people[0], late)
    change_of(new, group.id, "invited")
    one.say_in(group.id, "before", uuid=uuid)
    assert one.saved(uuid) == saved
    two.expect(type="message", uuid=uuid)
    assert_no_frames_of(group.id, new, one, late)
    assert in_words(group.entries(late)) == ["invited"]


def test_a_repeated_message_does_not_reach_a_new_member(api: Api, enter):
    check_repeated_message(api, enter, 2)


def test_group_history_defaults_to_joined_and_channel_history_to_all(api: Api, alice: Person,
                                                                     bob: Person):
    group, channel = make(api, alice), make(api, alice, kind="channel")
    group.invite(alice, bob)
    channel.join(bob)
    assert in_words(group.entries(bob)) == ["invited"]
    assert in_words(channel.entries(bob)) == ["created", "joined"]


# --- roles and deletion --------------------------------------------------------------
def test_an_admin_becomes_owner_when_the_owner_leaves(api: Api, alice: Person, bob: Person,
                                                      carol: Person, dave: Person, enter):
    two = enter(bob)
    group = make(api, alice, bob, history="all")
    group.invite(alice, carol)
    group.invite(alice, dave)
    for person in (dave, carol):
        group.give(alice, person, "admin")
    group.leave(alice)
    left = change_of(two, group.id, "left")
    assert left["change"] == {"what": "left", "users": [alice.id], "owner": carol.id}
    assert group.roles(bob) == {bob.id: "member", carol.id: "owner", dave.id: "admin"}
    group.leave(carol)
    assert group.roles(bob) == {bob.id: "member", dave.id: "owner"}
    group.leave(dave)
    assert group.roles(bob) == {bob.id: "owner"}
    group.leave(bob)
    for person in (alice, bob, carol, dave):
        check_problem(group.ask("GET", "", person), 404)


def test_the_owner_can_transfer_ownership(api: Api, alice: Person, bob: Person, enter):
    two = enter(bob)
    group = make(api, alice, bob)
    group.give(alice, bob, "owner")
    frame = change_of(two, group.id, "role")
    assert frame["change"] == {"what": "role", "users": [bob.id], "role": "owner"}
    assert group.roles(alice) == {alice.id: "admin", bob.id: "owner"}
    check_problem(group.ask("DELETE", "", alice), 403)
    group.give(bob, alice, "member")
    assert group.roles(alice)[alice.id] == "member"


@pytest.mark.parametrize("kind", ["group", "channel"])
def test_a_deleted_conversation_disappears_for_all_members(kind: str, api: Api, alice: Person,
                                                           bob: Person, enter):
    one, two = enter(alice), enter(bob)
    group = make(api, alice, bob, kind=kind)
    uuid = two.say_in(group.id, "last words")
    saved = two.saved(uuid)
    group.delete(alice)
    for socket in (one, two):
        assert change_of(socket, group.id, "deleted")["seq"] == 3
    for person in (alice, bob):
        for below in READS:
            check_problem(group.ask("GET", below, person), 404)
        assert api.conversations(person)["conversations"] == []
    two.refused(two.say_in(group.id, "hello?"), "unknown_conversation")
    two.say_in(group.id, "last words", uuid=uuid)
    assert two.saved(uuid) == saved
    check_problem(group.ask("POST", "/join", bob), 404)
    if kind == "channel":  # its name can be used again
        make(api, bob, kind="channel", name=group.made["name"])


def test_inviting_a_member_changes_nothing(api: Api, alice: Person, bob: Person, carol: Person,
                                           enter):
    two = enter(bob)
    group = make(api, alice, bob)
    group.invite(alice, bob, carol)
    assert change_of(two, group.id, "invited")["change"]["users"] == [carol.id]
    group.invite(alice, bob)
    assert in_words(group.entries(alice)) == ["created", "invited"]


# --- channels ------------------------------------------------------------------------
def test_a_channel_is_found_and_joined(api: Api, alice: Person, bob: Person, carol: Person,
                                       enter):
    one, two = enter(alice), enter(bob)
    word = new_uuid()[:8]
    channel = make(api, alice, kind="channel", name=f"General Chat {word}")
    make(api, alice, kind="group", name=f"Secret {word}")
    one.saved(one.say_in(channel.id, "welcome"))
    for search in (f"general chat {word}", f"CHAT {word}", word, word[:6]):
        found = api.get("/channels", bob, search=search)["channels"]
        assert [entry["id"] for entry in found] == [channel.id], search
        assert found[0]["name"] == f"General Chat {word}"
    assert api.get("/channels", bob, search=f"eral chat {word}")["channels"] == []
    channel.join(bob)
    frame = change_of(two, channel.id, "joined")
    assert (frame["user_from"], frame["change"]["users"]) == (bob.id, [bob.id])
    assert change_of(one, channel.id, "joined") == frame
    assert in_words(channel.entries(bob)) == ["created", "welcome", "joined"]
    uuid = one.say_in(channel.id, "hello bob")
    one.saved(uuid)
    two.expect(type="message", uuid=uuid)
    channel.join(bob)  # a repeated join changes nothing
    assert in_words(channel.entries(bob)) == ["created", "welcome", "joined", "hello bob"]


def test_channels_are_paged(api: Api, alice: Person):
    word = new_uuid()[:8]
    ids = {make(api, alice, kind="channel", name=f"{word} {number}").id for number in range(5)}
    found, after, pages = [], {}, 0
    while True:
        page = api.get("/channels", alice, search=word, limit=2, **after)
        found += [entry["id"] for entry in page["channels"]]
        pages += 1
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert pages == 3 and len(found) == 5 and set(found) == ids


def test_two_channels_cannot_share_a_name(api: Api, alice: Person, bob: Person):
    name = new_channel_name("Ärger")
    first = make(api, alice, kind="channel", name=name)
    for taken in (name, name.upper(), name.swapcase()):
        check_problem(api.ask("POST", "/conversations", bob, json={
            "kind": "channel", "name": taken, "users": []}), 409)
    other = make(api, bob, kind="channel")
    check_problem(other.ask("PATCH", "", bob, json={"name": name.lower()}), 409)
    assert other.seen_by(bob)["name"] == other.made["name"]
    first.change(alice, name=name.upper())  # its own name in another case
    # Accents distinguish names, and groups may share a name.
    make(api, bob, kind="channel", name=name.replace("Ä", "A"))
    for _ in range(2):
        make(api, bob, kind="group", name=name)
    first.change(alice, name=new_channel_name())
    make(api, bob, kind="channel", name=name)


def test_a_group_cannot_be_joined(api: Api, alice: Person, bob: Person):
    group = make(api, alice)
    check_problem(group.ask("POST", "/join", bob), 404)
    assert api.conversations(bob)["conversations"] == []


# --- sync ----------------------------------------------------------------------------
def test_sync_returns_every_changed_conversation(api: Api, alice: Person, bob: Person,
                                                 carol: Person, enter):
    one, two = enter(alice), enter(bob)
    group, other = make(api, alice, bob), make(api, alice, bob)
    direct = one.saved(one.say(bob.id, "hi"))["conversation"]
    listed, gone, cursor = api.sync(bob)
    assert gone == []
    assert {entry["id"] for entry in listed} == {group.id, other.id, direct}
    steps = {
        "a message": lambda: one.saved(one.say_in(group.id, "news")),
        "a name": lambda: group.change(alice, name="New name"),
        "a role": lambda: group.give(alice, bob, "admin"),
        "a receipt": lambda: two.receipt("read", group.id, 2),
        "a new member": lambda: group.invite(alice, carol),
        "an edit": lambda: one.saved(one.change("edit", group.id, 2, message="olds")),
    }
    for name, step in steps.items():
        step()
        if name == "a receipt":
            two.expect(type="receipt", conversation=group.id, user=bob.id)
        found, _, cursor = api.sync(bob, cursor)
        assert group.id in [entry["id"] for entry in found], name
        entry = next(entry for entry in found if entry["id"] == group.id)
        assert entry == group.seen_by(bob), name
    group.remove(alice, bob)
    found, gone, cursor = api.sync(bob, cursor)
    assert gone == [group.id] and group.id not in [entry["id"] for entry in found]
    # Nothing changed, so no frame is sent.
    assert len(api.sync(bob, cursor)[0]) <= 3


def test_sync_of_a_new_user_is_empty(api: Api, alice: Person):
    found, gone, cursor = api.sync(alice)
    assert found == gone == [] and isinstance(cursor, str)
    assert api.sync(alice, cursor)[:2] == ([], [])


@pytest.mark.parametrize("cursor", ["x", "-1", "999999999999999999999999", "a.b.c", "'"])
def test_a_bad_cursor_is_refused(cursor: str, api: Api, alice: Person):
    check_problem(api.ask("GET", "/sync", alice, params={"since": cursor}), 422)
