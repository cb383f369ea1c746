"""Hints to what was meant."""

import pytest

from vigil.core.errors import near_miss


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("szie", ["size", "sire"], "size"),
        ("assault", ["Assault", "assault"], "assault"),
        ("fihgting", ["Fighting", "assault"], "Fighting"),
        ("FIGHTING", ["Fighting", "assault"], "Fighting"),
        ("nothing-like-it", ["Fighting"], None),
        ("word", [], None),
    ],
)
def test_the_nearest_word_in_its_own_case_or_in_any(word: str, known: list[str], hint: str | None) -> None:
    assert near_miss(word, known) == (f" Did you mean '{hint}'?" if hint else "")
