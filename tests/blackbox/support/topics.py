"""topics - topics of a test's own, and changes of their settings and partitions."""

from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from support.stack import PARTITIONS, Stack
from support.wait import HANG_S, until


class Topics:
    def __init__(self, stack: Stack):
        self.stack = stack
        self.admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{stack.port('KAFKA_PORT')}"})

    def make(self, kind: str) -> str:
        name = self.stack.make_topic(kind)
        until(f"the broker knows {name}", lambda: self.setting(name, "cleanup.policy"))
        return name

    def make_again(self, name: str) -> None:
        """A topic that was deleted a moment ago."""
        def made() -> bool:
            self.admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(HANG_S)
            return True
        until(f"{name} is made again", made)

    def delete(self, name: str) -> None:
        self.admin.delete_topics([name])[name].result(HANG_S)
        until(f"{name} is gone",
              lambda: name not in self.admin.list_topics(timeout=HANG_S).topics)

    def add_partition(self, name: str) -> None:
        self.admin.create_partitions([NewPartitions(name, PARTITIONS + 1)])[name].result(HANG_S)
        until(f"{name} has another partition", lambda: len(
            self.admin.list_topics(name, timeout=HANG_S).topics[name].partitions) > PARTITIONS)

    def setting(self, topic: str, name: str) -> str:
        resource = ConfigResource(ResourceType.TOPIC, topic)
        found = self.admin.describe_configs([resource])[resource].result(HANG_S)
        return found[name].value

    def set(self, topic: str, name: str, value: str | None) -> None:
        """None: the broker's default again. Returns when the broker shows the new value."""
        what = AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET
        before = self.setting(topic, name)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[
            ConfigEntry(name, value, incremental_operation=what)])
        self.admin.incremental_alter_configs([resource])[resource].result(HANG_S)
        until(f"{topic} has the new {name}", lambda: self.setting(topic, name) == value
              if value is not None else self.setting(topic, name) != before)
