"""Groups and channels changed over REST: permissions and notifications."""

import secrets
from collections.abc import Callable, Iterator

import pytest

from support.api import Api, Person, check_problem
from support.chat import Socket, new_uuid
from support.groups import Groups
from support.stack import Stack
from support.stores import database, rows
from support.wait import HANG_S

Enter = Callable[..., Socket]
UNKNOWN = Person(id=2**53 - 2, name="unknown", token="", expires_in=0, refresh_token="")


@pytest.fixture
def groups(api: Api, stack: Stack) -> Iterator[Groups]:
    groups = Groups(f"http://127.0.0.1:{stack.port('PERSISTENCE_PORT')}")
    yield groups
    groups.close()


@pytest.fixture
def carol(api: Api) -> Person:
    return api.register()


@pytest.fixture
def dave(api: Api) -> Person:
    return api.register()


def new_word() -> str:
    return secrets.token_hex(6)


def change(socket: Socket, conversation: int, what: str) -> tuple[dict, dict]:
    """The next entry of this kind: its frame and its change."""
    while True:
        frame = socket.expect(type="member", conversation=conversation)
        if frame["change"]["what"] == what:
            return frame, frame["change"]


def members(stack: Stack, conversation: int) -> dict[int, tuple]:
    found = rows(stack, "SELECT user, role, read_seq, delivered_seq, from_seq FROM members"
                        " WHERE conversation = %s", (conversation,))
    return {row[0]: row[1:] for row in found}


# --- creation ------------------------------------------------------------------------
def test_all_members_of_a_new_group_receive_created(groups, alice, bob, carol, enter: Enter,
                                                    stack: Stack):
    sockets = [enter(person) for person in (alice, bob, carol)]
    conversation = groups.made(alice, "group", "Three of us", bob, carol)
    for socket in sockets:
        frame, says = change(socket, conversation, "created")
        assert says == {"what": "created", "users": [alice.id, bob.id, carol.id],
                        "name": "Three of us"}
        assert frame["seq"] == 1 and frame["user_from"] == alice.id
    assert members(stack, conversation) == {
        alice.id: (3, 1, 1, 0), bob.id: (1, 1, 1, 0), carol.id: (1, 1, 1, 0)}


def test_creating_a_conversation_returns_it(groups, alice):
    answer = groups.make(alice, "channel", f"news {new_word()}")
    body = answer.json()
    assert body["kind"] == "channel" and body["name"].startswith("news ")
    assert body["last_seq"] == body["read_seq"] == 1 and body["unread"] == 0


def test_a_retry_creates_no_second_conversation(groups, alice, bob, stack: Stack):
    uuid, name = new_uuid(), f"once {new_word()}"
    first = groups.made(alice, "channel", name, uuid=uuid)
    for spelling in (uuid, uuid.upper()):
        again = groups.make(alice, "channel", name, uuid=spelling)
        assert again.status_code == 200 and again.json()["id"] == first
    other = groups.make(bob, "channel", name + " too", uuid=uuid)
    assert other.status_code == 201 and other.json()["id"] != first


def test_two_channels_never_have_the_same_name(groups, alice, bob):
    word = new_word()
    channel = groups.made(alice, "channel", f"Ünal {word}")
    check_problem(groups.make(bob, "channel", f"ÜNAL {word.upper()}"), 409)
    groups.made(bob, "channel", f"Unal {word}")
    groups.made(bob, "group", f"Ünal {word}")
    other = groups.made(bob, "channel", f"other {word}")
    check_problem(groups.edit(bob, other, name=f"ünal {word}"), 409)
    assert groups.edit(alice, channel, name=f"ÜNAL {word}").status_code == 200
    assert groups.delete(alice, channel).status_code == 204
    groups.made(bob, "channel", f"ünal {word}")


