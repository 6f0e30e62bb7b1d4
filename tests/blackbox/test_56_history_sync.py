"""Reads over REST: lists, entries, members, changed messages, sync and blocks.

The tests insert groups, receipts and changes of messages as rows into the database, and check
what the REST API returns.
"""

import itertools
import json
import random
import threading
import time

import httpx
import pytest

from support.api import Api, Person, check_problem
from support.chat import new_uuid
from support.service import Service
from support.stack import Stack
from support.stores import database
from support.wait import until

GROUP, CHANNEL = 2, 3
MEMBER, ADMIN, OWNER = 1, 2, 3
AT = "2026-11-21 10:00:00.000"
DIGITS = f"({' UNION ALL '.join(f'SELECT {digit} AS d' for digit in range(10))})"
# The numbers from 1 to 100,000, in SQL that MySQL takes, too.
NUMBERS = (f"(SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS seq"
           f" FROM {', '.join(f'{DIGITS} {name}' for name in 'abcde')})")


class Rows:
    """Writes conversations directly into the database."""

    def __init__(self, stack: Stack):
        self.connection = database(stack)
        self.cursor = self.connection.cursor()

    def run(self, statement: str, *values) -> None:
        self.cursor.execute(statement, values)

    def conversation(self, people: list[Person], kind: int = GROUP, name: str = "tea",
                     from_seq: int = 0) -> int:
        """The first user is the owner."""
        self.run("INSERT INTO conversations (kind, ckey, name, created_by, created_at,"
                 " member_count) VALUES (%s, %s, %s, %s, %s, %s)", kind,
                 new_uuid(), name, people[0].id, AT, len(people))
        made = self.cursor.lastrowid
        self.run("UPDATE conversations SET ckey = %s WHERE id = %s", f"c:{made}", made)
        for at, person in enumerate(people):
            self.run("INSERT INTO members (user, conversation, role, joined_at, from_seq)"
                     " VALUES (%s, %s, %s, %s, %s)", person.id, made,
                     MEMBER if at else OWNER, AT, from_seq if at else 0)
        self.entry(made, people[0], {"what": "created", "name": name,
                                     "users": [person.id for person in people]})
        return made

    def entry(self, conversation: int, sender: Person, body: str | dict) -> int:
        kind = 2 if isinstance(body, dict) else 1
        text = json.dumps(body) if kind == 2 else body
        self.run("INSERT INTO messages (conversation, seq, sender, uuid, created_at, body, kind)"
                 " SELECT id, last_seq + 1, %s, UNHEX(REPLACE(%s, '-', '')), %s, %s, %s"
                 " FROM conversations WHERE id = %s",
                 sender.id, new_uuid(), AT, text, kind, conversation)
        self.run("UPDATE conversations SET last_seq = last_seq + 1, last_message_id = %s"
                 " WHERE id = %s", self.cursor.lastrowid, conversation)
        self.cursor.execute("SELECT last_seq FROM conversations WHERE id = %s", (conversation,))
        return self.cursor.fetchone()[0]

    def entries(self, conversation: int, sender: Person, count: int) -> None:
        """Inserts many entries at once."""
        self.run("INSERT INTO messages (conversation, seq, sender, uuid, created_at, body)"
                 " SELECT c.id, c.last_seq + s.seq, %s, UNHEX(MD5(CONCAT(%s, s.seq))), %s,"
                 f" CONCAT('text ', s.seq) FROM conversations c JOIN {NUMBERS} s"
                 f" WHERE c.id = %s AND s.seq <= {count}",
                 sender.id, new_uuid(), AT, conversation)
        self.run("UPDATE conversations SET last_seq = last_seq + %s, last_message_id ="
                 " (SELECT MAX(id) FROM messages WHERE conversation = %s) WHERE id = %s",
                 count, conversation, conversation)

    def change(self, conversation: int, seq: int, kind: int, **columns) -> int:
        self.run("UPDATE conversations SET revision = revision + 1 WHERE id = %s", conversation)
        self.cursor.execute("SELECT revision FROM conversations WHERE id = %s", (conversation,))
        revision = self.cursor.fetchone()[0]
        self.run("INSERT INTO revisions (conversation, revision, seq, kind, sender, uuid,"
                 " created_at) VALUES (%s, %s, %s, %s, 1, UNHEX(REPLACE(%s, '-', '')), %s)",
                 conversation, revision, seq, kind, new_uuid(), AT)
        sets = "".join(f", {name} = %s" for name in columns)
        self.run(f"UPDATE messages SET revision = %s{sets} WHERE conversation = %s AND seq = %s",
                 revision, *columns.values(), conversation, seq)
        return revision


