"""translate - turns a case's message into a chat message with the same framing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from support.raw import CONTINUATION, TEXT

from steps import Send, Step

TEXT_MAX = 16384  # bytes of a chat text


@dataclass(frozen=True)
class Chat:
    """The case's steps with a chat message instead, and that message."""
    steps: tuple[Step, ...]
    uuid: str
    text: str


def frames_of_message(steps: Sequence[Step]) -> list[int]:
    """Indexes of the frames of the first text message; none when it stays incomplete."""
    at: list[int] = []
    for index, step in enumerate(steps):
        if not isinstance(step, Send):
            continue
        if (step.op == TEXT and not at) or (step.op == CONTINUATION and at):
            at.append(index)
            if step.fin:
                return at
    return []


def around(uuid: str, user: int) -> tuple[bytes, bytes]:
    """The JSON before and after the text."""
    mark = "~"
    whole = json.dumps({"uuid": uuid, "user_to": user, "message": mark})
    before, _, behind = whole.rpartition(mark)
    return before.encode(), behind.encode()


def same_size(payloads: list[bytes], before: bytes, behind: bytes) -> tuple[list[bytes], bytes]:
    """The same number of bytes, split at the same places: part of the text, and blanks."""
    whole = b"".join(payloads)
    text = whole[:min(TEXT_MAX, len(whole) - len(before) - len(behind))]
    line = (before + text + behind).ljust(len(whole))
    pieces = []
    for payload in payloads:
        pieces.append(line[:len(payload)])
        line = line[len(payload):]
    return pieces, text


def around_it(payloads: list[bytes], before: bytes, behind: bytes) -> tuple[list[bytes], bytes]:
    """The whole text; its first and last bytes also carry the JSON around it."""
    pieces = list(payloads)
    filled = [at for at, piece in enumerate(pieces) if piece]
    pieces[filled[0]] = before + pieces[filled[0]]
    pieces[filled[-1]] += behind
    return pieces, b"".join(payloads)


def as_chat(steps: Sequence[Step], uuid: str, user: int) -> Chat | None:
    """None when the message cannot be a chat text: it is empty or has a character that
    JSON requires to be escaped."""
    at = frames_of_message(steps)
    payloads = [steps[index].payload for index in at]
    whole = b"".join(payloads)
    if not whole or any(byte < 0x20 or byte in b'"\\' for byte in whole):
        return None
    before, behind = around(uuid, user)
    fits = len(whole) > len(before) + len(behind)
    pieces, text = (same_size if fits else around_it)(payloads, before, behind)
    changed = list(steps)
    for index, piece in zip(at, pieces, strict=True):
        changed[index] = replace(changed[index], payload=piece)
    return Chat(tuple(changed), uuid, text.decode())
