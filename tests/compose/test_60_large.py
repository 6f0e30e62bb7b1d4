"""The large form: each gateway reads a share of message_events."""

from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from containers.project import SHARDS, Project
from support.api import Api
from support.chat import Socket, open_socket
from support.load import Load
from support.partition import event_partition

GATEWAYS = ("websocket-service", "websocket-service-1", "websocket-service-2")
PEOPLE = 30


@pytest.fixture(scope="module")
def large(built: Project) -> Iterator[Project]:
    built.down()
    project = Project(built.engine, built.tree, "parley-large", SHARDS)
    try:
        project.up()
        project.wait_ready()
        yield project
    finally:
        project.down()


def test_each_user_connects_to_the_gateway_of_its_shard(large: Project) -> None:
    api = Api(large.url)
    people = [api.register() for _ in range(PEOPLE)]
    sockets = [open_socket(large.ws_url, one, subprotocol=one.id % 2 == 0) for one in people]
    try:
        for shard, service in enumerate(GATEWAYS):
            gateway, = large.running(service)
            expected = sum(event_partition(one.id) % len(GATEWAYS) == shard for one in people)
            assert large.sockets(gateway) == expected > 0
        for sender, socket, other in zip(people, sockets, sockets[1:] + sockets[:1]):
            receiver = people[(people.index(sender) + 1) % PEOPLE]
            uuid = socket.say(receiver.id, "across shards")
            socket.saved(uuid)
            assert other.expect(type="message", uuid=uuid)["user_from"] == sender.id
    finally:
        for socket in sockets:
            socket.close()
        api.close()


def test_each_gateway_reads_its_partitions_only(large: Project) -> None:
    """One message makes three records at most: for its sender, for its receiver, and for
    other sockets of its sender. Three gateways that read everything would read each record
    three times."""
    def read() -> list[int]:
        return [int(large.metric(one, "parley_events_total"))
                for service in GATEWAYS for one in large.running(service)]

    before = read()
    with Load(large, users=40, sockets=2, rate=200, seconds=15, drain=600, groups=0,
              receipts=0, edits=0, typing=0, blocks=0) as ledger:
        verdict = ledger.assert_clean(1500)
    new = [after - old for old, after in zip(before, read())]
    saved = verdict["accepted"]
    assert saved > 1000 and all(new)
    assert saved * 2 <= sum(new) <= saved * 3 * 1.05, (saved, new)
    print(f"{saved} messages: gateways read {new} records", flush=True)


def test_a_gateway_refuses_a_user_of_another_shard(large: Project) -> None:
    api = Api(large.url)
    person = api.register()
    api.close()
    port = large.setting("WEBSOCKET_PORT")
    for shard, service in enumerate(GATEWAYS):
        gateway, = large.running(service)
        url = f"ws://{large.address(gateway)}:{port}/ws"
        if shard == event_partition(person.id) % len(GATEWAYS):
            open_socket(url, person).close()
            continue
        with pytest.raises(InvalidStatus) as refused:
            Socket(url, person.token)
        assert refused.value.response.status_code == 421


@pytest.mark.parametrize("token", [
    "", "x", "a.b.c", "..", "a.e30.c", "a.eyJzdWIiOiItMSJ9.c", "a.eyJzdWIiOiIxZTMwMCJ9.c",
    "a.eyJzdWIiOiJhYmMifQ.c", "a.eyJzdWIiOlsxXX0.c", "a.bnVsbA.c", "a." + "A" * 3000 + ".c"])
def test_a_malformed_token_is_refused_as_in_the_small_form(large: Project, token: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        Socket(large.ws_url, token)
    assert refused.value.response.status_code == 401