@pytest.fixture
def rows(stack: Stack):
    made = Rows(stack)
    yield made
    made.connection.close()


def get(api: Api, person: Person, path: str, status: int = 200, **query) -> dict:
    answer = api.http.get(path, params=query, headers=person.bearer)
    if status != 200:
        return check_problem(answer, status)
    assert answer.status_code == 200, answer.text
    return answer.json()


# --- lists ------------------------------------------------------------------------
def test_a_direct_conversation_has_all_members_of_its_object(enter, alice: Person, bob: Person,
                                                             api: Api):
    socket = enter(alice)
    saved = socket.saved(socket.say(bob.id, "hi"))
    listed, = api.conversations(bob)["conversations"]
    frame, = api.messages(bob, saved["conversation"])["messages"]
    assert listed == {
        "id": saved["conversation"], "kind": "direct", "name": None, "with": {"id": alice.id},
        "role": "member", "members": 2, "history": "all", "last_seq": 1, "read_seq": 0,
        "delivered_seq": 0, "unread": 1, "revision": 0, "last_message": frame}
    assert get(api, bob, f"/conversations/{saved['conversation']}") == listed
    assert frame["user_to"] == bob.id and "revision" not in frame


def test_groups_are_listed_beside_direct_conversations(enter, alice: Person, bob: Person,
                                                       api: Api, rows: Rows):
    socket = enter(alice)
    socket.saved(socket.say(bob.id, "hi"))
    tea = rows.conversation([alice, bob], name='"Tee" & 🫖')
    news = rows.conversation([bob], CHANNEL, "news")
    rows.entry(tea, bob, "two lumps")
    listed = api.conversations(alice)["conversations"]
    assert {one["kind"] for one in listed} == {"direct", "group"}
    group = next(one for one in listed if one["id"] == tea)
    assert group["name"] == '"Tee" & 🫖' and group["with"] is None
    assert group["role"] == "owner" and group["members"] == 2
    assert group["unread"] == group["last_seq"] == 2
    assert group["last_message"]["message"] == "two lumps"
    assert "user_to" not in group["last_message"]
    assert news in [one["id"] for one in api.conversations(bob)["conversations"]]
    get(api, alice, f"/conversations/{news}", 404)


def test_a_deleted_conversation_is_not_found(alice: Person, api: Api, rows: Rows):
    made = rows.conversation([alice])
    rows.run("UPDATE conversations SET deleted_at = %s WHERE id = %s", AT, made)
    absent = [get(api, alice, f"/conversations/{id}{rest}", 404)
              for id in (made, 999_999_999, "0", "x", 2**63) for rest in ("", "/messages", "/members")]
    assert all(problem == absent[0] for problem in absent)
    assert api.conversations(alice)["conversations"] == []


# --- entries ----------------------------------------------------------------------
def test_history_has_both_kinds_of_entries_from_the_first_visible_one(alice: Person, bob: Person,
                                                                      api: Api, rows: Rows):
    tea = rows.conversation([alice, bob], from_seq=2)
    rows.entry(tea, alice, "before")
    rows.entry(tea, alice, {"what": "invited", "users": [bob.id]})
    rows.entry(tea, alice, "after")
    mine = api.messages(alice, tea)["messages"]
    assert [entry["type"] for entry in mine] == ["member", "message", "member", "message"]
    assert mine[2]["change"] == {"what": "invited", "users": [bob.id]}
    assert "message" not in mine[2]
    for query in ({}, {"after": 0}, {"before": 5}):
        assert api.messages(bob, tea, **query) == {"messages": mine[2:], "next": None}


