"""The register of the demo district, as a bureau would hand it over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from data.demo.presets import DISTRICT_CODE, Preset
from data.demo.seats import Seat
from data.demo.words import BRAND_STEMS, CARE_NAMES, CARE_WORDS, KIND_NAMES, KIND_WORDS
from data.register.uscc import check_digit
from data.terms import CareType, Kind, SiteStatus

MASKED_PHONE = "138****0000"
# One place in twelve hands in the point its phone showed; one of six such phones showed GCJ-02.
_POINTED, _MISREAD = 12, 72
_CARE_TYPES = (CareType.CARE_CENTER, CareType.CARE_CENTER, CareType.CHILD_MINDING, CareType.MEAL_TABLE)
_STATUS_WORDS = {SiteStatus.OPEN: "营业", SiteStatus.SUSPENDED: "暂停营业", SiteStatus.EXITING: "注销办理中"}


@dataclass(frozen=True)
class DemoInstitution:
    """A row of the register, and what the file does not say: true place, cluster, if it can be placed."""

    number: int
    name: str
    kind: Kind
    care_type: CareType | None
    uscc: str
    permit_no: str
    authority: str
    address: str
    status: SiteStatus | None
    contact: str
    lon: float
    lat: float
    cluster: str | None
    lost: bool
    astray: bool

    @property
    def kind_word(self) -> str:
        """The kind as tables write it."""
        return CARE_WORDS[self.care_type] if self.care_type is not None else KIND_WORDS[self.kind]

    @property
    def pointed(self) -> bool:
        """Whether the file gives a point for the place."""
        return self.number % _POINTED == _POINTED // 2 and not (self.lost or self.astray)

    @property
    def misread(self) -> bool:
        """Whether the point it gives is in GCJ-02, although the file as a whole is in WGS-84."""
        return self.pointed and self.number % _MISREAD == _POINTED // 2

    @property
    def status_word(self) -> str:
        """The status as tables write it; empty when unknown."""
        return "" if self.status is None else _STATUS_WORDS[self.status]


def write_register(
    seats: Sequence[tuple[Seat, Kind]],
    addresses: Sequence[str],
    degrees: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    preset: Preset,
    *,
    chance: np.random.Generator,
) -> tuple[DemoInstitution, ...]:
    """Return the rows: invented names, valid check digits, masked contacts.

    Names of one room share a brand, as they do where one body holds several licences.
    """
    names = _Names(chance)
    statuses = _statuses([kind for _, kind in seats], chance)
    rows = []
    for index, ((seat, kind), address) in enumerate(zip(seats, addresses, strict=True)):
        number = index + 1
        care_type = _CARE_TYPES[int(chance.integers(4))] if kind is Kind.CARE else None
        licensed = kind is not Kind.UNLICENSED
        civil = kind is Kind.SUBJECT or (kind in (Kind.KINDERGARTEN, Kind.NON_SUBJECT) and number % 3 == 0)
        rows.append(
            DemoInstitution(
                number=number,
                name=names.draw(kind, care_type, seat.group if seat.one_room else None),
                kind=kind,
                care_type=care_type,
                uscc=_code("52" if civil else "91", number) if licensed else "",
                permit_no=_permit(kind, number),
                authority=("民政局" if civil else "市场监管局") if licensed else "",
                address=address,
                status=statuses[index],
                contact=f"负责人{number:03d}" if licensed else "",
                lon=float(degrees[index, 0]),
                lat=float(degrees[index, 1]),
                cluster=seat.cluster,
                lost=seat.lost,
                astray=seat.astray,
            )
        )
    return tuple(rows)


class _Names:
    """Names that nobody has had yet."""

    def __init__(self, chance: np.random.Generator) -> None:
        self._chance = chance
        self._used: set[str] = set()
        self._brands: dict[int, str] = {}

    def draw(self, kind: Kind, care_type: CareType | None, brand: int | None) -> str:
        endings = KIND_NAMES[kind] if care_type is None else (CARE_NAMES[care_type],)
        while True:
            stem = str(self._chance.choice(BRAND_STEMS))
            if brand is not None:
                stem = self._brands.setdefault(brand, stem)
            name = stem + endings[int(self._chance.integers(len(endings)))]
            if name in self._used and brand is not None:
                name = f"{name}第{sum(used.startswith(name) for used in self._used) + 1}分部"
            if name not in self._used:
                self._used.add(name)
                return name


def _statuses(kinds: Sequence[Kind], chance: np.random.Generator) -> list[SiteStatus | None]:
    """Return who is open: nearly all; some subject bodies are leaving, a few places pause."""
    statuses: list[SiteStatus | None] = [
        None if kind is Kind.UNLICENSED else SiteStatus.OPEN for kind in kinds
    ]
    order = [int(at) for at in chance.permutation(len(kinds))]
    leaving = [at for at in order if kinds[at] is Kind.SUBJECT]
    for at in leaving[: max(1, len(leaving) // 7)]:
        statuses[at] = SiteStatus.EXITING
    pausing = [at for at in order if kinds[at] in (Kind.NON_SUBJECT, Kind.CARE)]
    for at in pausing[: max(1, len(pausing) // 40)]:
        statuses[at] = SiteStatus.SUSPENDED
    return statuses


def _code(prefix: str, number: int) -> str:
    body = f"{prefix}{DISTRICT_CODE}MADEM{number:04d}"
    return body + check_digit(body)


def _permit(kind: Kind, number: int) -> str:
    if kind in (Kind.SUBJECT, Kind.NON_SUBJECT, Kind.KINDERGARTEN):
        return f"教民{DISTRICT_CODE}7{number:06d}号"
    return ""
