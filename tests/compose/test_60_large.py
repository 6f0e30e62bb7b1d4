"""The large form: each gateway reads a share of message_events."""

from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from containers.project import SHARDS, Project
from support.api import Api
from support.chat import Socket, open_socket
from support.load import Load
from support.partition import event_partition
from support.wait import until

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


def records_of_shards(project: Project) -> list[int]:
    """The records of message_events in the partitions of each shard. Kafka writes the ends of all
    partitions into a file, every five seconds; nothing was deleted, so a partition begins at 0."""
    kafka, = project.running("kafka")
    ends = [line.split() for line in project.run(
        kafka, "cat", "/var/lib/kafka/data/replication-offset-checkpoint").splitlines()]
    records = [0] * len(GATEWAYS)
    for _, partition, end in (one for one in ends if one[0] == "message_events"):
        records[int(partition) % len(GATEWAYS)] += int(end)
    return records


def test_each_gateway_reads_its_partitions_only(large: Project) -> None:
    """The gateways have run since the topic was empty, so each has read as many records as there
    are in the partitions of its shard."""
    def read() -> list[int]:
        return [int(large.metric(one, "parley_events_total"))
                for service in GATEWAYS for one in large.running(service)]

    def all_read() -> bool:
        counts = read(), records_of_shards(large)
        assert counts[0] == counts[1], counts
        return True

    before = read()
    # Without repeated sends: persistence answers each of them with records of its own.
    with Load(large, users=40, sockets=2, rate=200, seconds=15, drain=600, groups=0,
              receipts=0, edits=0, typing=0, blocks=0, resend=0) as ledger:
        verdict = ledger.assert_clean(1500)
    until("each gateway has read its partitions, and no other", all_read)
    new = [after - old for old, after in zip(before, read())]
    # A message, or the reaction with which the ledger ends, makes three records at most: for its
    # sender, for its receiver, and for other sockets of its sender. With 5 % for answers to
    # queries of gateways.
    entries = verdict["accepted"] + verdict["edits_saved"]
    assert entries > 1000 and all(new)
    assert entries * 2 <= sum(new) <= entries * 3 * 1.05, (entries, new)
    print(f"{entries} entries: gateways read {new} records", flush=True)


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
