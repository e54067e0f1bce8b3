"""The environment becomes one checked value."""

import datetime as dt
from pathlib import Path

import pytest

from dashboard.settings import Settings, SettingsError
from dashboard.wiring import assemble


def test_nothing_set_gives_the_documented_defaults() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings()
    assert settings.database == "sqlite:///var/gridpatrol.db"
    assert settings.basemap == Path("var/basemap.pmtiles")


def test_a_moved_folder_moves_the_default_database() -> None:
    assert (
        Settings.from_environment({"GRIDPATROL_VAR": "/srv/gp"}).database == "sqlite:////srv/gp/gridpatrol.db"
    )


def test_every_wrong_variable_is_named_at_once() -> None:
    wrong = {
        "GRIDPATROL_PORT": "seventy",
        "GRIDPATROL_TODAY": "17.9.",
        "GRIDPATROL_SECURE_COOKIES": "perhaps",
        "GRIDPATROL_LOG_LEVEL": "LOUD",
    }
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment(wrong)
    assert set(refused.value.faults) == set(wrong)


def test_a_fixed_day_holds_for_today_and_now(tmp_path: Path) -> None:
    parts = assemble(Settings(database=f"sqlite:///{tmp_path / 'a.db'}", today=dt.date(2026, 9, 20)))
    assert parts.today() == dt.date(2026, 9, 20)
    assert parts.now().tzinfo is dt.UTC
    assert parts.now().astimezone(dt.timezone(dt.timedelta(hours=8))).date() == dt.date(2026, 9, 20)
    parts.close()


def test_settings_survive_the_environment() -> None:
    """The worker process is given the very same settings."""
    settings = Settings(
        database="sqlite:///x.db",
        var=Path("y"),
        port=9,
        secure_cookies=True,
        today=dt.date(2026, 1, 2),
        worker=False,
    )
    assert Settings.from_environment(settings.as_environment()) == settings
    assert Settings.from_environment(Settings().as_environment()) == Settings()