BODIES = {
    "no kind": ({"name": "a"}, "kind"), "a direct one": ({"kind": "direct", "name": "a"}, "kind"),
    "no name": ({"kind": "group"}, "name"), "a number": ({"kind": "group", "name": 5}, "name"),
    "a space": ({"kind": "group", "name": " a"}, "name"),
    "65 points": ({"kind": "group", "name": "x" * 65}, "name"),
    "users no list": ({"kind": "group", "name": "a", "users": 5}, "users"),
    "users of text": ({"kind": "group", "name": "a", "users": ["5"]}, "users"),
    "user 0": ({"kind": "group", "name": "a", "users": [0]}, "users"),
    "51 users": ({"kind": "group", "name": "a", "users": list(range(1, 52))}, "users"),
    "an unknown user": ({"kind": "group", "name": "a", "users": [UNKNOWN.id]},
                        str(UNKNOWN.id)),
    "history": ({"kind": "group", "name": "a", "history": "none"}, "history"),
    "uuid": ({"kind": "group", "name": "a", "uuid": "5"}, "uuid"),
}


@pytest.mark.parametrize("body, word", BODIES.values(), ids=BODIES.keys())
def test_the_refusal_of_an_invalid_body_names_the_reason(body: dict, word: str, groups, alice):
    answer = groups.ask(alice, "POST", "/conversations", json=body)
    assert word in check_problem(answer, 422)["detail"]


def test_only_json_bodies_are_accepted(groups, alice):
    for content, kind, status in ((b"{", "application/json", 400),
                                  (b"kind=group&name=a", "application/x-www-form-urlencoded",
                                   415)):
        answer = groups.http.post("/conversations", content=content,
                                  headers=alice.bearer | {"Content-Type": kind})
        check_problem(answer, status)


# --- joining ---------------------------------------------------------------------
def test_an_invited_user_receives_the_change_and_has_read_it(groups, alice, bob, carol, dave,
                                                             enter: Enter, stack: Stack):
    conversation = groups.made(alice, "group", "more of us", bob)
    with enter(carol) as socket:
        answer = groups.invite(alice, conversation, bob, carol, dave)
        assert answer.status_code == 200
        assert answer.json() == {"users": [carol.id, dave.id]}
        frame, says = change(socket, conversation, "invited")
        assert says == {"what": "invited", "users": [carol.id, dave.id]}
    assert frame["seq"] == 2
    assert members(stack, conversation)[carol.id] == (1, 2, 2, 1)
    assert groups.invite(alice, conversation, bob, carol).json() == {"users": []}
    check_problem(groups.invite(bob, conversation, dave), 403)
    check_problem(groups.invite(alice, conversation, UNKNOWN), 422)


def test_a_new_channel_member_sees_all_entries(groups, alice, bob, enter: Enter, stack: Stack):
    channel = groups.made(alice, "channel", f"open {new_word()}")
    with enter(alice) as socket:
        answer = groups.join(bob, channel)
        assert answer.status_code == 200 and answer.json()["id"] == channel
        frame, says = change(socket, channel, "joined")
        assert says == {"what": "joined", "users": [bob.id]} and frame["user_from"] == bob.id
    assert groups.join(bob, channel).json()["last_seq"] == 2
    assert members(stack, channel)[bob.id] == (1, 2, 2, 0)


def test_joining_a_group_is_refused(groups, alice, bob):
    conversation = groups.made(alice, "group", "closed")
    here = check_problem(groups.join(bob, conversation), 404)
    nowhere = check_problem(groups.join(bob, 2**53 - 2), 404)
    assert here == nowhere
    assert groups.join(alice, conversation).status_code == 200


# --- permissions ------------------------------------------------------------------
def change_requests(groups: Groups, person: Person, conversation: int, other: Person) -> list:
    return [groups.edit(person, conversation, name="x"),
            groups.edit(person, conversation, history="all"),
            groups.invite(person, conversation, other),
            groups.remove(person, conversation, other),
            groups.give(person, conversation, other, "admin"),
            groups.delete(person, conversation)]


