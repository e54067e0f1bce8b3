"""The draw: a digest anyone can recompute, lots that do not depend on order, slots that stay open."""

from __future__ import annotations

import hashlib

import pytest

from planner.draw import (
    canonical_text,
    commit,
    digest_ids,
    draw_control_sample,
    draw_lowest,
    fraction,
    holds_sample,
    rank,
    thin_slots,
)
from planner.errors import OptionsError

SALT = "00112233445566778899aabbccddeeff"
IDS = ["I2", "I10", "I1"]
TERMS = ("period 2026-12-07 2026-12-13", "round -", "control 0.1000", "thinning 0.2000")


def test_the_digest_is_the_sha256_of_the_documented_text() -> None:
    """The text of docs/reference/draw.md, written out by hand; ids in the order of their bytes."""
    text = (
        "gridpatrol-draw/1\n"
        "period 2026-12-07 2026-12-13\n"
        "round -\n"
        "control 0.1000\n"
        "thinning 0.2000\n"
        "seed 1234567\n"
        "salt 00112233445566778899aabbccddeeff\n"
        "candidates 3\n"
        "I1\n"
        "I10\n"
        "I2\n"
    )
    assert canonical_text(1234567, SALT, IDS, terms=TERMS) == text
    assert commit(1234567, SALT, IDS, terms=TERMS) == hashlib.sha256(text.encode()).hexdigest()
    assert commit(1234567, SALT, IDS, terms=TERMS) == (
        "d1e9eb32888b0c1e4e9a7cd4692aa0d6a921f87168d3f7e33ee85ef0f27905cf"
    )
    assert digest_ids(IDS) == hashlib.sha256(b"I1\nI10\nI2\n").hexdigest()


@pytest.mark.parametrize(
    ("seed", "salt", "ids", "where"),
    [
        (-1, SALT, IDS, "seed"),
        (1, SALT[:-1], IDS, "salt"),
        (1, SALT.upper(), IDS, "salt"),
        (1, SALT, ["I1", "I1"], "ids"),
        (1, SALT, ["I1\nI2"], "ids"),
        (1, SALT, ["I1\u2028I2"], "ids"),
        (1, SALT, [""], "ids"),
    ],
)
def test_a_text_that_could_be_read_in_two_ways_is_refused(
    seed: int, salt: str, ids: list[str], where: str
) -> None:
    """Two different commitments never share a text."""
    with pytest.raises(OptionsError) as refused:
        commit(seed, salt, ids)
    assert [fault.where for fault in refused.value.faults] == [where]


def test_a_lot_is_a_hash_of_seed_purpose_and_id() -> None:
    """Known values: printf '7|control|I1' | sha256sum."""
    assert rank(7, "control", "I1") == hashlib.sha256(b"7|control|I1").hexdigest()
    assert fraction(7, "control", "I1") == int(rank(7, "control", "I1")[:13], 16) / 16**13
    by_hand = sorted(IDS, key=lambda key: hashlib.sha256(f"7|control|{key}".encode()).hexdigest())
    assert draw_lowest(IDS, 2, seed=7) == tuple(by_hand[:2])


def test_nobody_eligible_gives_nobody_drawn() -> None:
    """An empty pool has no chance to state."""
    assert draw_control_sample([], share=0.1, seed=1) == ((), 0.0)


def test_a_sample_that_is_not_the_lowest_lots_is_found_out() -> None:
    """Swapping one drawn id for one that was not breaks the revealed draw."""
    pool = [f"I{number}" for number in range(40)]
    drawn, chance = draw_control_sample(pool, share=0.1, seed=3)
    assert chance == 0.1 and len(drawn) == 4
    assert holds_sample(pool, drawn, seed=3)
    other = next(key for key in pool if key not in drawn)
    assert not holds_sample(pool, [*drawn[1:], other], seed=3)
    assert not holds_sample(pool, drawn, seed=4)
    assert not holds_sample(pool, [*drawn[1:], drawn[1]], seed=3)


def test_a_fifth_of_the_slots_is_hidden_and_the_rest_stay() -> None:
    """On average over visits 20 %, whatever their number of slots; few slots are hidden from now and then."""
    for count in (2, 4, 7, 10, 28):
        slots = [f"s{number}" for number in range(count)]
        hidden = [len(thin_slots(slots, key=f"V{n}", seed=1)) for n in range(2000)]
        assert abs(sum(hidden) / (2000 * count) - 0.2) < 0.02
        assert max(hidden) - min(hidden) <= 1
