"""reconnecting_users - users with one socket each, who reconnect whenever it is closed."""

import threading
import time
from dataclasses import dataclass

from support.api import Api, Person
from support.chat import Socket, open_socket
from support.wait import NotInTime, until

LOOK_S, GIVE_UP_S = 1, 600  # the second is a bound on hanging


@dataclass(frozen=True)
class Reconnect:
    code: int  # the code of the close
    away_s: float  # from the close to the next welcome
    back: bool = True


class ReconnectingUser(threading.Thread):
    def __init__(self, ws_url: str, person: Person):
        super().__init__(daemon=True)
        self.ws_url, self.person = ws_url, person
        self.reconnects: list[Reconnect] = []
        self.away = self.over = False
        self.socket = until("the user is connected", self.enter, GIVE_UP_S)

    def enter(self) -> Socket:
        return open_socket(self.ws_url, self.person)

    def run(self) -> None:
        while not self.over:
            try:
                code, _ = self.socket.closed(LOOK_S)
            except AssertionError:  # still open
                continue
            if not self.over:
                self.reconnect(code)

    def reconnect(self, code: int) -> None:
        self.away, closed_at = True, time.monotonic()
        try:
            self.socket = until("the user has reconnected", self.enter, GIVE_UP_S)
        except NotInTime:
            self.over = True
        self.reconnects.append(Reconnect(code, time.monotonic() - closed_at, not self.over))
        self.away = False


class ReconnectingUsers:
    def __init__(self, api: Api, ws_url: str, count: int):
        self.all = [ReconnectingUser(ws_url, api.register()) for _ in range(count)]

    def __enter__(self) -> "ReconnectingUsers":
        for user in self.all:
            user.start()
        return self

    def __exit__(self, *_) -> None:
        for user in self.all:
            user.over = True
            user.socket.close()
        for user in self.all:
            user.join()

    def reconnects(self) -> list[Reconnect]:
        """The reconnects since the last call; waits until every user is connected."""
        until("every user is connected", lambda: not any(one.away for one in self.all),
              GIVE_UP_S + 5)
        found = [each for one in self.all for each in one.reconnects]
        for one in self.all:
            one.reconnects.clear()
        return found
