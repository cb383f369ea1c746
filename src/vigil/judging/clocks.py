"""The clock by which a model is fed; see core/clock.py."""

from fractions import Fraction

from vigil.core.clock import exact_fraction
from vigil.features.segments.segments import Settings
from vigil.models.checkpoint import Card


def clock_rate(card: Card) -> Fraction:
    """Returns its ticks a second, those of the features that the model was trained on."""
    if card.input == "segments":
        return segment_settings(card).rate
    return exact_fraction(float(card.features["frames"]["fps"]))


def segment_settings(card: Card) -> Settings:
    """Returns how the segments were cut that the model was trained on."""
    made_with = card.features["segments"]
    return Settings.read({name: made_with[name] for name in Settings.model_fields}, f"{card.model}: its segments")
