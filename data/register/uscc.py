"""Unified social credit codes (GB 32100-2015): check digit and registering authority."""

from __future__ import annotations

from data.terms import Authority

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_PREFIX_AUTHORITY = {
    "51": Authority.CIVIL_AFFAIRS,
    "52": Authority.CIVIL_AFFAIRS,
    "53": Authority.CIVIL_AFFAIRS,
    "91": Authority.MARKET,
    "92": Authority.MARKET,
    "93": Authority.MARKET,
}


def check_digit(body: str) -> str:
    """Return the 18th character for the first 17 of a code (modulus 31, weights 3^i).

    Raises
    ------
    ValueError
        If `body` is not 17 characters of the code's alphabet.
    """
    if len(body) != 17 or any(c not in ALPHABET for c in body):
        raise ValueError("a unified social credit code starts with 17 characters of its alphabet")
    total = sum(ALPHABET.index(c) * w for c, w in zip(body, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def fault(code: str) -> str | None:
    """Return what is wrong with `code` (`uscc_length`, `uscc_character`, `uscc_check_digit`) or None."""
    if len(code) != 18:
        return "uscc_length"
    if any(c not in ALPHABET for c in code):
        return "uscc_character"
    return None if check_digit(code[:17]) == code[17] else "uscc_check_digit"


def authority(code: str) -> Authority:
    """Return the registering authority named by the first two characters."""
    return _PREFIX_AUTHORITY.get(code[:2], Authority.UNKNOWN)
