"""The night that most stories begin with."""

import pytest

from tests.rules.night import Night


@pytest.fixture
def night() -> Night:
    night = Night()
    for node in ("b12n1", "b12n2", "b13n1"):
        night.births(node)
    night.expects()
    return night
