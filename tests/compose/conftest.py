"""The engine, the images and the project that all tests of a session share."""

import os
import time
from collections.abc import Iterator

import pytest

from containers.engine import Engine
from containers.images import Images
from containers.project import BUILD_S, Project, copy_tree
from support.api import Api
from support.stack import ROOT


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = Engine()
    try:
        yield engine.up()
    finally:
        engine.down()


@pytest.fixture(scope="session")
def built(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Images are there, ours and the others'; nothing runs."""
    project = Project(engine, copy_tree(tmp_path_factory.mktemp("tree")))
    cache = ROOT / os.environ.get("PARLEY_CACHE_DIR", ".cache")
    Images(engine, cache).need([name for name in project.images() if "parley/" not in name])
    began = time.monotonic()
    project.compose("--profile", "*", "build", timeout_s=BUILD_S)
    print(f"images: built in {time.monotonic() - began:.0f} s", flush=True)
    return project


@pytest.fixture(scope="session")
def running(built: Project) -> Iterator[Project]:
    began = time.monotonic()
    try:
        built.up()
        built.wait_ready()
        print(f"compose: ready after {time.monotonic() - began:.0f} s", flush=True)
        yield built
    finally:
        built.down()


@pytest.fixture
def project(running: Project) -> Project:
    """It is whole when a test begins, whatever the last one did to it."""
    if not running.running():
        running.up()
    running.wait_ready()
    return running


@pytest.fixture
def api(project: Project) -> Iterator[Api]:
    api = Api(project.url)
    yield api
    api.close()

