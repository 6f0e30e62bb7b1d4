"""The older docker-compose, 1.29, where Debian still has it."""

import shutil
import subprocess

import pytest

from containers.project import Project


class OlderProject(Project):
    def words(self, *words: str) -> list[str]:
        return ["docker-compose", "-p", self.name, *words]


def version() -> str:
    if not shutil.which("docker-compose"):
        return ""
    said = subprocess.run(["docker-compose", "version", "--short"], capture_output=True, text=True)
    return said.stdout.strip()


def test_docker_compose_1_29_starts_parley(built: Project) -> None:
    if not version().startswith("1.29"):
        pytest.skip(f"docker-compose is {version() or 'not here'}, Debian 12 has 1.29")
    built.down()
    project = OlderProject(built.engine, built.tree, "parley-older")
    try:
        project.up()
        project.wait_ready()
        done = project.compose("run", "--rm", "-T", "client-test", "accept", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        project.compose("down", "--volumes", "--remove-orphans")
