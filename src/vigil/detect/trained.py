"""Which trained models run, and how each raises its alarm: loaded from a project's folder `models`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vigil.core.errors import VigilError, near_miss
from vigil.core.skipping import why_skipped
from vigil.core.storage import read_json, sha256_file
from vigil.detect.alerts import Provenance
from vigil.detect.budgets import rule_for_fused, rule_for_model
from vigil.detect.frozen_model import FrozenModel, find_gate, load_frozen_model
from vigil.detect.model_folder import CONFIG
from vigil.detect.onnx.networks import Runtime, onnx_path, open_model
from vigil.detect.thresholds import choose_rule
from vigil.evaluation.fusion import Fusion
from vigil.judging.calibration import Calibration
from vigil.judging.pieces import PieceJudge, make_piece_judge
from vigil.judging.scoring import score_type_of
from vigil.models.checkpoint import Checkpoint, load_checkpoint
from vigil.statistics.alerts import Rule

FUSED = "fused"
FUSION = "fusion.json"
TRAIN_FIRST = "Run `vigil repro`, which trains and calibrates them."


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


def list_models(models: Path) -> list[str]:
    """Names of the models in a folder that are trained and calibrated, sorted."""
    if not models.is_dir():
        return []
    names = sorted(path.parent.name for path in models.glob(f"*/{CONFIG}"))
    return [name for name in names if is_ready(models, name)]


def is_ready(models: Path, name: str) -> bool:
    """Whether a model is trained and has a calibration."""
    calibration = models / "calibration" / f"{name}.json"
    return calibration.exists() and not why_skipped(models / name) and not why_skipped(calibration)


def has_fused(models: Path) -> bool:
    """Whether there is a fused detector."""
    path = models / FUSION
    return path.exists() and not why_skipped(path) and "fusion" in read_json(path)


def choose_models(models: Path, names: Sequence[str] | None) -> list[str]:
    """The detectors to run: those that are named, else the fused one, else all that there are."""
    ready = list_models(models)
    if not ready:
        raise VigilError(f"{models}: no trained model. {TRAIN_FIRST}")
    known = [*ready, *([FUSED] if has_fused(models) else [])]
    if not names:
        return [FUSED] if has_fused(models) else ready
    if list(names) == ["all"]:
        return known
    for name in names:
        if name not in known:
            skipped = why_skipped(models / name) if (models / name).is_dir() else None
            reason = f"skipped: {skipped.removesuffix('.')}" if skipped else f"not a trained model in {models}"
            raise VigilError(f"{name}: {reason}. Known: {', '.join(known)}.{near_miss(name, known)}")
    return list(dict.fromkeys(names))


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
    if threshold is not None and budget is not None:
        raise VigilError("a threshold and a budget: each says where the alarm sounds; give one of them.")
    fused = read_fusion(models / FUSION, threshold, budget) if FUSED in names else None
    heard = set(fused.fusion.models) if fused else set()
    running = sorted({*names, *heard} - {FUSED})
    for name in calibrations:
        if name not in running:
            raise VigilError(
                f"calibration of {name}, which does not run here; what runs: {', '.join(running)}."
                + near_miss(name, running)
            )
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
    cards = {name: read_json(models / name / CONFIG) for name in list_models(models) if name not in running}
    return [name for name, card in cards.items() if card["features"].get("attended", {}).get("gate") in gates]


def read_fusion(path: Path, threshold: str | None, budget: float | None = None) -> Fused:
    """The fused detector that stage `compare` has fitted."""
    if reason := why_skipped(path) if path.exists() else "not found":
        raise VigilError(f"{path}: {reason}. {TRAIN_FIRST}")
    payload = read_json(path)
    fusion = Fusion.read(payload["fusion"], f"{path}: fusion")
    record = dict(payload["calibration"])
    frozen_sha256 = record.pop("sha256", None)
    calibration = Calibration.from_json(record, str(path))
    if calibration.sha256 != frozen_sha256:
        raise VigilError(f"{path}: changed since it was frozen. Run `dvc repro compare`.")
    rule, by_hand = choose_rule(calibration, threshold)
    if budget is not None:
        rule = rule_for_fused(fusion, calibration, path.parent, budget)
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
