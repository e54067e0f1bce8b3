"""Passwords: which are refused, how they are hashed, and checking one without telling who exists."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from data.errors import AccountError

MIN_LENGTH = 10
MOST_LENGTH = 128
LEAST_SIGNS = 5
REMEMBERED = 5
"""How many earlier passwords of an account may not come back."""

# Guesses (log10) under which zxcvbn calls a password weak: an attacker tries so many offline in seconds.
_WEAK_LOG10 = 8.0
_LEAST_NAME = 3
_MOST_JUDGED = 72  # zxcvbn reads no further
# OWASP's least costly setting of argon2id: sixty people log in within the same minutes of an evening.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check_new(password: str, *, names: Sequence[str]) -> None:
    """Refuse a password that is easily guessed.

    Commonness is judged by zxcvbn (Wheeler, USENIX Security 2016) with the words of ``common.txt``.

    Parameters
    ----------
    names
        Log-in and display name of the account.

    Raises
    ------
    AccountError
        ``password_too_short``, ``password_too_long``, ``password_too_simple`` without a letter, of one sort
        of signs or fewer than five different ones beside runs, ``password_is_name``, ``password_common``.
    """
    if len(password) < MIN_LENGTH:
        raise AccountError("password_too_short", minimum=MIN_LENGTH)
    if len(password) > MOST_LENGTH:
        raise AccountError("password_too_long", most=MOST_LENGTH)
    # Full-width signs are the same ones to whoever guesses; what is not seen is none.
    judged = "".join(c for c in unicodedata.normalize("NFKC", password) if c.isprintable())
    sorts = {"letter" if c.isalpha() else "digit" if c.isdigit() else "sign" for c in judged}
    if "letter" not in sorts or len(sorts) < 2 or len(_steps(judged)) < LEAST_SIGNS:
        raise AccountError("password_too_simple", signs=LEAST_SIGNS)
    if any(_is_made_of(judged, name) for name in names):
        raise AccountError("password_is_name")
    if _is_common(judged, names):
        raise AccountError("password_common")


def _is_made_of(password: str, name: str) -> bool:
    """Tell whether a password is a name, forwards or backwards, with a few signs round it or between."""
    folded, plain = _letters(password), _letters(unicodedata.normalize("NFKC", name))
    if len(plain) < _LEAST_NAME:
        return False
    return any(
        spelling in folded and len(folded.replace(spelling, "")) < MIN_LENGTH - _LEAST_NAME
        for spelling in (plain, plain[::-1])
    )


def _steps(text: str) -> str:
    """Return the different signs that do not just repeat the one before or follow it in the alphabet."""
    folded = text.casefold()
    pairs = zip(folded, f"\0{folded}", strict=False)
    return "".join(dict.fromkeys(sign for sign, before in pairs if abs(ord(sign) - ord(before)) > 1))


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _is_common(password: str, names: Sequence[str]) -> bool:
    # Takes 50 ms to import, and only who chooses a password needs it.
    from zxcvbn import zxcvbn

    known = [*common_words(), *(name for name in names if name)]
    return float(zxcvbn(password[:_MOST_JUDGED], user_inputs=known)["guesses_log10"]) < _WEAK_LOG10


@cache
def common_words() -> tuple[str, ...]:
    """Return the shipped words that no password may be made of."""
    lines = (Path(__file__).parent / "common.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password; takes about 20 ms and 19 MiB, so never in a transaction."""
    return _HASHER.hash(password)


def holds(password_hash: str | None, password: str) -> bool:
    """Return whether a password fits a hash; without a hash the same work is done and the answer is no."""
    try:
        _HASHER.verify(password_hash or _decoy(), password[:4096])
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _decoy() -> str:
    return _HASHER.hash("nobody's password")


def is_remembered(password: str, hashes: Sequence[str]) -> bool:
    """Return whether a password is one of earlier ones."""
    return any(holds(known, password) for known in hashes)


def is_outdated(password_hash: str) -> bool:
    """Return whether a hash was made at another cost: checking it would take another time than any other."""
    return _HASHER.check_needs_rehash(password_hash)