def test_strangers_get_404_and_members_get_403(groups, alice, bob, carol, dave):
    for kind in ("group", "channel"):
        conversation = groups.made(alice, kind, f"ours {new_word()}", bob, carol)
        absent = {answer.text for answer in change_requests(groups, dave, 2**53 - 2, carol)}
        absent.add(groups.leave(dave, 2**53 - 2).text)
        strange = [*change_requests(groups, dave, conversation, carol),
                   groups.leave(dave, conversation)]
        for answer in strange:
            check_problem(answer, 404)
        assert {answer.text for answer in strange} == absent and len(absent) == 1
        for answer in change_requests(groups, bob, conversation, carol):
            check_problem(answer, 403)


def test_admins_have_some_permissions_and_the_owner_has_all(groups, alice, bob, carol, dave,
                                                            stack: Stack):
    conversation = groups.made(alice, "group", "ranks", bob, carol)
    assert groups.give(alice, conversation, bob, "admin").json() == {"id": bob.id,
                                                                     "role": "admin"}
    assert groups.give(alice, conversation, carol, "admin").status_code == 200
    assert groups.edit(bob, conversation, name="ranks!", history="all").status_code == 200
    assert groups.invite(bob, conversation, dave).json() == {"users": [dave.id]}
    check_problem(groups.remove(bob, conversation, carol), 403)
    check_problem(groups.remove(bob, conversation, alice), 403)
    check_problem(groups.give(bob, conversation, dave, "admin"), 403)
    check_problem(groups.delete(bob, conversation), 403)
    assert groups.remove(bob, conversation, dave).status_code == 204
    check_problem(groups.remove(bob, conversation, dave), 404)
    assert groups.remove(alice, conversation, carol).status_code == 204
    assert groups.give(alice, conversation, bob, "owner").status_code == 200
    assert {user: row[0] for user, row in members(stack, conversation).items()} == {
        alice.id: 2, bob.id: 3}
    check_problem(groups.give(alice, conversation, bob, "member"), 403)
    check_problem(groups.give(bob, conversation, bob, "member"), 422)


def test_a_direct_conversation_cannot_be_changed(groups, alice, bob, carol, enter: Enter):
    with enter(alice) as socket:
        conversation = socket.saved(socket.say(bob.id, "hi"))["conversation"]
    own = [*change_requests(groups, bob, conversation, carol), groups.leave(bob, conversation),
           groups.join(bob, conversation)]
    for answer in own:
        check_problem(answer, 403)
    for answer in [*change_requests(groups, carol, conversation, bob),
                   groups.join(carol, conversation)]:
        check_problem(answer, 404)


# --- leaving -------------------------------------------------------------------------
def test_a_removed_member_receives_the_removal_and_nothing_later(groups, alice, bob, carol,
                                                                 enter: Enter, stack: Stack):
    conversation = groups.made(alice, "group", "short", bob, carol)
    sockets = [enter(person) for person in (alice, bob, carol)]
    assert groups.remove(alice, conversation, bob).status_code == 204
    for socket in sockets:
        assert change(socket, conversation, "removed")[1]["users"] == [bob.id]
    assert groups.leave(carol, conversation).status_code == 204
    for socket in (sockets[0], sockets[2]):
        assert change(socket, conversation, "left")[1] == {"what": "left", "users": [carol.id]}
    assert groups.edit(alice, conversation, name="alone").status_code == 200
    change(sockets[0], conversation, "renamed")
    seen = sockets[1].quiet(sockets[0], new_uuid(), bob.id)
    assert not [frame for frame in seen if frame.get("conversation") == conversation]
    check_problem(groups.leave(bob, conversation), 404)
    assert groups.invite(alice, conversation, bob).json() == {"users": [bob.id]}
    assert rows(stack, "SELECT user FROM departures WHERE conversation = %s",
                (conversation,)) == [(carol.id,)]


