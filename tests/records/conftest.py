"""The records' vocabulary: a store, and facts to put into it."""

from collections.abc import Callable, Iterator

import pytest

from controller.records.store import Store

Open = Callable[..., Store]


@pytest.fixture
def open_at() -> Iterator[Open]:
    """Open a store at a URL; all of them are closed afterwards."""
    opened: list[Store] = []

    def open_one(url: str, zone: str = "z1") -> Store:
        store = Store.open(url, zone)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def open_store(database_url: str, open_at: Open) -> Open:
    """Open a store of the test's database."""
    return lambda zone="z1": open_at(database_url, zone)


@pytest.fixture
def store(open_store: Open) -> Store:
    """An empty store of zone z1."""
    return open_store()
