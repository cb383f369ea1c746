"""What an alert is about at its most abnormal frame, from what the models judged of it."""

from collections.abc import Mapping, Sequence

from vigil.detect.alerts import Finding
from vigil.detect.findings import describe, name_crime
from vigil.detect.frame_scores import ModelState
from vigil.detect.model_choice import FUSED
from vigil.detect.trained import Trained


def explain_peak(
    models: Sequence[Trained],
    detector: str,
    states: Mapping[str, ModelState],
    size: tuple[int, int],
    members: Mapping[str, float],
    before: Finding,
) -> Finding:
    """What a detector's alert is about; `before` where there is nothing new.

    The fused detector's finding is that of the model it heeds most, and a crime is named where the gate agrees with it.
    """
    agreeing = {detector}
    if detector == FUSED:
        if not members:
            return before
        detector = max(members, key=lambda member: members[member])
        agreeing = {detector, *(member for member, odds in members.items() if odds > 0)}
    model = next(model for model in models if model.name == detector)
    judgement = states[detector].newest
    if judgement is None:
        return before
    finding = describe(model.frozen.checkpoint.card, model.frozen.calibration, judgement, size)
    for namer in models:
        if namer.names_for in agreeing:
            of_alert = [other for other in states[namer.name].recent if other.stop > judgement.start]
            finding = name_crime(namer.frozen.checkpoint.card, namer.frozen.calibration, of_alert, finding)
    return finding
