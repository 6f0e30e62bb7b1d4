"""Small crowds of sockets: the services also handle the loads of bench/ correctly."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.api import Api
from support.server_key import forge_with_server_key
from support.service import Service
from support.slow_identity import SlowIdentity
from support.stack import ROOT, Stack

sys.path.insert(0, str(ROOT / "bench"))
from crowd import Crowd  # noqa: E402
from room import Events, Room  # noqa: E402

CROWD = 200
FIRST_ID = 1_000_001
BACK_S = 120
LOOKUPS = "parley_token_lookup_seconds_count"
HASHES = "parley_password_hash_seconds_count"


@pytest.fixture
def tokens(stack: Stack, api: Api, tmp_path: Path) -> Path:
    """A file of many users, each with a token that no service has seen."""
    forge = forge_with_server_key(stack, api)
    path = tmp_path / "tokens"
    with open(path, "w", encoding="ascii") as file:
        for user in range(FIRST_ID, FIRST_ID + CROWD):
            file.write(f"{user} {forge.signed(sub=str(user), jti=f'jti-{user}')}\n")
    return path


def words(stack: Stack, mode: str, url: str, tokens: Path) -> list[str]:
    return [str(stack.binary("bench/load")), mode, "--url", url,
            "--tokens", str(tokens), "--sockets", str(CROWD)]


@pytest.fixture
def identity(stack: Stack) -> Iterator[Service]:
    """Its counters count what the gateway of the test asks."""
    with Service(stack, "identity-service") as identity:
        yield identity


@pytest.fixture
def gateway(stack: Stack, identity: Service) -> Iterator[Service]:
    with Service(stack, "websocket-service", IDENTITY_URL=identity.url) as gateway:
        yield gateway


def counters(identity: Service) -> dict[str, float]:
    return {name: identity.metric(name) for name in (LOOKUPS, HASHES)}


def increase(identity: Service, before: dict[str, float]) -> dict[str, float]:
    return {name: value - before[name] for name, value in counters(identity).items()}


def test_each_token_is_looked_up_once(stack: Stack, identity: Service, gateway: Service,
                                      tokens: Path):
    for lookups in (CROWD, 0):  # in the second run the gateway knows the tokens
        before = counters(identity)
        done = subprocess.run(words(stack, "connect", gateway.url, tokens), text=True,
                              capture_output=True, timeout=BACK_S)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert (result["sockets"], result["lost_sockets"]) == (CROWD, 0)
        assert increase(identity, before) == {LOOKUPS: lookups, HASHES: 0}


def check_storm(identity: Service, storm: dict, before: dict[str, float],
                lookups_max: int) -> None:
    assert (storm["cut"], storm["away"], storm["sockets"]) == (CROWD, 0, CROWD)
    rise = increase(identity, before)
    assert rise[LOOKUPS] <= lookups_max
    assert rise[HASHES] == 0


@pytest.mark.slow
def test_all_sockets_reconnect_after_a_storm(stack: Stack, identity: Service, gateway: Service,
                                             tokens: Path):
    with Crowd(words(stack, "storm", gateway.url, tokens)) as crowd:
        before = counters(identity)
        crowd.order("cut")
        check_storm(identity, crowd.answer(BACK_S), before, 0)
        gateway.kill()
        gateway.start()
        check_storm(identity, crowd.answer(BACK_S), before, CROWD)


@pytest.mark.slow
def test_a_slow_identity_gets_no_more_lookups(stack: Stack, tokens: Path):
    """The gateway asks for 32 tokens at a time; no look-up is wasted."""
    with SlowIdentity(stack.port("IDENTITY_PORT"), 1) as slow, \
            Service(stack, "websocket-service", IDENTITY_URL=slow.url,
                    IDENTITY_TIMEOUT_MS=5000) as gateway:
        with Crowd(words(stack, "storm", gateway.url, tokens)) as crowd:
            slow.lookups.clear()
            gateway.stop()
            gateway.start().ready()
            storm = crowd.answer(BACK_S)
        assert (storm["cut"], storm["away"]) == (CROWD, 0)
        assert len(slow.lookups) == CROWD
        assert max(slow.lookups.values()) == 1


def test_a_room_receives_each_message_once_and_in_order(stack: Stack, tokens: Path):
    with Crowd(words(stack, "room", stack.url, tokens)) as crowd:
        room = Room(crowd, Events(stack, list(range(FIRST_ID, FIRST_ID + CROWD))))
        for _ in range(50):
            room.send()
        report = room.report()
    assert report["deliveries"] == 50 * CROWD
    assert (report["gaps"], report["duplicates"], report["unexpected_frames"]) == (0, 0, 0)
