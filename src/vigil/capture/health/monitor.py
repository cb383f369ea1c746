"""Watches over the picture of one camera: `state, events = update_health(state, frame)`, at every frame that is read.

It looks twice a second at most, and all that it waits for is in seconds. A black picture is not called frozen or
covered too, nor a covered one moved. What it has learned outlives a connection: a camera that was turned while it was
gone is noticed when it is back. A camera that turns by itself is reported at each turn.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from vigil.capture.frames import Ailment, Black, Covered, Frame, Frozen, Moved
from vigil.capture.health.looks import Look, take_look
from vigil.capture.health.spells import Spell, update_spell
from vigil.capture.health.stillness import Stillness, frozen_after_s, update_stillness
from vigil.capture.health.view import Comparison, View, compare_view, learn_view
from vigil.core.params import Frozen as FrozenRecord

LOOK_S = Fraction(1, 2)
DARK = 32.0  # grey levels; the darkest of 323 films is at 123
LOST = 0.25  # share of the usual detail; 0.28 was seen for a moment, at an explosion
SPOTLESS = 1.0  # detail; a picture that usually has less cannot lose it

Seconds = Annotated[float, Field(gt=0)]


class HealthParams(FrozenRecord):
    """How long something must last, in seconds."""

    frozen_s: Seconds = 300.0  # encoders that send nothing of a still night look the same until somebody passes
    longest_frozen_s: Seconds = 3600.0  # for a camera whose picture is often still for long
    black_s: Seconds = 5.0
    covered_s: Seconds = 5.0
    moved_s: Seconds = 10.0
    over_s: Seconds = 2.0  # for it to be over
    usual_s: Seconds = 60.0  # over which the usual view is learned, and after which a new one is taken for usual
    learn_s: Seconds = 10.0  # before the view is judged


@dataclass(frozen=True, eq=False)
class HealthState:
    """What is remembered of a camera."""

    looked_s: Fraction | None = None
    stillness: Stillness = field(default_factory=Stillness)
    view: View = field(default_factory=View)
    new_view: View = field(default_factory=View)  # of a camera that has moved
    frozen: Spell = field(default_factory=Spell)
    black: Spell = field(default_factory=Spell)
    covered: Spell = field(default_factory=Spell)
    moved: Spell = field(default_factory=Spell)


def update_health(
    state: HealthState, frame: Frame, params: HealthParams | None = None
) -> tuple[HealthState, list[Ailment]]:
    """Returns the state after one more frame, and what began or ended with it."""
    if state.looked_s is not None and frame.time_s - state.looked_s < LOOK_S:
        return state, []
    params = params or HealthParams()
    look, time_s = take_look(frame.image), frame.time_s
    is_dark = look.bright < DARK
    black, black_turned = update_spell(state.black, is_dark, time_s, params.black_s, params.over_s)
    stillness, still_s = update_stillness(state.stillness, look.grey, time_s)
    after_s = frozen_after_s(state.stillness, params.frozen_s, params.longest_frozen_s)
    is_still = still_s >= after_s and not is_dark
    frozen, frozen_turned = update_spell(state.frozen, is_still, time_s, 0.0, 0.0)
    frozen = replace(frozen, began_s=stillness.since_s) if frozen_turned and is_still else frozen
    has_learned = state.view.looks * LOOK_S >= params.learn_s
    is_bare = not is_dark and has_learned and look.detail < LOST * state.view.detail and state.view.detail > SPOTLESS
    covered, covered_turned = update_spell(state.covered, is_bare, time_s, params.covered_s, params.over_s)
    comparison = Comparison(is_elsewhere=False)
    is_seen = not (is_dark or is_bare)
    if is_seen and has_learned:
        comparison = compare_view(state.view, look.edges)
    moved, moved_turned = state.moved, False
    if is_seen:
        moved, moved_turned = update_spell(state.moved, comparison.is_elsewhere, time_s, params.moved_s, params.over_s)
    view, new_view = _learn(state, look, params, is_seen=is_seen, is_elsewhere=comparison.is_elsewhere)
    if new_view.looks * LOOK_S >= params.usual_s + params.moved_s:  # what it looks at now is what it looks at
        view, new_view, moved, moved_turned = new_view, View(), Spell(), moved.is_on
    ailments: list[Ailment] = []
    spells = (
        (Black, state.black, black, black_turned),
        (Frozen, state.frozen, frozen, frozen_turned),
        (Covered, state.covered, covered, covered_turned),
        (Moved, state.moved, moved, moved_turned),
    )
    for kind, before, after, has_turned in spells:
        if has_turned:
            since_s = after.began_s if after.began_s is not None else before.began_s
            ailments.append(kind(frame.utc, time_s, time_s if since_s is None else since_s, is_over=not after.is_on))
    height, width = look.grey.shape
    shift = comparison.shift and (comparison.shift[0] * width, comparison.shift[1] * height)
    ailments = [replace(ailment, shift_px=shift) if isinstance(ailment, Moved) else ailment for ailment in ailments]
    return HealthState(time_s, stillness, view, new_view, frozen, black, covered, moved), ailments


def _learn(
    state: HealthState, look: Look, params: HealthParams, *, is_seen: bool, is_elsewhere: bool
) -> tuple[View, View]:
    """Returns the usual view and the new one, of which only the one that fits the look is learned from it."""
    usual_looks = params.usual_s / float(LOOK_S)
    if not is_seen:
        return state.view, state.new_view
    if not is_elsewhere:
        return learn_view(state.view, look.edges, look.detail, usual_looks), View()
    if compare_view(state.new_view, look.edges).is_elsewhere:  # it goes on moving
        return state.view, learn_view(View(), look.edges, look.detail, usual_looks)
    return state.view, learn_view(state.new_view, look.edges, look.detail, usual_looks)
