"""Officers and users of the demo district; nobody here is a person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from data.demo.presets import Preset
from data.terms import Role

# Not a secret: every demo has it, and only `data.demo` creates users with it.
DEMO_PASSWORD = "yunhe-demo-2026"  # noqa: S105
_DEPARTMENTS = ("教育局", "教育局", "教育局", "市场监管局", "公安分局", "综合执法局")


@dataclass(frozen=True)
class DemoOfficer:
    """A person who can be rostered, as the officers' table writes them."""

    code: str
    name: str
    department: str
    certificate_no: str
    certificate_until: dt.date | None
    post: str
    leave: tuple[dt.date, ...]


@dataclass(frozen=True)
class DemoUser:
    """A log-in of the demo; a grid worker gets the grid area with most institutions when loaded."""

    username: str
    display_name: str
    role: Role
    officer_code: str | None = None


USERS = (
    DemoUser("zuzhang", "演示组长", Role.TEAM_LEAD, "P01"),
    DemoUser("jiancha", "演示检查员", Role.OFFICER, "P02"),
    DemoUser("wangge", "演示网格员", Role.GRID_WORKER),
    DemoUser("lingdao", "演示分管领导", Role.LEADER),
    DemoUser("neiqin", "演示内勤", Role.CLERK),
    DemoUser("admin", "演示管理员", Role.ADMINISTRATOR),
)


def hire_officers(preset: Preset, *, today: dt.date, chance: np.random.Generator) -> tuple[DemoOfficer, ...]:
    """Return the officers: leaders first, the uncertified and expired last, a few on leave."""
    officers = []
    expired = (preset.officers - preset.certified) // 2
    resting = {int(at) for at in chance.choice(np.arange(2, preset.certified), preset.absent, replace=False)}
    for index in range(preset.officers):
        number = index + 1
        valid, lapsed = index < preset.certified, index >= preset.officers - expired
        until = None
        if valid:
            until = dt.date(today.year + 2, 12, 31)
        elif lapsed:
            until = today - dt.timedelta(days=int(chance.integers(10, 120)))
        first = int(chance.integers(2, 10))
        leave = tuple(today + dt.timedelta(days=first + n) for n in range(3)) if index in resting else ()
        officers.append(
            DemoOfficer(
                code=f"P{number:02d}",
                name=f"检查员{number:02d}",
                department=_DEPARTMENTS[index % len(_DEPARTMENTS)],
                certificate_no=f"YH9901{number:05d}" if valid or lapsed else "",
                certificate_until=until,
                post="组长" if index < preset.leaders else "",
                leave=leave,
            )
        )
    return tuple(officers)
