"""apart - a gateway and a persistence-service with a message_save of their own: a test may stop
and kill them while other tests use the stack. They share its databases and its message_events.
"""

from contextlib import ExitStack

from support.api import Api
from support.own_nginx import OwnNginx
from support.service import Service, apart
from support.stack import Stack


class Apart:
    def __init__(self, stack: Stack):
        self.stack, self.exits = stack, ExitStack()
        own = apart(stack)
        self.topic = own["KAFKA_TOPIC_SAVE"]
        self.persistence = Service(stack, "persistence-service", **own)
        self.gateway = Service(stack, "websocket-service", KAFKA_TOPIC_SAVE=self.topic,
                               WEBSOCKET_USER_RATE="0")

    @property
    def ws_url(self) -> str:
        return self.gateway.ws_url

    def api(self) -> Api:
        """REST of this persistence-service."""
        api = Api(self.persistence.url)
        self.exits.callback(api.close)
        return api

    def nginx_url(self) -> str:
        """All of the site, through an nginx before this gateway."""
        return self.exits.enter_context(OwnNginx(self.stack, self.gateway)).url

    def __enter__(self) -> "Apart":
        for service in (self.persistence, self.gateway):
            self.exits.enter_context(service)
        return self

    def __exit__(self, *_) -> None:
        self.exits.close()
