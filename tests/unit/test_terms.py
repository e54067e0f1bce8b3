"""The vocabulary: every word has both labels and only two outcomes pay."""

from __future__ import annotations

import pytest

from data import terms
from data.terms import SLOT_CLASS, Outcome, SlotKind, Term

VOCABULARIES = [
    v for v in vars(terms).values() if isinstance(v, type) and issubclass(v, Term) and v is not Term
]


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda v: v.__name__)
def test_every_word_has_two_labels(vocabulary: type[Term]) -> None:
    """A word without a label would show its identifier to people."""
    for word in vocabulary:
        assert word.label("zh")
        assert word.label("en")
        assert str(word) == word.value


def test_only_seen_places_pay() -> None:
    """A locked door is an attempt, not a visit."""
    paying = {outcome for outcome in Outcome if outcome.pays}
    assert paying == {Outcome.SEEN_OPEN, Outcome.CLOSED_AS_EXPECTED}


def test_every_slot_has_a_class() -> None:
    """Coverage is owed by class, so no slot may be without one."""
    assert set(SLOT_CLASS) == set(SlotKind)
