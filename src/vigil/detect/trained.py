"""Which trained models run, and how each raises its alarm: loaded from a project's folder `models`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vigil.core.errors import VigilError
from vigil.core.storage import sha256_file
from vigil.detect.alarm_words import refuse_both
from vigil.detect.alerts import Provenance
from vigil.detect.budgets import rule_for_fused, rule_for_model
from vigil.detect.frozen_model import FrozenModel, find_gate, load_frozen_model
from vigil.detect.model_choice import (
    FUSED,
    FUSION,
    Runtime,
    check_calibrations,
    list_models,
    list_running,
    onnx_path,
    read_fusion_record,
)
from vigil.detect.model_folder import read_config
from vigil.detect.onnx.networks import open_model
from vigil.detect.thresholds import choose_rule
from vigil.evaluation.fusion import Fusion
from vigil.judging.calibration import Calibration
from vigil.judging.pieces import PieceJudge, make_piece_judge
from vigil.judging.scoring import score_type_of
from vigil.models.checkpoint import Checkpoint, load_checkpoint
from vigil.statistics.alerts import Rule


@dataclass(frozen=True)
class Alarm:
    """When a detector raises an alert, and what made it."""

    calibration: Calibration
    rule: Rule
    provenance: Provenance

    def at(self, threshold: str | None) -> "Alarm":
        """The same, at what a user has written; None: at the frozen threshold."""
        rule, by_hand = choose_rule(self.calibration, threshold)
        made_by = replace(self.provenance, threshold=rule.threshold, by_hand=by_hand, budget_per_hour=None)
        return Alarm(self.calibration, rule, made_by)


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that runs. One that names crimes has no alarm, and names those of the model that it is behind."""

    name: str
    frozen: FrozenModel
    judge: PieceJudge
    alarm: Alarm | None
    names_for: str | None = None  # the model whose alerts it names

    @property
    def input(self) -> str:
        """The kind of features that it looks at."""
        return self.frozen.checkpoint.card.input


@dataclass(frozen=True, eq=False)
class Fused:
    """The detector that hears several models."""

    fusion: Fusion
    alarm: Alarm


def load_models(
    models: Path,
    names: Sequence[str],
    calibrations: Mapping[str, Path],
    threshold: str | None,
    budget: float | None = None,
    runtime: Runtime = "torch",
) -> tuple[list[Trained], Fused | None]:
    """The models of `names`, with those that a fused detector among them hears, and that one.

    Where a gate runs, so does the model that names what it raises.
    """
    refuse_both(threshold, budget)
    fused = read_fusion(models, threshold, budget) if FUSED in names else None
    running = list_running(models, names)
    check_calibrations(running, calibrations)
    trained = [
        _load(models, name, calibrations.get(name), threshold, budget if name in names else None, runtime)
        for name in [*running, *_find_namers(models, running)]
    ]
    if fused:
        _check_members(fused, trained, models / FUSION)
    return trained, fused


def _find_namers(models: Path, running: Sequence[str]) -> list[str]:
    """Models that are not among those that run, and were trained behind one of these: they name what it raises."""
    gates = {load_checkpoint(models / name).sha256 for name in running}
    cards = {name: read_config(models / name) for name in list_models(models) if name not in running}
    return [name for name, card in cards.items() if card["features"].get("attended", {}).get("gate") in gates]


def read_fusion(models: Path, threshold: str | None, budget: float | None = None) -> Fused:
    """The fused detector that stage `compare` has fitted."""
    path, record = models / FUSION, read_fusion_record(models)
    fusion = Fusion.read(record["fusion"], f"{path}: fusion")
    contents = dict(record["calibration"])
    frozen_sha256 = contents.pop("sha256", None)
    calibration = Calibration.from_json(contents, str(path))
    if calibration.sha256 != frozen_sha256:
        raise VigilError(f"{path}: changed since it was frozen. Run `dvc repro compare`.")
    rule, by_hand = choose_rule(calibration, threshold)
    if budget is not None:
        rule = rule_for_fused(fusion, calibration, models, budget)
    made_by = Provenance(sha256_file(path), calibration.sha256, rule.threshold, by_hand, budget)
    return Fused(fusion, Alarm(calibration, rule, made_by))


def _load(
    models: Path,
    name: str,
    calibration: Path | None,
    threshold: str | None,
    budget: float | None,
    runtime: Runtime,
) -> Trained:
    frozen = load_frozen_model(str(models / name), calibration)
    checkpoint, step = frozen.checkpoint, frozen.calibration.params.step
    attended = checkpoint.card.input == "attended"
    gate = load_checkpoint(find_gate(frozen)) if attended else None
    alarm = None
    if score_type_of(checkpoint) != "classes":
        rule, by_hand = choose_rule(frozen.calibration, threshold)
        if budget is not None:
            rule = rule_for_model(frozen, models, budget)
        made_by = Provenance(checkpoint.sha256, frozen.calibration.sha256, rule.threshold, by_hand, budget)
        alarm = Alarm(frozen.calibration, rule, made_by)
    judge = make_piece_judge(_run_by(runtime, models, checkpoint), step, gate and _run_by(runtime, models, gate))
    return Trained(name, frozen, judge, alarm, gate.card.model if gate else None)


def _run_by(runtime: Runtime, models: Path, checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with a model that `runtime` runs."""
    if runtime == "torch":
        return checkpoint
    return replace(checkpoint, model=open_model(onnx_path(models, checkpoint.card.model), checkpoint))


def _check_members(fused: Fused, trained: Sequence[Trained], path: Path) -> None:
    """VigilError where the fused detector was fitted on what other calibrations said."""
    sha256 = {model.name: model.frozen.calibration.sha256 for model in trained}
    for name, expected in zip(fused.fusion.models, fused.fusion.calibrations, strict=True):
        if sha256[name] != expected:
            raise VigilError(
                f"{path}: fitted with another calibration of {name} ({expected[:12]}; this is {sha256[name][:12]}). "
                "Run `dvc repro compare`, or name models without 'fused'."
            )
