"""ledger - chatting while things break, and the reckoning afterwards.

Each talker sends its texts, a few under way at a time, and sends again under
the same uuid after an error, a reconnect or a long silence. Each listens too,
and reads the backlog after every welcome. At the end everything that was sent
must be in the database once, in the order in which it was numbered, and must
have been seen by both.
"""

import random
import threading
import time
from dataclasses import dataclass, field

from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from support.api import Api, Person
from support.chat import Socket, new_uuid
from support.stack import Stack
from support.stores import rows

UNDER_WAY = 8
AGAIN_AFTER_S = 5.0


@dataclass
class Talker:
    stack: Stack
    person: Person
    other: Person
    count: int
    saved: dict[str, dict] = field(default_factory=dict)  # uuid -> state frame
    accepted: set[str] = field(default_factory=set)
    seen: dict[int, str] = field(default_factory=dict)  # seq -> uuid
    faults: list[str] = field(default_factory=list)
    connects: int = 0

    def __post_init__(self) -> None:
        self.uuids = [new_uuid() for _ in range(self.count)]
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.conversation = 0

    @property
    def done(self) -> bool:
        return len(self.saved) == self.count

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                with Socket(self.stack.ws_url, self.person.token) as socket:
                    self.connects += 1
                    socket.expect(10, type="welcome")
                    self.catch_up()
                    self.talk(socket)
            except (ConnectionClosed, InvalidStatus, InvalidMessage, OSError, EOFError,
                    TimeoutError, AssertionError):
                self.stopping.wait(random.uniform(0.05, 0.3))
            except Exception as error:  # a bug here, or an answer that is none
                self.faults.append(repr(error))
                self.stopping.wait(0.3)

    # --- out --------------------------------------------------------------------
    def talk(self, socket: Socket) -> None:
        sent: dict[str, float] = {}
        while not self.stopping.is_set():
            now = time.monotonic()
            for uuid in self.uuids:
                if uuid in self.saved or now - sent.get(uuid, 0) < AGAIN_AFTER_S:
                    continue
                under_way = [other for other in sent if other not in self.saved]
                if uuid not in sent and len(under_way) >= UNDER_WAY:
                    break
                sent[uuid] = now
                socket.say(self.other.id, f"{self.uuids.index(uuid)}", uuid=uuid)
            try:
                self.take(socket.receive(0.2), sent)
            except TimeoutError:
                pass

    def take(self, frame: dict, sent: dict[str, float]) -> None:
        if frame["type"] == "message":
            self.see(frame)
        elif frame.get("state") == "saved":
            first = self.saved.setdefault(frame["uuid"], frame)
            if first != frame:
                self.faults.append(f"two results: {first} and {frame}")
            self.conversation = frame["conversation"]
        elif frame.get("state") == "accepted":
            self.accepted.add(frame["uuid"])
        elif frame.get("state") == "error" and frame["retryable"]:
            sent[frame["uuid"]] = time.monotonic() - AGAIN_AFTER_S + 0.3
        else:
            self.faults.append(f"refused for good: {frame}")

    # --- in ---------------------------------------------------------------------
    def see(self, message: dict) -> None:
        self.conversation = message["conversation"]
        known = self.seen.setdefault(message["seq"], message["uuid"])
        if known != message["uuid"]:
            self.faults.append(f"seq {message['seq']} is {known} and {message['uuid']}")

    def catch_up(self) -> None:
        """What was said while we were not connected."""
        if not self.conversation:
            return
        after = 0
        while after + 1 in self.seen:
            after += 1
        api = Api(self.stack.url)
        try:
            answer = api.http.get(f"/conversations/{self.conversation}/messages",
                                  params={"after": after, "limit": 200},
                                  headers=self.person.bearer)
            if answer.status_code == 200:
                for message in answer.json()["messages"]:
                    self.see(message)
        finally:
            api.close()


class Ledger:
    def __init__(self, stack: Stack, one: Person, two: Person, count: int):
        self.stack = stack
        self.talkers = [Talker(stack, one, two, count), Talker(stack, two, one, count)]

    def __enter__(self) -> "Ledger":
        for talker in self.talkers:
            talker.thread.start()
        return self

    def __exit__(self, *_) -> None:
        for talker in self.talkers:
            talker.stopping.set()
        for talker in self.talkers:
            talker.thread.join(timeout=20)

    @property
    def saved(self) -> int:
        return sum(len(talker.saved) for talker in self.talkers)

    @property
    def done(self) -> bool:
        return all(talker.done for talker in self.talkers)

    def reckon(self) -> None:
        """Nothing lost, nothing doubled, one order for everybody."""
        sent = {uuid: talker for talker in self.talkers for uuid in talker.uuids}
        for talker in self.talkers:
            assert talker.faults == []
            talker.catch_up()
        ids = tuple(talker.person.id for talker in self.talkers)
        stored = rows(self.stack, "SELECT seq, sender, HEX(uuid), id, conversation"
                                  " FROM messages WHERE sender IN (%s, %s) ORDER BY seq", ids)
        as_uuid = [f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}".lower()
                   for _, _, h, _, _ in stored]
        assert len(as_uuid) == len(set(as_uuid)), "a message is stored twice"
        assert set(as_uuid) == set(sent), (
            f"lost: {set(sent) - set(as_uuid)}, from nowhere: {set(as_uuid) - set(sent)}")
        assert [row[0] for row in stored] == list(range(1, len(stored) + 1)), "seq has gaps"
        assert len({row[4] for row in stored}) == 1
        for uuid, (seq, sender, _, number, _) in zip(as_uuid, stored):
            assert sent[uuid].person.id == sender
            state = sent[uuid].saved[uuid]
            assert (state["seq"], state["id"]) == (seq, number), "told something else"
        order = dict(enumerate(as_uuid, 1))
        for talker in self.talkers:
            others = {seq: uuid for seq, uuid in order.items() if sent[uuid] is not talker}
            missing = {seq for seq in others if talker.seen.get(seq) != others[seq]}
            assert not missing, f"user {talker.person.id} never saw {sorted(missing)[:10]}"
