"""The vendored front-end files are the ones their list names, with licences and without a foreign address."""

import hashlib
import json
from pathlib import Path

import pytest

ASSETS = Path(__file__).resolve().parents[2] / "dashboard" / "assets"
VENDOR = ASSETS / "vendor"


def _listed() -> dict[str, str]:
    lines = (VENDOR / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def test_every_file_has_its_listed_sum_and_none_is_unlisted() -> None:
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert found == _listed()


@pytest.mark.parametrize("name", ["leaflet", "protomaps-leaflet"])
def test_folder_names_carry_the_locked_version(name: str) -> None:
    lock = json.loads((ASSETS / "package-lock.json").read_text(encoding="utf-8"))
    version = lock["packages"][f"node_modules/{name}"]["version"]
    assert (VENDOR / f"{name}-{version}").is_dir()


def test_the_lock_names_no_registry_and_pins_content() -> None:
    lock = json.loads((ASSETS / "package-lock.json").read_text(encoding="utf-8"))
    entries = [entry for path, entry in lock["packages"].items() if path]
    assert entries and all("resolved" not in entry and "integrity" in entry for entry in entries)


def test_licences_of_everything_bundled_travel_along() -> None:
    notices = (VENDOR / "LICENCES.txt").read_text(encoding="utf-8")
    for name in ("leaflet 1.9.3", "protomaps-leaflet", "pmtiles", "pbf", "rbush", "@mapbox/vector-tile"):
        assert f"== {name}" in notices
