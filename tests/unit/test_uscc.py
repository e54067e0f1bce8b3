"""Unified social credit codes."""

from __future__ import annotations

import pytest

from data.register import uscc
from data.terms import Authority


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("91310101365582361G", None),
        ("52310101176016103H", None),
        ("91310101365582361H", "uscc_check_digit"),
        ("9131010136558236", "uscc_length"),
        ("9131010136558236IG", "uscc_character"),
    ],
)
def test_fault_is_named(code: str, fault: str | None) -> None:
    """Each way a code can be wrong has its own name."""
    assert uscc.fault(code) == fault


def test_any_changed_character_is_noticed() -> None:
    """Modulus 31 notices every single wrong character."""
    body = "9131010136558236"
    for position in range(16):
        for wrong in uscc.ALPHABET:
            changed = body[:position] + wrong + body[position + 1 :]
            code = changed + "1" + "G"
            assert (uscc.fault(code) is None) == (changed == body)


def test_prefix_names_the_authority() -> None:
    """52 is registered at civil affairs, 91 and 92 at market regulation."""
    assert uscc.authority("52") is Authority.CIVIL_AFFAIRS
    assert uscc.authority("91") is Authority.MARKET
    assert uscc.authority("92") is Authority.MARKET
    assert uscc.authority("12") is Authority.UNKNOWN


def test_check_digit_refuses_foreign_characters() -> None:
    """The letters I, O, S, V and Z are not in the alphabet."""
    with pytest.raises(ValueError, match="alphabet"):
        uscc.check_digit("I" * 17)
