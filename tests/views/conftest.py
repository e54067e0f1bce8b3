"""What every page test would pay for anew: Streamlit's search of the installed packages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner


@pytest.fixture(scope="session", autouse=True)
def packages_searched_once() -> Iterator[None]:
    """Keep what the first search for components found: `AppTest` searches all packages for every page.

    A second of each run of a page was this; the packages stay the same while the tests run.
    """
    searched = manifest_scanner.scan_component_manifests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(searched))
        yield
