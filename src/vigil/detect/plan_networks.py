"""The networks that a plan of features needs: those that the models learnt by, and no others."""

from contextlib import ExitStack
from pathlib import Path

from vigil.core.errors import VigilError
from vigil.detect.frame_features import Plan
from vigil.features import trunk
from vigil.features.landmarks import estimators
from vigil.features.landmarks.choices import weights_digests


def open_finder(plan: Plan, trained: Path, stack: ExitStack) -> estimators.PeopleFinder | None:
    """What finds people, for as long as `stack` is open; None where no model looks at people."""
    if plan.landmarks is None:
        return None
    person, pretrained = trained / "person", trained / "pretrained"
    if weights_digests(plan.landmarks, person, pretrained) != plan.weights:
        raise VigilError(
            f"{pretrained}: other networks find people than when the models were trained. Run `vigil repro`."
        )
    return stack.enter_context(estimators.open_people(plan.landmarks, person, pretrained, plan.poses))


def open_look(plan: Plan, trained: Path) -> trunk.Look | None:
    """What sees changes; None where no model looks at them."""
    if plan.changes is None:
        return None
    trunk.require_networks(trained / "pretrained", plan.changes_weights)
    return trunk.open_look(plan.changes, trained / "pretrained")
