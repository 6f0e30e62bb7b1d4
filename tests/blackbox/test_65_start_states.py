"""A start that has to wait: each part of the readiness has its own true reason, which the log
names once. A table of the services and of what they may find."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from support.api import Api
from support.service import Service
from support.stack import PARTITIONS, Stack
from support.topics import Topics
from support.wait import until

IDENTITY, GATEWAY, PERSISTENCE = "identity-service", "websocket-service", "persistence-service"
NOWHERE = "127.0.0.1:1"


def no_setting(_topics: Topics, _path) -> dict[str, str]:
    return {}


def wrong_password(_topics: Topics, path) -> dict[str, str]:
    (path / "password").write_text("wrong")
    return {"MYSQL_PASSWORD_FILE": str(path / "password")}


def missing(kind: str) -> Callable:
    return lambda _topics, _path: {f"KAFKA_TOPIC_{kind}": "nowhere"}


def one_more_partition(kind: str) -> Callable:
    def change(topics: Topics, _path) -> dict[str, str]:
        topic = topics.make("start_state")
        topics.add_partition(topic)
        return {f"KAFKA_TOPIC_{kind}": topic}
    return change


def altered(kind: str, name: str, value: str) -> Callable:
    def change(topics: Topics, _path) -> dict[str, str]:
        topic = topics.make("start_state")
        topics.set(topic, name, value)
        return {f"KAFKA_TOPIC_{kind}": topic}
    return change


@dataclass
class State:
    service: str
    name: str
    part: str  # the part that is down
    why: str  # in its reason
    others: dict[str, str]  # the other parts
    settings: dict[str, str] = field(default_factory=dict)
    change: Callable = no_setting


def of_topics(service: str, others: dict[str, str], kinds: tuple[str, ...]) -> list[State]:
    states = [
        State(service, "no broker", "kafka", f"no answer from {NOWHERE}", others,
              {"KAFKA_BROKERS": NOWHERE}),
        State(service, "other partitions", "kafka",
              f"has {PARTITIONS} partitions, KAFKA_PARTITIONS is 6", others,
              {"KAFKA_PARTITIONS": "6"}),
        State(service, "a partition added", "kafka",
              f"has {PARTITIONS + 1} partitions, KAFKA_PARTITIONS is {PARTITIONS}", others,
              change=one_more_partition("SAVE")),
        State(service, "short retention", "kafka",
              "retention.ms is 3600000, must be -1 or at least 86400000", others,
              change=altered("SAVE", "retention.ms", "3600000")),
        State(service, "retention in bytes", "kafka", "retention.bytes is 1000000", others,
              change=altered("SAVE", "retention.bytes", "1000000")),
    ]
    for kind in kinds:
        states += [
            State(service, f"no {kind}", "kafka", "topic nowhere: not found", others,
                  change=missing(kind)),
            State(service, f"small {kind}", "kafka",
                  "max.message.bytes is 10000, must be at least 1000000", others,
                  change=altered(kind, "max.message.bytes", "10000")),
            State(service, f"compacted {kind}", "kafka",
                  "cleanup.policy is compact, must be delete", others,
                  change=altered(kind, "cleanup.policy", "compact")),
            State(service, f"too many in sync {kind}", "kafka",
                  "min.insync.replicas is 2, must be at most the number of replicas, 1", others,
                  change=altered(kind, "min.insync.replicas", "2")),
        ]
    return states


def of_database(service: str, others: dict[str, str], setting: str) -> list[State]:
    return [
        State(service, "no database server", "mysql", "Can't connect", others,
              {"MYSQL_PORT": "1"}),
        State(service, "wrong password", "mysql", "Access denied", others,
              change=wrong_password),
        State(service, "no database", "mysql", "nowhere", others, {setting: "nowhere"}),
    ]


STATES = [
    *of_database(IDENTITY, {}, "IDENTITY_DATABASE"),
    *of_database(PERSISTENCE, {"kafka": "up"}, "PERSISTENCE_DATABASE"),
    *of_topics(PERSISTENCE, {"mysql": "up"}, ("SAVE", "EVENTS", "DLQ")),
    *of_topics(GATEWAY, {"sockets": "unchecked"}, ("SAVE", "EVENTS")),
]


@pytest.mark.prove
@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.service}: {state.name}")
def test_a_start_that_waits_says_why(state: State, stack: Stack, api: Api, tmp_path):
    changes = state.settings | state.change(Topics(stack), tmp_path)
    service = Service(stack, state.service, **changes).start()
    try:
        until(f"the reason contains: {state.why}",
              lambda: state.why in service.readiness()["why"][state.part])
        parts = {state.part: "down"} | state.others
        until(f"the parts are {parts}", lambda: all(
            service.readiness()["parts"].get(part) == is_ for part, is_ in parts.items()))
        answer = service.ask_admin("/readyz")
        body = answer.json()
        assert answer.status_code == 503 and body["ready"] is False
        assert set(body["why"]) == {part for part, is_ in body["parts"].items() if is_ != "up"}
        assert service.child.poll() is None
        said = [line["why"] for line in service.events("dependency.down")
                if line["part"] == state.part]
        assert state.why in said[-1]
        assert all(one != other for one, other in zip(said, said[1:])), said
        assert service.stop() == 0
    finally:
        if service.child.poll() is None:
            service.child.kill()
        service.said.unlink(missing_ok=True)


def test_a_start_goes_on_by_itself_when_the_topic_is_mended(stack: Stack, api: Api):
    topics = Topics(stack)
    topic = topics.make("mended")
    topics.set(topic, "max.message.bytes", "10000")
    service = Service(stack, PERSISTENCE, KAFKA_TOPIC_EVENTS=topic).start()
    try:
        until("it waits", lambda: "max.message.bytes" in service.readiness()["why"]["kafka"])
        topics.set(topic, "max.message.bytes", None)
        service.ready()
        assert service.stop() == 0
    finally:
        if service.child.poll() is None:
            service.child.kill()
        service.said.unlink(missing_ok=True)


def test_a_partition_added_under_way_is_an_error_in_the_log(stack: Stack, api: Api):
    topics = Topics(stack)
    with Service(stack, PERSISTENCE) as service:
        topic = service.env["KAFKA_TOPIC_SAVE"]
        topics.add_partition(topic)
        said = until("the log names it", lambda: service.events("topic.partitions_changed"))
        assert (said[0]["topic"], said[0]["partitions"]) == (topic, PARTITIONS + 1)
        assert said[0]["level"] == "error"
        assert service.ask_admin("/readyz").status_code == 200


# Changes of a topic that was right at the start: kind, setting, value, reason.
COMPACTED = ("cleanup.policy", "compact", "compact, must be delete")
UNDER_WAY = [
    ("SAVE", *COMPACTED),
    ("EVENTS", *COMPACTED),
    ("SAVE", "cleanup.policy", "compact,delete", "compact,delete, must be delete"),
    ("SAVE", "retention.ms", "1000", "1000, must be -1 or at least 86400000"),
    ("SAVE", "retention.bytes", "1000000", "1000000, must be no bound, -1"),
    ("SAVE", "max.message.bytes", "10000", "10000, must be at least 1000000"),
    ("EVENTS", "max.message.bytes", "10000", "10000, must be at least 1000000"),
]
QUICK = 1  # of these, in `make test`


@pytest.mark.parametrize("kind, name, value, why", [
    pytest.param(*row, id=f"{row[0]} {row[1]} {row[2]}",
                 marks=() if at < QUICK else pytest.mark.prove)
    for at, row in enumerate(UNDER_WAY)])
def test_a_setting_changed_under_way_is_an_error_in_the_log(
        kind: str, name: str, value: str, why: str, stack: Stack, api: Api):
    """The services go on, since otherwise all of them would stop at once."""
    topics = Topics(stack)
    own = {f"KAFKA_TOPIC_{each}": topics.make("under_way") for each in ("SAVE", "EVENTS")}
    topic = own[f"KAFKA_TOPIC_{kind}"]
    with Service(stack, PERSISTENCE, **own) as saver, Service(stack, GATEWAY, **own) as gateway:
        topics.set(topic, name, value)
        for service in (saver, gateway):
            said = until("the log names it", lambda: service.events("topic.unfit"))
            assert [line["why"] for line in said] == [f"topic {topic}: {name} is {why}"]
            assert said[0]["level"] == "error"
            assert service.metric("parley_topics_unfit") == 1
            assert service.ask_admin("/readyz").status_code == 200
        topics.set(topic, name, None)
        for service in (saver, gateway):
            until("the log says that it is mended", lambda: service.events("topic.fit"))
            assert service.metric("parley_topics_unfit") == 0
            assert len(service.events("topic.unfit")) == 1
