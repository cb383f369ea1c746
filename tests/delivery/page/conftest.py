"""A page that is served for a test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from page_site import Site


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[[str | None], Site]]:
    with ExitStack() as stack:

        def make(token: str | None = None) -> Site:
            site = Site(tmp_path, token)
            stack.enter_context(site.outbox)
            stack.enter_context(site.server)
            stack.enter_context(site.client)
            return site

        yield make


@pytest.fixture
def site(make_site: Callable[[str | None], Site]) -> Site:
    return make_site(None)
