"""bench - shared by all parts of a measurement: the stack, users, lengths."""

import os
from collections.abc import Callable

from client import Client
from people import People
from stack import Stack


ROOM_MAX = 10000


class Bench:
    def __init__(self, stack: Stack, folder: str):
        self.stack, self.folder = stack, folder
        self.people = People(stack, folder)
        self.repeats = number("BENCH_REPEAT", 5, 1, 99)
        self.seconds = number("BENCH_SECONDS", 15, 2, 600)
        self.sockets = number("BENCH_SOCKETS", 10000, 100, 50000)
        self.page_minutes = number("BENCH_PAGE_MINUTES", 2, 1, 1440)
        self.short = max(2, self.seconds * 2 // 3)
        self.room_s = max(1, self.seconds // 3)
        self.idle_s = 2 * self.seconds
        self.connects = min(2000, self.sockets)
        self.crowd_max = max(ROOM_MAX, self.sockets)

    def repeat(self, measure: Callable[[int], dict]) -> list[dict]:
        """All samples; the table shows their median."""
        return [measure(turn) for turn in range(self.repeats)]

    def client(self, minted: bool = False) -> Client:
        return Client(self.stack, self.people.minted(self.crowd_max) if minted
                      else self.people.signed_up())

    def crowd(self, mode: str, where: str, sockets: int) -> list[str]:
        """The command of a client of minted users; `where` is a port's setting or a URL."""
        url = where if where.startswith("http") else self.stack.url(where)
        return self.client(minted=True).words(mode, url, "--sockets", str(sockets))

    def pairs(self, port: str, words: list[str], seconds: int) -> dict:
        return self.client().run("pairs", self.stack.url(port), *words, "--seconds", str(seconds))


def number(name: str, preset: int, low: int, high: int) -> int:
    text = os.environ.get(name) or str(preset)
    if not text.isdigit() or not low <= int(text) <= high:
        raise SystemExit(f"bench: {name} must be a number from {low} to {high}, not '{text}'")
    return int(text)


def say(text: str) -> None:
    print(f"bench: {text}", flush=True)
