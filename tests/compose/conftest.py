"""The engine, the images and the project that all tests of a session share."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from containers.engine import Engine
from containers.images import Images
from containers.project import BUILD_S, Project, copy_tree
from support.api import Api
from support.stack import ROOT

TEST_S = 3600  # a bound on hanging; the first test waits for the images
NGINX = "nginx:1.30"  # deploy/docker/nginx.Dockerfile


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(TEST_S))


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = Engine()
    try:
        yield engine.up()
    finally:
        engine.down()


@pytest.fixture(scope="session")
def built(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """All images of Parley and of other projects exist; no container runs.

    Parley's images need the processors and the others the network, so both are built at the
    same time. The stage in which all programs are compiled comes first: compose builds two
    images at a time, and both would compile.
    """
    began = time.monotonic()
    project = Project(engine, copy_tree(tmp_path_factory.mktemp("tree")))
    images = Images(engine, ROOT / os.environ.get("PARLEY_CACHE_DIR", ".cache"))
    images.need_debian()
    print(f"images: Debian after {time.monotonic() - began:.0f} s", flush=True)
    others = [name for name in project.images() if "parley/" not in name] + [NGINX]
    with ThreadPoolExecutor(1) as builder:
        building = builder.submit(images.need, others)
        engine.docker("build", "-q", "-f", "deploy/docker/Dockerfile", "--target", "build", ".",
                      cwd=project.tree, timeout_s=BUILD_S)
        building.result()  # nginx's among them, on which one of Parley's is built
        project.compose("--profile", "*", "build", timeout_s=BUILD_S)
        print(f"images: Parley's after {time.monotonic() - began:.0f} s", flush=True)
    print(f"images: all after {time.monotonic() - began:.0f} s", flush=True)
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
    """All services are ready when a test begins, whatever the previous test did."""
    if not running.running():
        running.up()
    running.wait_ready()
    return running


@pytest.fixture
def api(project: Project) -> Iterator[Api]:
    api = Api(project.url)
    yield api
    api.close()

