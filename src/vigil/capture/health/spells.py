"""A spell: something that is so for a while. It begins when it has been so for long enough, and ends likewise."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Spell:
    """`since_s` is when what is the case now began; `began_s` when the spell that was reported did."""

    is_so: bool = False
    since_s: Fraction | None = None
    began_s: Fraction | None = None

    @property
    def is_on(self) -> bool:
        return self.began_s is not None


def update_spell(spell: Spell, is_so: bool, time_s: Fraction, begin_s: float, end_s: float) -> tuple[Spell, bool]:
    """Returns the spell after one more look, and whether it was turned on or off by it."""
    since_s = time_s if is_so != spell.is_so or spell.since_s is None else spell.since_s
    lasting_s = time_s - since_s
    if is_so and not spell.is_on and lasting_s >= begin_s:
        return Spell(is_so, since_s, since_s), True
    if not is_so and spell.is_on and lasting_s >= end_s:
        return Spell(is_so, since_s, None), True
    return Spell(is_so, since_s, spell.began_s), False
