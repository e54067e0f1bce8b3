"""The draw (双随机): a commitment to a seed, and lots that anyone can recompute with standard tools.

Commitment. The digest is the SHA-256 of this text in UTF-8, every line ended by one LF, the ids in the order
of their bytes (``LC_ALL=C sort``), one a line; ``sha256sum`` of the revealed text gives it::

    gridpatrol-draw/1
    period 2026-11-23 2026-12-06        (the terms, one a line, as agreed; see `planner.lottery`)
    seed 1234567
    salt 00112233445566778899aabbccddeeff
    candidates 2
    I1
    I10

Lots. The generator is SHA-256 ranking: the rank of an id is the SHA-256 of ``seed|purpose|id`` (decimal seed,
UTF-8), compared as 64 hexadecimal digits, the lowest drawn first. The same rank as a number between 0 and 1
is its first 13 digits over 16^13. A lot depends on its own id alone, so neither the order of the candidates
nor the arrival of another one changes how two of them compare.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence

from planner.errors import Fault, OptionsError

FORMAT = "gridpatrol-draw/1"
CONTROL, KEY_POINT, THIN, SLOT = "control", "key_point", "thin", "slot"
_DIGITS = 13
_SALT = re.compile(r"[0-9a-f]{32,64}")


def canonical_text(seed: int, salt: str, ids: Iterable[str], *, terms: Sequence[str] = ()) -> str:
    """Return the text whose SHA-256 is the commitment.

    Raises
    ------
    OptionsError
        For a negative seed, a salt that is not 32 to 64 lower-case hexadecimal digits, ids or terms that are
        empty, repeated or of more than one line.
    """
    listed = list(ids)
    faults = []
    if seed < 0:
        faults.append(Fault("seed", "too_small", {"least": 0, "value": seed}))
    if not _SALT.fullmatch(salt):
        faults.append(Fault("salt", "bad_salt"))
    broken = sorted({line for line in [*listed, *terms] if not line or len(line.splitlines()) != 1})
    if broken or len(set(listed)) != len(listed):
        faults.append(Fault("ids", "bad_ids", {"ids": broken}))
    if faults:
        raise OptionsError(faults)
    head = [FORMAT, *terms, f"seed {seed}", f"salt {salt}", f"candidates {len(listed)}"]
    return "".join(f"{line}\n" for line in [*head, *_in_order(listed)])


def commit(seed: int, salt: str, ids: Iterable[str], *, terms: Sequence[str] = ()) -> str:
    """Return the digest to publish before the draw: 64 hexadecimal digits (see the module for the text).

    Raises
    ------
    OptionsError
        As `canonical_text`.
    """
    return hashlib.sha256(canonical_text(seed, salt, ids, terms=terms).encode()).hexdigest()


def digest_ids(ids: Iterable[str]) -> str:
    """Return the SHA-256 of the ids alone, in the order of their bytes, each ended by LF."""
    return hashlib.sha256("".join(f"{key}\n" for key in _in_order(ids)).encode()).hexdigest()


def rank(seed: int, purpose: str, key: str) -> str:
    """Return the lot of one id for a purpose: 64 hexadecimal digits."""
    return hashlib.sha256(f"{seed}|{purpose}|{key}".encode()).hexdigest()


def fraction(seed: int, purpose: str, key: str) -> float:
    """Return the lot as a number from 0 up to, not including, 1."""
    return int(rank(seed, purpose, key)[:_DIGITS], 16) / float(16**_DIGITS)


def draw_lowest(ids: Iterable[str], count: int, *, seed: int, purpose: str = CONTROL) -> tuple[str, ...]:
    """Return the `count` ids of lowest rank, lowest first."""
    return tuple(sorted(set(ids), key=lambda key: (rank(seed, purpose, key), key))[: max(count, 0)])


def draw_control_sample(ids: Iterable[str], *, share: float, seed: int) -> tuple[tuple[str, ...], float]:
    """Return the ids drawn and the chance each had, drawn / eligible (0 when there are none).

    Parameters
    ----------
    share
        Part of the ids to draw, 0 to 1; the count is rounded half up.
    """
    eligible = set(ids)
    drawn = draw_lowest(eligible, math.floor(share * len(eligible) + 0.5), seed=seed)
    return drawn, len(drawn) / len(eligible) if eligible else 0.0


def holds_sample(pool: Iterable[str], drawn: Iterable[str], *, seed: int) -> bool:
    """Return whether `drawn` are the lowest ranks of `pool`: whether a revealed draw was kept."""
    chosen = list(drawn)
    return sorted(draw_lowest(pool, len(chosen), seed=seed)) == sorted(chosen)


def thin_slots(
    slots: Iterable[str], *, key: str, seed: int, share: float = 0.2, keep: int = 1
) -> frozenset[str]:
    """Return the slots to hide from one visit, so that its time is harder to guess.

    Hiding 20 % lifts the slot entropy from 0.63 to 0.74 for 5 % more travel (planning notes, section 3).

    Parameters
    ----------
    key
        Id of the visit: what is hidden from one visit does not depend on the others.
    share
        Part to hide, 0 to 1: `share` x slots, the broken part rounded up or down by the visit's own lot.
    keep
        Slots that stay open at least; never fewer than one does.
    """
    allowed = set(slots)
    wanted = share * len(allowed)
    count = math.floor(wanted) + (fraction(seed, THIN, key) < wanted % 1)
    count = min(count, len(allowed) - max(keep, 1))
    by_lot = sorted(allowed, key=lambda slot: (rank(seed, SLOT, f"{key}|{slot}"), slot))
    return frozenset(by_lot[: max(count, 0)])


def _in_order(ids: Iterable[str]) -> list[str]:
    return sorted(ids, key=lambda key: key.encode())