def test_changed_messages_show_their_last_state(alice: Person, bob: Person, api: Api,
                                                rows: Rows):
    tea = rows.conversation([alice, bob])
    for text in ("one", "two", "three"):
        rows.entry(tea, alice, text)
    rows.change(tea, 2, 1, body="uno", edited_at=AT)
    rows.change(tea, 3, 2, body="", deleted_at=AT)
    for person in (bob, alice):
        rows.run("INSERT INTO reactions VALUES (%s, 4, '👍', %s)", tea, person.id)
    rows.change(tea, 4, 3)
    rows.change(tea, 2, 1, body="eins", edited_at=AT)
    one, two, three = api.messages(alice, tea, after=1)["messages"]
    assert (one["message"], one["revision"]) == ("eins", 4)
    assert one["edited_at"] == "2026-11-21T10:00:00.000Z"
    assert (two["message"], two["deleted_at"]) == ("", "2026-11-21T10:00:00.000Z")
    assert three["reactions"] == [{"reaction": "👍", "users": sorted([alice.id, bob.id]),
                                   "count": 2}]
    # Each message once, at its last change; two messages changed after revision two.
    assert api.messages(bob, tea, revised=0)["messages"] == [two, three, one]
    assert api.messages(bob, tea, revised=2) == {"messages": [three, one], "next": None}
    assert api.messages(bob, tea, revised=0, limit=2) == {"messages": [two, three], "next": 3}
    assert api.messages(bob, tea, revised=4) == {"messages": [], "next": None}


@pytest.mark.parametrize("query", [
    "after=1&before=2", "after=1&revised=2", "before=1&revised=2", "revised=", "revised=-1",
    "revised=x", "after=", "before=1.5", "after=1&limit=201", "revised=9007199254740992"])
def test_an_invalid_page_is_refused(query: str, alice: Person, api: Api, rows: Rows):
    made = rows.conversation([alice])
    check_problem(api.http.get(f"/conversations/{made}/messages?{query}", headers=alice.bearer), 422)


# --- members ----------------------------------------------------------------------
def test_members_are_paged_with_their_receipts(alice: Person, bob: Person, api: Api, rows: Rows):
    tea = rows.conversation([alice, bob])
    rows.entry(tea, alice, "seen?")
    rows.run("UPDATE members SET read_seq = 2 WHERE conversation = %s AND user = %s", tea, bob.id)
    path = f"/conversations/{tea}/members"
    whole = get(api, bob, path)
    assert whole["next"] is None
    assert whole["members"] == sorted([
        {"user": alice.id, "role": "owner", "joined_at": "2026-11-21T10:00:00.000Z",
         "delivered_seq": 0, "read_seq": 0},
        {"user": bob.id, "role": "member", "joined_at": "2026-11-21T10:00:00.000Z",
         "delivered_seq": 2, "read_seq": 2}], key=lambda one: one["user"])
    assert [one["user"] for one in get(api, alice, path, seen=2)["members"]] == [bob.id]
    first = get(api, alice, path, limit=1)
    second = get(api, alice, path, limit=1, after=first["next"])
    assert first["members"] + second["members"] == whole["members"]
    assert second["next"] is None
    for query in ({"seen": 0}, {"seen": "x"}, {"after": -1}, {"limit": 0}):
        get(api, alice, path, 422, **query)


def test_a_direct_conversation_has_two_members(enter, alice: Person, bob: Person, api: Api):
    socket = enter(alice)
    saved = socket.saved(socket.say(bob.id, "hi"))
    page = get(api, bob, f"/conversations/{saved['conversation']}/members")
    assert [(one["user"], one["role"], one["read_seq"]) for one in page["members"]] == \
        [(alice.id, "member", 1), (bob.id, "member", 0)]


