"""Which detectors a user may name and which run by default, from the files of a folder `models` alone.

What is wrong with a choice is said before the libraries are loaded that run models, which takes seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from vigil.core.errors import VigilError, near_miss
from vigil.core.skipping import why_skipped
from vigil.core.storage import read_json, sha256_file, sha256_json
from vigil.detect.model_folder import (
    CONFIG,
    WEIGHTS,
    calibration_path,
    find_calibration,
    find_model_folder,
    read_config,
)

# As evaluation/fusion.py and judging/calibration.py have them, which take seconds to import:
FUSED = "fused"
CALIBRATE_AGAIN = "Calibrate again: `vigil repro` does, or `vigil calibrate` for one camera."
FUSION = "fusion.json"
TRAIN_FIRST = "Run `vigil repro`, which trains and calibrates them."
LOOKING_AT_PEOPLE = frozenset({"flow", "segments", "masked"})  # inputs that are made of people
Runtime = Literal["torch", "onnx"]


def list_models(models: Path) -> list[str]:
    """Names of the models in a folder that are trained and calibrated, sorted."""
    if not models.is_dir():
        return []
    names = sorted(path.parent.name for path in models.glob(f"*/{CONFIG}"))
    return [name for name in names if is_ready(models, name)]


def is_ready(models: Path, name: str) -> bool:
    """Whether a model is trained and has a calibration."""
    calibration = calibration_path(models / name)
    return calibration.exists() and not why_skipped(models / name) and not why_skipped(calibration)


def has_fused(models: Path) -> bool:
    """Whether there is a fused detector. One whose file is broken is there, and refused when it is to run."""
    path = models / FUSION
    try:
        record = read_json(path) if path.exists() else {}
    except VigilError:
        return True
    return not isinstance(record, dict) or "fusion" in record


def read_fusion_record(models: Path) -> dict[str, Any]:
    """What stage `compare` has written of the fused detector; VigilError where it is not that."""
    path = models / FUSION
    if not path.exists():
        raise VigilError(f"{path}: not found. {TRAIN_FIRST}")
    advice = "Run `dvc repro compare`, or name models without 'fused'."
    try:
        record = read_json(path)
    except VigilError as error:
        raise VigilError(f"{str(error).rstrip('.')}. {advice}") from None
    if isinstance(record, dict) and "skipped" in record:
        raise VigilError(f"{path}: {record['skipped']}. {TRAIN_FIRST}")
    sections = [record.get(key) if isinstance(record, dict) else None for key in ("fusion", "calibration")]
    members = sections[0].get("models") if isinstance(sections[0], dict) else None
    if not all(isinstance(section, dict) for section in sections) or not isinstance(members, list):
        raise VigilError(f"{path}: not what stage `compare` writes: expected `fusion` and `calibration`. {advice}")
    return dict(record)


def choose_models(models: Path, names: Sequence[str] | None) -> list[str]:
    """The detectors to run: those that are named, else the fused one, else all that there are."""
    ready = list_models(models)
    if not ready:
        raise VigilError(f"{models}: no trained model. {TRAIN_FIRST}")
    available = [*ready, *([FUSED] if has_fused(models) else [])]
    if not names:
        return [FUSED] if has_fused(models) else ready
    if list(names) == ["all"]:
        return available
    for name in names:
        if name not in available:
            skipped = why_skipped(models / name) if (models / name).is_dir() else None
            reason = f"skipped: {skipped.removesuffix('.')}" if skipped else f"not a trained model in {models}"
            raise VigilError(f"{name}: {reason}. Known: {', '.join(available)}.{near_miss(name, available)}")
    return list(dict.fromkeys(names))


def list_running(models: Path, names: Sequence[str]) -> list[str]:
    """The models that run for the detectors of `names`: these, and those that a fused one hears."""
    heard = read_fusion_record(models)["fusion"]["models"] if FUSED in names else []
    return sorted({*names, *heard} - {FUSED})


def check_calibrations(running: Sequence[str], calibrations: Iterable[str]) -> None:
    """VigilError where a calibration is of a model that does not run."""
    for name in calibrations:
        if name not in running:
            raise VigilError(
                f"calibration of {name}, which does not run here; what runs: {', '.join(running)}."
                + near_miss(name, running)
            )


def check_choice(
    models: Path, names: Sequence[str] | None, calibrations: Mapping[str, Path], runtime: Runtime
) -> list[str]:
    """The models that will run for a choice; VigilError where its files say that they cannot."""
    running = list_running(models, choose_models(models, names))
    check_calibrations(running, calibrations)
    for name in running:
        folder = find_model_folder(name, models)
        read_config(folder)
        check_calibration_file(find_calibration(folder, calibrations.get(name)), folder)
        if name in calibrations:
            _check_weights(calibrations[name], folder)
        if runtime == "onnx" and not onnx_path(models, name).exists():
            raise VigilError(f"{onnx_path(models, name)}: not found. Run `vigil export {name}`.")
    return running


def check_calibration_file(path: Path, folder: Path) -> None:
    """VigilError unless the file is a calibration, as it was written; the model in `folder` is for the advice."""
    try:
        record = read_json(path)
    except VigilError as error:
        raise VigilError(f"{error} Expected a calibration, as `vigil calibrate {folder.name}` writes it.") from None
    if reason := why_skipped(path):
        raise VigilError(f"{path}: there is no calibration: {reason}")
    written = record.get("sha256") if isinstance(record, dict) else None
    if written is None or "score_type" not in record:
        raise VigilError(f"{path}: not a calibration, or one of an earlier vigil. {CALIBRATE_AGAIN}")
    contents = {key: value for key, value in record.items() if key != "sha256"}
    if sha256_json(contents) != written:
        raise VigilError(
            f"{path}: changed since it was frozen ({sha256_json(contents)[:12]}, it says {str(written)[:12]}). "
            f"{CALIBRATE_AGAIN}"
        )


def _check_weights(calibration: Path, folder: Path) -> None:
    """VigilError where a user's calibration is of other weights than those in `folder`."""
    expected, weights = read_json(calibration).get("model_sha256"), folder / WEIGHTS
    if weights.exists() and (actual := sha256_file(weights)) != expected:
        raise VigilError(
            f"{calibration}: made for weights {str(expected)[:12]}, those of {folder.name} are {actual[:12]}. "
            f"{CALIBRATE_AGAIN}"
        )


def raises_alarm(models: Path, name: str) -> bool:
    """Whether a model raises alerts; one that only names classes does not."""
    return bool(read_json(calibration_path(models / name)).get("score_type") != "classes")


def looks_at_people(models: Path, name: str) -> bool:
    """Whether people are looked for where a model runs."""
    return read_config(models / name)["input"] in LOOKING_AT_PEOPLE


def onnx_path(models: Path, name: str) -> Path:
    """Where a model of a folder of models is, as ONNX."""
    return models / "onnx" / f"{name}.onnx"
