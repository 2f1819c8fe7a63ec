"""One cluster for this folder; each test begins with nobody in it."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.server import start
from tests.missing import lack
from tests.prepare import find
from tests.processes import free_port
from tests.redis_server import RedisServer
from tests.system.instances.cluster import Cluster


@pytest.fixture(scope="package")
def shared_cluster(postgres: Callable[[], str]) -> Iterator[Cluster]:
    programs = {}
    for package in ("nginx", "redis-server"):
        programs[package] = find(package) or lack(f"{package} (apt-get install {package})")
    with tempfile.TemporaryDirectory(prefix="quickstep-instances-") as name:
        folder = Path(name)
        url = f"http://localhost:{free_port()}"
        redis = RedisServer(programs["redis-server"], folder)
        redis.start()
        simulator = start(public_url=url)
        cluster = Cluster(url, postgres(), redis, folder)
        proxy = cluster.start(simulator, programs["nginx"])
        yield cluster
        proxy.stop()
        for instance in cluster.instances:
            instance.kill()
        redis.kill()
        simulator.stop()
        cluster.engine.dispose()


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Cluster:
    shared_cluster.empty()
    return shared_cluster
