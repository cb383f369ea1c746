"""What users write to say where alarms sound: a threshold (0.7, p95, budget), or a budget of false alarms (1/h)."""

import re

from vigil.core.errors import VigilError

PERCENTILES = ("p90", "p95", "p98")
BUDGET = "budget"
HOURS = {"h": 1.0, "d": 24.0, "w": 168.0}


def read_threshold(text: str) -> str | float:
    """A probability, one of PERCENTILES, or BUDGET."""
    word = str(text).strip().lower()
    if word in (*PERCENTILES, BUDGET):
        return word
    if re.fullmatch(r"\d*\.?\d+(e-?\d+)?", word) and 0 < float(word) < 1:
        return float(word)
    raise VigilError(
        f"threshold {text!r}: expected a probability between 0 and 1 (0.7), {', '.join(PERCENTILES)}, or {BUDGET}."
    )


def read_budget(text: str) -> float:
    """False alarms an hour, of `1/h`, `0.5/h`, `12/d` or `3/w`."""
    match = re.fullmatch(r"(\d*\.?\d+)\s*/\s*([hdw])", text.strip().lower())
    if match is None or not float(match[1]) > 0:
        raise VigilError(f"budget {text!r}: expected false alarms an hour, a day or a week, such as 1/h, 12/d or 3/w.")
    return float(match[1]) / HOURS[match[2]]


def refuse_both(threshold: str | None, budget: float | None) -> None:
    """VigilError where both say where the alarm sounds."""
    if threshold is not None and budget is not None:
        raise VigilError("a threshold and a budget: each says where the alarm sounds; give one of them.")
