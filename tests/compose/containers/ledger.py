"""ledger - `client-test ledger` in a container of its own, at nginx."""

from pathlib import Path

from containers.project import Project
from support.load import Load


class ContainerLedger(Load):
    def __init__(self, project: Project, **options: object):
        super().__init__(project, Path("client-test"), **options)
        url = self.words.index("--url")
        # Where nginx is stands in the container's environment.
        words = self.words[1:url] + self.words[url + 2:]
        self.words = project.words("run", "--rm", "-T", "client-test", *words)
        self.project = project
        self.place = {"cwd": project.tree, "env": project.environment()}

    def stop_sending(self) -> None:
        """Tells the ledger itself: `docker compose run` would kill it."""
        inside, = self.project.running("client-test")
        self.project.engine.docker("kill", "--signal", "TERM", inside.id)
