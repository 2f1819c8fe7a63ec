"""Two instances behind nginx and Caddy as deploy/ shows them, replaced while people sign in."""

from collections.abc import Callable

import pytest

from tests.system.load import Load
from tests.system.packages.fronts import Front
from tests.system.packages.test_proxies import EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_rolling_restart_behind_a_shipped_proxy_loses_no_request(
    make_front: Callable[..., Front], crowd: list[str], example: str
):
    front = make_front(example, instances=2)
    load = Load(front, crowd)
    with load.going_on():
        for number, instance in enumerate(front.instances):
            instance.reload()
            load.more()
            assert instance.stop() == 0
            load.more()
            front.start(number)
            load.more()
    assert load.lost == []
    load.check()
