"""Sizes of the two demo districts; every figure is a fact of the fiction, not of a real place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from data.errors import RegisterError
from data.terms import Kind

PresetName = Literal["small", "district"]

DISTRICT_NAME = "云河区"
# No administrative division uses this prefix, so no code of the demo can be anyone's.
DISTRICT_CODE = "990101"
# Open water: no marker of the demo can fall on a real address.
CENTRE_LON, CENTRE_LAT = 121.2, 40.3
WORK_EPSG = 32651
CELL_M = 274.0
HISTORY_DAYS = 182


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Sizes of a demo district.

    Parameters
    ----------
    columns, rows : int
        Cells of the street lattice; the river runs along its middle row.
    main_columns, main_rows, bridges : tuple of int
        Lattice lines that are main roads; the columns of `bridges` cross the river.
    rail_column : int
        The railway runs through the middle of this column of cells.
    mall_columns : tuple of int
        First and last column line of the pedestrian street.
    widths : tuple of tuple of int
        Width of each subdistrict south and north of the river, in double cells.
    grids_per_community : int
        Grid areas of one community.
    primary, secondary : int
        Schools.
    kinds : mapping
        Institutions by kind.
    officers, certified, leaders, absent : int
        People, of these with a valid certificate, who may lead, and on leave for a few days.
    teams : int
        Most teams side by side.
    shared_doors, cluster_size, mall_size : int
        Addresses with three or more licences; institutions of a planted cluster near a school and in the
        pedestrian street.
    cluster_findings, open_findings, open_tips, tips : int
        Findings planted in each cluster; what is still open today; tips of the half year.
    lost, astray : int
        Institutions whose address names no known place, and that lie beyond every grid area.
    """

    name: PresetName
    columns: int
    rows: int
    main_columns: tuple[int, ...]
    main_rows: tuple[int, ...]
    bridges: tuple[int, ...]
    rail_column: int
    mall_columns: tuple[int, int]
    widths: tuple[tuple[int, ...], tuple[int, ...]]
    grids_per_community: int
    primary: int
    secondary: int
    kinds: Mapping[Kind, int]
    officers: int
    certified: int
    leaders: int
    absent: int
    teams: int
    shared_doors: int
    cluster_size: int
    mall_size: int
    cluster_findings: int
    open_findings: int
    open_tips: int
    tips: int
    lost: int
    astray: int

    @property
    def institutions(self) -> int:
        """All institutions, kindergartens included."""
        return sum(self.kinds.values())

    @property
    def river_row(self) -> int:
        """The lattice row along which the river runs."""
        return self.rows // 2


PRESETS: Mapping[PresetName, Preset] = {
    "small": Preset(
        name="small",
        columns=16,
        rows=8,
        main_columns=(0, 4, 8, 12, 16),
        main_rows=(0, 2, 6, 8),
        bridges=(4, 12),
        rail_column=10,
        mall_columns=(5, 7),
        widths=((3, 5), (4, 4)),
        grids_per_community=4,
        primary=8,
        secondary=6,
        kinds={
            Kind.SUBJECT: 6,
            Kind.NON_SUBJECT: 24,
            Kind.CARE: 14,
            Kind.SELF_STUDY: 4,
            Kind.EDU_CONSULT: 2,
            Kind.UNLICENSED: 2,
            Kind.KINDERGARTEN: 24,
        },
        officers=14,
        certified=12,
        leaders=4,
        absent=1,
        teams=3,
        shared_doors=5,
        cluster_size=5,
        mall_size=5,
        cluster_findings=7,
        open_findings=3,
        open_tips=2,
        tips=10,
        lost=1,
        astray=1,
    ),
    "district": Preset(
        name="district",
        columns=40,
        rows=20,
        main_columns=(0, 5, 10, 15, 20, 25, 30, 35, 40),
        main_rows=(0, 5, 15, 20),
        bridges=(10, 20, 30),
        rail_column=27,
        mall_columns=(17, 20),
        widths=((5, 3, 4, 5, 3), (3, 5, 4, 4, 4)),
        grids_per_community=5,
        primary=24,
        secondary=24,
        kinds={
            Kind.SUBJECT: 30,
            Kind.NON_SUBJECT: 110,
            Kind.CARE: 120,
            Kind.SELF_STUDY: 25,
            Kind.EDU_CONSULT: 25,
            Kind.UNLICENSED: 12,
            Kind.KINDERGARTEN: 100,
        },
        officers=36,
        certified=31,
        leaders=8,
        absent=3,
        teams=6,
        shared_doors=7,
        cluster_size=12,
        mall_size=14,
        cluster_findings=16,
        open_findings=8,
        open_tips=4,
        tips=45,
        lost=4,
        astray=4,
    ),
}


def find_preset(name: str) -> Preset:
    """Return the preset called `name`.

    Raises
    ------
    RegisterError
        `unknown_preset`.
    """
    for known, preset in PRESETS.items():
        if known == name:
            return preset
    raise RegisterError("unknown_preset", preset=name, known=sorted(PRESETS))
