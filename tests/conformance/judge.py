"""judge - decides between Autobahn's outcomes OK, NON-STRICT and FAILED, with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from support.chat import new_uuid
from support.raw import CLOSE

from peer import Peer
from steps import Case, Echo, Pong, Send
from translate import Chat, as_chat

OK, NON_STRICT, FAILED = "OK", "NON-STRICT", "FAILED"
FAIL_FAST_S = 3
SHOWN = 400  # characters of received text shown in a reason


@dataclass(frozen=True)
class Verdict:
    outcome: str
    why: str = ""


class Judge:
    """Uses one user with two sockets: each receives what the other sends."""

    def __init__(self, url: str, token: str, user: int):
        self.url, self.token, self.user = url, token, user

    def verdict(self, case: Case) -> Verdict:
        """The worse outcome of the original case and the case as a chat message."""
        verdict = self.play(case)
        echoes = Echo() in case.replies
        chat = as_chat(case.steps, new_uuid(), self.user) if echoes and case.rounds == 1 else None
        if verdict.outcome != OK or not chat:
            return verdict
        with Peer(self.url, self.token) as listener:
            verdict = self.play(case, chat)
            return arrived(chat, listener) if verdict.outcome == OK else verdict

    def play(self, case: Case, chat: Chat | None = None) -> Verdict:
        steps = chat.steps if chat else case.steps
        with Peer(self.url, self.token) as peer:
            for _ in range(case.rounds):
                before = len(peer.events)
                peer.play(steps)
                if not case.by_server:
                    peer.take_until(lambda: len(case_events(peer.events[before:], chat)) >=
                                    len(case.replies))
            late = bool(case.fail_fast) and not fails_fast(peer, case)
            if not case.by_server and not sends_close(case):
                peer.close()
            peer.take_to_end()
        verdict = judge(case, case_events(peer.events, chat), chat)
        if verdict.outcome == OK and late:
            verdict = Verdict(NON_STRICT, "failed, but only at the end of the message")
        return verdict


def arrived(chat: Chat, listener: Peer) -> Verdict:
    """The text must reach the other socket unchanged. Also drains that socket for the next
    case."""
    found = {}
    while {"message", "state"} - found.keys():
        event = listener.take()
        if event[0] != "text":
            return Verdict(FAILED, f"on the other socket: {shown(event)}")
        if event[1].get("uuid") == chat.uuid and event[1].get("state") != "accepted":
            found[event[1]["type"]] = event[1]
    if found["message"]["message"] != chat.text:
        return Verdict(FAILED, f"arrived as {shown(found['message'])}")
    return Verdict(OK)


def fails_fast(peer: Peer, case: Case) -> bool:
    """Whether the server closes before it has received the rest."""
    before = len(peer.events)
    if peer.ended():
        return True
    peer.listen(FAIL_FAST_S)
    if any(event[0] in ("close", "end") for event in peer.events[before:]):
        return True
    peer.play(case.fail_fast)
    return False


def sends_close(case: Case) -> bool:
    return any(isinstance(step, Send) and step.op == CLOSE for step in case.steps)


def case_events(events: Sequence[tuple], chat: Chat | None) -> list:
    """The events in the terms of the case; events that are no reply stay unchanged."""
    said = []
    for event in events:
        if event[0] == "pong":
            said.append(Pong(event[1]))
        elif event[0] != "text":
            said.append(event)
        elif chat and event[1].get("uuid") == chat.uuid:
            if event[1].get("state") == "saved":
                said.append(Echo())
            elif event[1].get("state") != "accepted":
                said.append(event)
        elif not chat and event[1].get("type") == "error" and event[1].get("code") == "bad_json":
            said.append(Echo())
        else:
            said.append(event)
    return said


def judge(case: Case, said: list, chat: Chat | None) -> Verdict:
    if len(said) < 2 or said[-1] != ("end",) or said[-2][0:1] != ("close",):
        return Verdict(FAILED, f"no close frame and end of TCP: {shown(said)}")
    if said[-2][1] not in case.codes:
        return Verdict(FAILED, f"closed with {said[-2][1]}, not {case.codes}")
    replies, wanted, lenient = said[:-2], list(case.replies) * case.rounds, case.lenient
    if chat and case.by_server:  # the message is saved after the socket is closed
        replies = [reply for reply in replies if reply != Echo()]
        wanted = [reply for reply in wanted if reply != Echo()]
        lenient = None
    if replies == wanted:
        return Verdict(OK)
    if lenient is not None and replies == list(lenient):
        return Verdict(NON_STRICT, f"before the close: {shown(replies)}")
    return Verdict(FAILED, f"before the close: {shown(replies)}, not {shown(wanted)}")


def shown(thing: object) -> str:
    text = repr(thing)
    return text if len(text) <= SHOWN else text[:SHOWN] + " …"
