"""revocations - part (k): sessions that end while messages flow.

Ten people have a hundred sessions each, and each session has a socket. Each person ends all
other sessions, then the last one. The time counts from the request until the socket is closed
with 4401, and until persistence refuses the token.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import websockets

from bench import Bench, say

PEOPLE, SESSIONS = 10, 100
RATE = 5000
LIMIT_S = 30
ENDED = 4401


def revoke(bench: Bench) -> dict:
    say(f"(k) {PEOPLE * SESSIONS} sessions end beside {RATE} messages a second")
    bench.people.signed_up()
    return {"direct": bench.repeat(lambda _: revoke_once(bench))}


def revoke_once(bench: Bench) -> dict:
    tokens = [[answer["token"] for answer in bench.people.sign_up(SESSIONS)]
              for _ in range(PEOPLE)]
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(bench.pairs, "WEBSOCKET_PORT",
                           ["--pairs", "100", "--rate", str(RATE)], LIMIT_S)
        delays = asyncio.run(end_all(bench, tokens))
        saved = load.result()
    return saved | {"ended": len(delays["socket"]), "rest_ended": len(delays["rest"]),
                    "delay_us": spread(delays["socket"]), "rest_delay_us": spread(delays["rest"])}


def spread(delays: list[float]) -> dict:
    ordered = sorted(delays) or [float(LIMIT_S)]
    return {name: round(1e6 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)])
            for name, share in (("p50", 50), ("p99", 99), ("max", 100))}


async def end_all(bench: Bench, tokens: list[list[str]]) -> dict[str, list[float]]:
    url = bench.stack.url("WEBSOCKET_PORT").replace("http", "ws", 1) + "/ws"
    every = [token for own in tokens for token in own]
    sockets = []
    for first in range(0, len(every), 50):
        sockets += await asyncio.gather(*(websockets.connect(
            url, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None)
            for token in every[first:first + 50]))
    began: dict[int, float] = {}
    closed = [asyncio.create_task(close_of(socket)) for socket in sockets]
    async with httpx.AsyncClient(trust_env=False, timeout=60, limits=httpx.Limits(
            max_connections=40)) as http:
        identity = bench.stack.url("IDENTITY_PORT")
        rest = bench.stack.url("PERSISTENCE_PORT")
        refused = []
        for number, own in enumerate(tokens):
            await asyncio.sleep(0.2)
            last = {"Authorization": f"Bearer {own[0]}"}
            (await http.get(f"{rest}/conversations", headers={
                "Authorization": f"Bearer {own[-1]}"})).raise_for_status()  # cached from now on
            now = time.monotonic()
            began |= dict.fromkeys(range(number * SESSIONS, (number + 1) * SESSIONS), now)
            (await http.delete(f"{identity}/auth/sessions", headers=last)).raise_for_status()
            (await http.post(f"{identity}/auth/logout", headers=last)).raise_for_status()
            refused.append(asyncio.create_task(refusal_of(http, rest, own[-1])))
        ends, rest_ends = await asyncio.gather(*closed), await asyncio.gather(*refused)
    return {"socket": [end - began[at] for at, end in enumerate(ends) if end],
            "rest": [end - began[at * SESSIONS] for at, end in enumerate(rest_ends) if end]}


async def close_of(socket: websockets.ClientConnection) -> float | None:
    """When it was closed with 4401."""
    try:
        async with asyncio.timeout(LIMIT_S):
            async for _ in socket:
                pass
            await socket.wait_closed()
    except (TimeoutError, websockets.ConnectionClosed):
        pass
    return time.monotonic() if socket.close_code == ENDED else None


async def refusal_of(http: httpx.AsyncClient, url: str, token: str) -> float | None:
    """When persistence refused a token that it has cached."""
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        answer = await http.get(f"{url}/conversations",
                                headers={"Authorization": f"Bearer {token}"})
        if answer.status_code == 401:
            return time.monotonic()
        await asyncio.sleep(0.02)
    return None
