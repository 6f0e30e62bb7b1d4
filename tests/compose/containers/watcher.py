"""watcher - users with one socket each, which they open again whenever it is closed."""

import threading
import time
from dataclasses import dataclass

from support.api import Api, Person
from support.chat import Socket, open_socket
from support.wait import NotInTime, until

LOOK_S, GIVE_UP_S = 1, 600  # the second is a bound on hanging


@dataclass(frozen=True)
class Return:
    code: int  # with which the socket was closed
    away_s: float  # from the close to the next welcome
    back: bool = True


class Watcher(threading.Thread):
    def __init__(self, ws_url: str, person: Person):
        super().__init__(daemon=True)
        self.ws_url, self.person = ws_url, person
        self.returns: list[Return] = []
        self.away = self.over = False
        self.socket = until("in", self.enter, GIVE_UP_S)

    def enter(self) -> Socket:
        return open_socket(self.ws_url, self.person)

    def run(self) -> None:
        while not self.over:
            try:
                code, _ = self.socket.closed(LOOK_S)
            except AssertionError:  # still open
                continue
            if not self.over:
                self.come_back(code)

    def come_back(self, code: int) -> None:
        self.away, closed_at = True, time.monotonic()
        try:
            self.socket = until("back", self.enter, GIVE_UP_S)
        except NotInTime:
            self.over = True
        self.returns.append(Return(code, time.monotonic() - closed_at, not self.over))
        self.away = False


class Watchers:
    def __init__(self, api: Api, ws_url: str, count: int):
        self.all = [Watcher(ws_url, api.register()) for _ in range(count)]

    def __enter__(self) -> "Watchers":
        for watcher in self.all:
            watcher.start()
        return self

    def __exit__(self, *_) -> None:
        for watcher in self.all:
            watcher.over = True
            watcher.socket.close()
        for watcher in self.all:
            watcher.join()

    def returns(self) -> list[Return]:
        """Since the last call; waits until every user is back."""
        until("every user is back", lambda: not any(one.away for one in self.all), GIVE_UP_S + 5)
        found = [each for one in self.all for each in one.returns]
        for one in self.all:
            one.returns.clear()
        return found
