"""Harm done to files: cut anywhere, bytes changed anywhere."""

from __future__ import annotations

from hypothesis import strategies as st

Harm = tuple[float | None, list[tuple[float, int]]]
"""Share of the file that is kept (all when None), and bytes to change: where, as a share, and to what."""

HARM: st.SearchStrategy[Harm] = st.tuples(
    st.one_of(st.none(), st.floats(0, 1)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
)


def harmed(content: bytes, harm: Harm) -> bytes:
    """Return a file cut short and with some of its bytes changed."""
    cut, flips = harm
    body = bytearray(content if cut is None else content[: int(cut * len(content))])
    for share, value in flips:
        if body:
            body[int(share * len(body))] = value
    return bytes(body)