# --- sync ------------------------------------------------------------------
class Device:
    """A client that keeps its conversations from the answers of /sync."""

    def __init__(self, api: Api, person: Person):
        self.api, self.person = api, person
        self.conversations: dict[int, dict] = {}
        self.cursor: str | None = None

    def sync(self, **query) -> int:
        """Synchronises; returns the number of requests."""
        for requests in itertools.count(1):
            since = {"since": self.cursor} if self.cursor else {}
            page = get(self.api, self.person, "/sync", **since, **query)
            self.cursor = page["cursor"]
            for one in page["conversations"]:
                self.conversations[one["id"]] = one
            for gone in page["gone"]:
                self.conversations.pop(gone, None)
            if not page["more"]:
                return requests

    def assert_matches_server(self) -> None:
        before, listed = {}, []
        while before is not None:
            page = self.api.conversations(self.person, limit=200, **before)
            listed += page["conversations"]
            before = {"before": page["next"]} if page["next"] else None
        assert self.conversations == {one["id"]: one for one in listed}


def test_sync_returns_what_changed(enter, alice: Person, bob: Person, api: Api, rows: Rows):
    device = Device(api, alice)
    assert device.sync() == 1
    assert device.conversations == {}
    tea, news = rows.conversation([alice, bob]), rows.conversation([bob, alice], CHANNEL)
    socket = enter(bob)
    socket.saved(socket.say(alice.id, "hi"))
    device.sync()
    assert len(device.conversations) == 3
    device.assert_matches_server()
    page = get(api, alice, "/sync", since=device.cursor)
    assert (page["conversations"], page["gone"], page["more"]) == ([], [], False)
    # A message, a receipt, a change, a role, and a conversation that the user left.
    socket.saved(socket.say(alice.id, "are you there?"))
    rows.entry(tea, bob, "milk?")
    rows.change(tea, 2, 1, body="sugar?", edited_at=AT)
    rows.run("UPDATE members SET read_seq = 1, role = 2 WHERE user = %s AND conversation = %s",
             alice.id, tea)
    rows.run("DELETE FROM members WHERE user = %s AND conversation = %s", alice.id, news)
    rows.run("INSERT INTO departures VALUES (%s, %s, 1)", alice.id, news)
    assert device.sync() == 1
    assert news not in device.conversations
    assert device.conversations[tea]["role"] == "admin"
    assert device.conversations[tea]["last_message"]["message"] == "sugar?"
    device.assert_matches_server()


def test_sync_after_ten_thousand_messages_takes_at_most_three_requests(
        alice: Person, bob: Person, api: Api, rows: Rows):
    """Messages in 100 of 300 conversations: at most three requests."""
    made = [rows.conversation([alice, bob]) for _ in range(300)]
    device = Device(api, alice)
    assert device.sync() == 1
    device.assert_matches_server()
    for conversation in made[::3]:
        rows.entries(conversation, bob, 100)
    assert device.sync() <= 3
    device.assert_matches_server()
    assert sum(one["unread"] for one in device.conversations.values()) == 10_300


def test_sync_misses_nothing_when_transactions_overlap(stack: Stack, alice: Person, bob: Person,
                                                       api: Api, rows: Rows):
    """A device synchronises while transactions commit in another order than they began.

    The writers end by themselves: one call of sync() lasts for as long as they write
    faster than it reads.
    """
    made = [rows.conversation([alice, bob]) for _ in range(40)]

    def write(mine: list[int], seed: int) -> None:
        chance = random.Random(seed)
        writer = Rows(stack)
        for _ in range(100):
            writer.run("START TRANSACTION")
            for conversation in sorted(chance.sample(mine, 3)):
                writer.entry(conversation, bob, f"from {seed}")
                time.sleep(chance.random() / 200)
            writer.run("COMMIT")
        writer.connection.close()

    writers = [threading.Thread(target=write, args=(made[at::4], at)) for at in range(4)]
    for writer in writers:
        writer.start()
    device = Device(api, alice)
    while any(writer.is_alive() for writer in writers):
        device.sync(limit=7)
        time.sleep(0.02)
    device.sync(limit=7)
    device.assert_matches_server()


