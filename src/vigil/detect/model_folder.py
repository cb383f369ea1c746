"""Where a model and its calibration lie: what can be said before the libraries are loaded that open them."""

from pathlib import Path

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
        raise VigilError(f"{model}: no trained model. Known: {', '.join(names) or 'none'}.{near_miss(model, names)}")
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


def is_model(folder: Path) -> bool:
    """Whether it holds one of the models that judge; the detector of people has a config of another layout."""
    if not (folder / CONFIG).exists():
        return False
    config = read_json(folder / CONFIG)
    return isinstance(config, dict) and "model" in config
