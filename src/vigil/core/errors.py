"""Errors that a person can act on.

VigilError            anything the user can mend; printed as one line, exit code 1
|-- Rejected          this one video cannot be used; it becomes a row in rejects.csv and the run goes on
`-- NoExamples        there is nothing to learn from or to judge; the stage says so in its output and the run goes on
"""

import difflib
from collections.abc import Iterable

SIMILAR = 0.6  # least share of letters in common, in their order, from which a word may have been meant


class VigilError(Exception):
    """One line: where, what was found, what was expected, what to do next."""


class Rejected(VigilError):
    """One input that cannot be used, with the reason; never stops the others."""


class NoExamples(VigilError):
    """The data hold nothing that this model could learn from or be judged on; never stops the others."""


def near_miss(word: str, candidates: Iterable[str]) -> str:
    """Returns ' Did you mean 'size'?' when a candidate resembles the word, else ''.

    Case does not count, save between candidates that differ in nothing else.
    """

    def similarity(candidate: str) -> tuple[float, float]:
        return _similarity(word.casefold(), candidate.casefold()), _similarity(word, candidate)

    closest = max(candidates, key=similarity, default=None)
    if closest is None or similarity(closest)[0] < SIMILAR:
        return ""
    return f" Did you mean '{closest}'?"


def _similarity(word: str, candidate: str) -> float:
    return difflib.SequenceMatcher(None, word, candidate).ratio()