def test_the_first_admin_becomes_owner_when_the_owner_leaves(groups, alice, bob, carol, dave,
                                                             enter: Enter, stack: Stack):
    conversation = groups.made(alice, "group", "heirs", bob)
    for person in (carol, dave):
        groups.invite(alice, conversation, person)
    for person in (dave, carol):
        groups.give(alice, conversation, person, "admin")
    with enter(bob) as socket:
        for owner, heir in ((alice, carol), (carol, dave), (dave, bob)):
            assert groups.leave(owner, conversation).status_code == 204
            assert change(socket, conversation, "left")[1] == {
                "what": "left", "users": [owner.id], "owner": heir.id}
        assert groups.leave(bob, conversation).status_code == 204
        assert change(socket, conversation, "left")[1] == {"what": "left", "users": [bob.id]}
    assert members(stack, conversation) == {}
    check_problem(groups.join(bob, conversation), 404)
    assert rows(stack, "SELECT deleted_at IS NULL FROM conversations WHERE id = %s",
                (conversation,)) == [(0,)]


def test_a_deleted_conversation_disappears_for_all_members(groups, alice, bob, enter: Enter):
    channel = groups.made(alice, "channel", f"gone {new_word()}", bob)
    with enter(bob) as socket:
        assert groups.delete(alice, channel).status_code == 204
        assert change(socket, channel, "deleted")[1] == {"what": "deleted"}
    for answer in [*change_requests(groups, alice, channel, bob), groups.leave(bob, channel),
                   groups.join(bob, channel)]:
        check_problem(answer, 404)


def test_a_change_of_a_locked_conversation_is_given_up(groups, alice, stack: Stack):
    """Each try ends with the server's wait for the lock; the tries end with 503."""
    conversation = groups.made(alice, "group", "locked")
    path = f"/conversations/{conversation}"
    with database(stack) as holder, holder.cursor() as cursor:
        holder.begin()
        cursor.execute("SELECT id FROM conversations WHERE id = %s FOR UPDATE", (conversation,))
        refused = groups.ask(alice, "PATCH", path, json={"name": "free"}, timeout=HANG_S)
        check_problem(refused, 503)
        assert int(refused.headers["Retry-After"]) >= 1
        holder.rollback()
        cursor.execute("SELECT name, last_seq FROM conversations WHERE id = %s", (conversation,))
        assert cursor.fetchone() == ("locked", 1)
    assert groups.edit(alice, conversation, name="free").status_code == 200


# --- search ------------------------------------------------------------------------
def test_channels_are_found_by_any_word_of_their_name(groups, alice, bob):
    word = new_word()
    zoo = groups.made(alice, "channel", f"Zoë-{word} lounge")
    chat = groups.made(alice, "channel", f"chat {word} chat {word}")
    groups.made(alice, "group", f"{word} hidden")
    groups.join(bob, chat)
    assert groups.channels(bob, search=f"zoe-{word}")["channels"] == [
        {"id": zoo, "name": f"Zoë-{word} lounge", "members": 1, "joined": False}]
    found = groups.all_channels(bob, search=word.upper(), limit=1)
    assert {(channel["id"], channel["joined"], channel["members"]) for channel in found} == {
        (zoo, False, 1), (chat, True, 2)} and len(found) == 2
    for text in (f"%{word}", f"_{word[1:]}", "lounge%", f"hat {word}"):
        assert groups.all_channels(bob, search=text) == []
    listed = [channel["id"] for channel in groups.all_channels(bob, limit=2)]
    assert {zoo, chat} <= set(listed) and len(listed) == len(set(listed))
    for query in ({"limit": 0}, {"limit": 201}, {"search": "x" * 65}, {"after": "5"},
                  {"after": "5-6"}, {"after": "x-66"}):
        check_problem(groups.ask(bob, "GET", "/channels", params=query), 422)
