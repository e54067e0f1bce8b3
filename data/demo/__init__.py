"""The seeded fictional district for demonstrations and tests: every person, place and figure is invented."""

from data.demo.district import DemoDistrict, make_demo
from data.demo.people import DEMO_PASSWORD
from data.demo.presets import PRESETS, Preset, PresetName, find_preset
from data.demo.tables import load_demo, load_history, load_users, write_files

__all__ = [
    "DEMO_PASSWORD",
    "PRESETS",
    "DemoDistrict",
    "Preset",
    "PresetName",
    "find_preset",
    "load_demo",
    "load_history",
    "load_users",
    "make_demo",
    "write_files",
]
