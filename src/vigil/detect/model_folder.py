"""Where a model and its calibration lie: what can be said before the libraries are loaded that open them."""

from pathlib import Path
from typing import Any

from vigil.core import settings
from vigil.core.errors import VigilError, near_miss
from vigil.core.storage import read_json

# In the folder of every model; as models/checkpoint.py has them, which takes seconds to import.
CONFIG, WEIGHTS = "config.json", "weights.safetensors"


def find_model_folder(model: str, models: Path | None = None) -> Path:
    """By the model's name, in `models` or the project's folder of that name, or by the path of the folder itself."""
    models = models or settings.root() / "models"
    folder = Path(model) if is_model(Path(model)) else models / model
    if not is_model(folder):
        names = sorted(path.parent.name for path in models.glob(f"*/{CONFIG}") if is_model(path.parent))
        advice = (
            f"Known: {', '.join(names)}.{near_miss(model, names)}" if names else f"{models} has none: `vigil repro`."
        )
        raise VigilError(f"{model}: no trained model. {advice}")
    return folder


def calibration_path(folder: Path) -> Path:
    """Where the pipeline freezes the calibration of the model in `folder`."""
    return folder.with_name("calibration") / f"{folder.name}.json"


def find_calibration(folder: Path, calibration: Path | None = None) -> Path:
    """The calibration that is named, else the one that the pipeline froze for the model in `folder`."""
    path = calibration or calibration_path(folder)
    if not path.exists():
        advice = f"Run `dvc repro calibrate@{folder.name}`." if calibration is None else "Name a calibration's file."
        raise VigilError(f"{path}: not found. {advice}")
    return path


def read_config(folder: Path) -> dict[str, Any]:
    """What a training has written of a model; VigilError where it is not that."""
    path = folder / CONFIG
    advice = f"Restore it (`dvc checkout`), or run `dvc repro train@{folder.name}`."
    try:
        config = read_json(path)
    except VigilError as error:
        raise VigilError(f"{str(error).rstrip('.')}. {advice}") from None
    if not isinstance(config, dict) or not {"model", "input", "features"} <= config.keys():
        raise VigilError(f"{path}: not what a training writes. {advice}")
    return config


def is_model(folder: Path) -> bool:
    """Whether it holds one of the models that judge; the detector of people has a config of another layout.

    A config that is broken is taken for a model's, so that it stops nobody who asks for another.
    """
    if not (folder / CONFIG).exists():
        return False
    try:
        config = read_json(folder / CONFIG)
    except VigilError:
        return True
    return isinstance(config, dict) and "model" in config
