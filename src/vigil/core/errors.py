"""Errors that a person can act on.

VigilError            anything the user can mend; printed as one line, exit code 1
`-- Rejected          this one video cannot be used; it becomes a row in rejects.csv and the run goes on
"""

import difflib
from collections.abc import Iterable


class VigilError(Exception):
    """One line: where, what was found, what was expected, what to do next."""


class Rejected(VigilError):
    """One input that cannot be used, with the reason; never stops the others."""


def near_miss(word: str, known: Iterable[str]) -> str:
    """' Did you mean 'size'?' when a known word is close, in its own case or in any, else ''."""
    words = list(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if not close:
        folded = {each.casefold(): each for each in words}
        close = [folded[each] for each in difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)]
    return f" Did you mean '{close[0]}'?" if close else ""
