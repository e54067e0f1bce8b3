"""How hot loops are compiled by numba: kept on disk where a folder allows, without the interpreter lock."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"

from __future__ import annotations

from numba import njit


def compiled(function):
    """Compile a function; without a folder to keep the result in, every process compiles anew."""
    return _compile(function, inline="never")


def inlined(function):
    """Compile a function into each of its callers."""
    return _compile(function, inline="always")


def _compile(function, *, inline):
    try:
        return njit(cache=True, nogil=True, error_model="numpy", inline=inline)(function)
    except RuntimeError:
        return njit(nogil=True, error_model="numpy", inline=inline)(function)
