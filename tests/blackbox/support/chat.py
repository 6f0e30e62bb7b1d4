"""chat - one open WebSocket, with the `websockets` library."""

import json
import time
import uuid as uuid_module
from collections.abc import Callable

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from support.api import Person
from support.protocol import check_frame
from support.wait import HANG_S


AGAIN_S = 0.2  # after a retryable error


def new_uuid() -> str:
    return str(uuid_module.uuid4())


class Socket:
    """`seen` holds the frames that no call has returned yet, in order of arrival.

    Each is checked against docs/protocol, unless the test makes frames up (checked=False).
    """

    def __init__(self, url: str, token: str, subprotocol: bool = False, checked: bool = True,
                 **options):
        self.checked = checked
        headers, protocols = {}, None
        if subprotocol:
            protocols = ["parley", f"bearer.{token}"]
        else:
            headers["Authorization"] = f"Bearer {token}"
        self.ws = connect(url, additional_headers=headers, subprotocols=protocols,
                          proxy=None, open_timeout=HANG_S, close_timeout=10, ping_interval=None,
                          compression=None, max_size=None, max_queue=None, **options)
        self.seen: list[dict] = []
        # (conversation, seq) of the `member` frames that receive() has returned
        self.delivered: set[tuple[int, int]] = set()
        self.texts: dict[int, str] = {}  # id() of a frame -> its text as received
        self.sent: dict[str, dict] = {}  # by uuid

    # --- out ------------------------------------------------------------------
    def send(self, frame: dict | str) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame, ensure_ascii=False)
        self.ws.send(text)
        if isinstance(frame, dict) and isinstance(frame.get("uuid"), str):
            self.sent[frame["uuid"]] = frame

    def say(self, user_to: int, message: str, uuid: str | None = None, **more) -> str:
        uuid = uuid or new_uuid()
        self.send({"uuid": uuid, "message": message, "user_to": user_to, **more})
        return uuid

    def say_in(self, conversation: int, message: str, uuid: str | None = None, **more) -> str:
        uuid = uuid or new_uuid()
        self.send({"uuid": uuid, "message": message, "conversation": conversation, **more})
        return uuid

    def change(self, kind: str, conversation: int, seq: int, uuid: str | None = None,
               **more) -> str:
        """kind: edit, delete or react."""
        uuid = uuid or new_uuid()
        self.send({"type": kind, "uuid": uuid, "conversation": conversation, "seq": seq, **more})
        return uuid

    def receipt(self, kind: str, conversation: int, seq: int) -> None:
        """kind: delivered or read."""
        self.send({"type": kind, "conversation": conversation, "seq": seq})

    def typing(self, conversation: int) -> None:
        self.send({"type": "typing", "conversation": conversation})

    def watch(self, *users: int) -> None:
        self.send({"type": "presence", "users": list(users)})

    def authenticate(self, token: str) -> None:
        self.send({"type": "auth", "token": token})

    # --- in -------------------------------------------------------------------
    def receive(self, timeout_s: float) -> dict:
        """The next frame. A `member` frame may be delivered twice; the second is skipped."""
        until = time.monotonic() + timeout_s
        while True:
            frame = self.receive_any(max(0.0, until - time.monotonic()))
            if not self.checked or frame["type"] != "member":
                return frame
            entry = (frame["conversation"], frame["seq"])
            if entry not in self.delivered:
                self.delivered.add(entry)
                return frame

    def receive_any(self, timeout_s: float) -> dict:
        text = self.ws.recv(timeout=timeout_s)
        assert isinstance(text, str), "a binary frame"
        frame = json.loads(text)
        assert isinstance(frame, dict)
        if self.checked:
            check_frame(frame, text)
        self.texts[id(frame)] = text
        return frame

    def text_of(self, frame: dict) -> str:
        return self.texts[id(frame)]

    def expect(self, timeout_s: float = HANG_S, **members) -> dict:
        """The first frame, already seen or yet to come, that has all these members."""
        def fits(frame: dict) -> bool:
            return all(frame.get(name) == value for name, value in members.items())

        return self.until(str(members), fits, timeout_s)

    def saved(self, uuid: str, timeout_s: float = HANG_S) -> dict:
        """Sends the frame again after a retryable error, as docs/protocol/socket.md asks."""
        def fits(frame: dict) -> bool:
            return frame.get("uuid") == uuid and (
                frame.get("state") == "saved" or bool(frame.get("retryable")))

        deadline = time.monotonic() + timeout_s
        while True:
            frame = self.until(f"saved of {uuid}", fits, deadline - time.monotonic())
            if frame.get("state") == "saved":
                return frame
            time.sleep(AGAIN_S)
            self.send(self.sent[uuid])

    def error(self, timeout_s: float = HANG_S) -> dict:
        """The next refusal, in either of its two forms."""
        deadline = time.monotonic() + timeout_s
        while True:
            for at, frame in enumerate(self.seen):
                if frame["type"] == "error" or frame.get("state") == "error":
                    return self.seen.pop(at)
            self.seen.append(self.receive(max(0.001, deadline - time.monotonic())))

    def refusal(self, uuid: str, timeout_s: float = HANG_S) -> dict:
        """The refusal of the frame with this uuid, in either of its two forms."""
        def fits(frame: dict) -> bool:
            return frame.get("uuid") == uuid and "code" in frame

        return self.until(f"a refusal of {uuid}", fits, timeout_s)

    def refused(self, uuid: str, code: str, timeout_s: float = HANG_S) -> dict:
        frame = self.refusal(uuid, timeout_s)
        assert frame["code"] == code, frame
        return frame

    def until(self, what: str, fits: Callable[[dict], bool], timeout_s: float = HANG_S) -> dict:
        """The first frame, already seen or yet to come, that fits."""
        for at, frame in enumerate(self.seen):
            if fits(frame):
                return self.seen.pop(at)
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            try:
                if left <= 0:
                    raise TimeoutError
                frame = self.receive(left)
            except TimeoutError:
                raise AssertionError(f"no {what} within {timeout_s:g} s; "
                                     f"seen: {self.seen}") from None
            if fits(frame):
                return frame
            self.seen.append(frame)

    def during(self, seconds: float) -> list[dict]:
        """The frames that arrive within this time; they also go into `seen`."""
        deadline = time.monotonic() + seconds
        found = []
        while (left := deadline - time.monotonic()) > 0:
            try:
                found.append(self.receive(left))
            except TimeoutError:
                break
        self.seen += found
        return found

    def quiet(self, barrier: "Socket", uuid: str, user_to: int) -> list[dict]:
        """The frames seen before a message that `barrier` sends now arrives here."""
        barrier.say(user_to, "barrier", uuid=uuid)
        self.expect(type="message", uuid=uuid)
        return self.seen

    def alive(self) -> bool:
        """Whether the server answers a ping."""
        try:
            return self.ws.ping().wait(timeout=HANG_S)
        except ConnectionClosed:
            return False

    # --- the end ----------------------------------------------------------------
    def closed(self, timeout_s: float = HANG_S) -> tuple[int, str]:
        """Waits until the server closes; returns its code and reason."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"still open after {timeout_s:g} s")
                self.seen.append(self.receive(left))
            except ConnectionClosed as closed:
                frame = closed.rcvd
                return (frame.code, frame.reason) if frame else (1006, "")
            except TimeoutError:
                continue

    def close(self) -> None:
        self.ws.close()

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def open_socket(url: str, person: Person, **options) -> Socket:
    """Opens a socket and waits for its welcome."""
    socket = Socket(url, person.token, **options)
    welcome = socket.expect(type="welcome")
    assert welcome["user"] == person.id
    return socket