def test_the_longest_cursor_passes_nginx(alice: Person, api: Api, rows: Rows):
    rows.run("INSERT INTO conversations (kind, ckey, name, created_by, created_at, last_seq,"
             " last_message_id, member_count) SELECT 2, CONCAT(%s, ' ', seq), 'n', %s, %s, 1, 1, 1"
             f" FROM {NUMBERS} n WHERE seq <= 1000", new_uuid(), alice.id, AT)
    rows.run("INSERT INTO members (user, conversation, joined_at) SELECT created_by, id, %s"
             " FROM conversations WHERE created_by = %s", AT, alice.id)
    device = Device(api, alice)
    assert device.sync(limit=100) >= 10
    assert len(device.conversations) == 1000
    assert 4000 < len(device.cursor) <= 4200
    padded = {"Authorization": f"Bearer {alice.token}", "X-Padding": "x" * 4000}
    answer = api.http.get("/sync", params={"since": device.cursor}, headers=padded)
    assert answer.status_code == 200
    assert answer.json()["conversations"] == []


@pytest.mark.parametrize("since", ["", "x", "AQ", "AQQAAA", "AQQAAA==", "A" * 134, "A" * 4102,
                                   "A" * 4200, "%00", "%zz", "🫖", "-1"])
def test_an_invalid_cursor_is_refused(since: str, alice: Person, api: Api):
    check_problem(api.http.get(f"/sync?since={since}", headers=alice.bearer), 422)


@pytest.mark.parametrize("limit", ["0", "501", "x", ""])
def test_an_invalid_limit_of_sync_is_refused(limit: str, alice: Person, api: Api):
    get(api, alice, "/sync", 422, limit=limit)


def test_a_foreign_cursor_reveals_no_conversation(alice: Person, bob: Person, api: Api,
                                                  rows: Rows):
    mine, theirs = rows.conversation([alice]), rows.conversation([bob])
    cursor = get(api, bob, "/sync")["cursor"]
    page = get(api, alice, "/sync", since=cursor)
    assert [one["id"] for one in page["conversations"]] == [mine]
    assert theirs not in page["gone"]


# --- blocks -----------------------------------------------------------------------
def test_blocked_users_are_listed(alice: Person, bob: Person, api: Api):
    for _ in range(2):
        answer = api.http.put(f"/blocks/{bob.id}", headers=alice.bearer)
        assert (answer.status_code, answer.content) == (204, b"")
    listed = get(api, alice, "/blocks")
    assert [one["user"] for one in listed["blocks"]] == [bob.id]
    assert listed["next"] is None
    assert get(api, bob, "/blocks")["blocks"] == []
    for _ in range(2):
        assert api.http.delete(f"/blocks/{bob.id}", headers=alice.bearer).status_code == 204
    assert get(api, alice, "/blocks")["blocks"] == []


def test_blocking_oneself_or_an_unknown_user_is_refused(alice: Person, api: Api):
    check_problem(api.http.put(f"/blocks/{alice.id}", headers=alice.bearer), 422)
    for unknown in ("0", "x", "-1", str(2**53), "007"):
        check_problem(api.http.put(f"/blocks/{unknown}", headers=alice.bearer), 404)


# --- rate limit -----------------------------------------------------------------
def test_a_user_over_the_rest_rate_limit_gets_429(stack: Stack, alice: Person, bob: Person):
    with Service(stack, "persistence-service", PERSISTENCE_USER_RATE="2",
                 PERSISTENCE_USER_BURST="5") as service, \
            httpx.Client(base_url=service.url, trust_env=False) as http:
        codes = [http.get("/conversations", headers=alice.bearer).status_code for _ in range(10)]
        assert codes[:5] == [200] * 5
        assert 429 in codes
        refused = http.get("/sync", headers=alice.bearer)
        if refused.status_code != 429:  # the limit has refilled
            refused = [http.get("/sync", headers=alice.bearer) for _ in range(5)][-1]
        check_problem(refused, 429)
        assert http.get("/conversations", headers=bob.bearer).status_code == 200
        until("a second has passed", lambda: http.get(
            "/conversations", headers=alice.bearer).status_code == 200, 5)
