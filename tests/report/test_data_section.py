"""What the report says about the data."""

from verdicts import card

from vigil.report.data_section import contents


def told(shortcuts: dict[str, object]) -> str:
    return "".join(str(part) for part in contents({**card(), "shortcuts": shortcuts}) if part is not None)


def test_shortcuts_that_could_not_be_measured_are_told_with_the_reason() -> None:
    """As the card of a small set has them: a sentence in place of numbers."""
    reason = "not measured: 8 videos from 7 sources"
    text = told({"small": reason, "large": {"length": {"auc": 0.5, "accuracy": 0.2, "chance": 0.2}}})
    assert f"small: shortcuts {reason}." in text
    assert "large: length" in text
    assert "Shortcuts in the data" not in told({"small": reason})
