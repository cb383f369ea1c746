"""One line for a user's mistake, with a hint to what was meant."""

from typing import Self

import pytest
from pydantic import model_validator

from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen


@pytest.mark.parametrize(
    ("word", "candidates", "hint"),
    [
        ("szie", ["size", "sire"], "size"),
        ("assault", ["Assault", "assault"], "assault"),
        ("Asault", ["assault", "Assault"], "Assault"),
        ("fihgting", ["Fighting", "assault"], "Fighting"),
        ("FIGHTING", ["Fighting", "assault"], "Fighting"),
        ("NORMAL", ["NORM", "normal"], "normal"),
        ("nothing-like-it", ["Fighting"], None),
        ("word", [], None),
    ],
)
def test_the_nearest_word_in_its_own_case_or_in_any(word: str, candidates: list[str], hint: str | None) -> None:
    assert near_miss(word, candidates) == (f" Did you mean '{hint}'?" if hint else "")


class Schedule(Frozen):
    epochs: int
    warmup: int

    @model_validator(mode="after")
    def _check_warmup(self) -> Self:
        if self.warmup >= self.epochs:
            raise ValueError(f"warmup: {self.warmup} epochs of {self.epochs}; leave some to train in")
        return self


class Training(Frozen):
    train: Schedule


def test_an_error_in_a_section_names_its_key_and_not_all_that_is_in_it() -> None:
    with pytest.raises(VigilError) as refusal:
        Training.read({"train": {"epochs": 3, "warmup": 5}}, "params.yaml [models.panic]")
    assert str(refusal.value) == ("params.yaml [models.panic]: train: warmup: 5 epochs of 3; leave some to train in.")
    with pytest.raises(VigilError, match=r"^p: train\.epochs = 'many': input should be a valid integer\.$"):
        Training.read({"train": {"epochs": "many", "warmup": 0}}, "p")
