"""A project with calibrated models in it, which have learnt nothing and still must say the same wherever they run."""

from pathlib import Path

import pytest
from commands import PARAMS_YAML
from judged_city import calibrate_, city

from judging import save_model


def calibrate_model(name: str, kind: str = "frames") -> None:
    """Adds a calibrated model to the project."""
    save_model(name, seed=len(name))
    calibrate_(name, kind)
    Path("models/calibration/m.json").rename(f"models/calibration/{name}.json")


@pytest.fixture
def models() -> Path:
    """Three that look at frames."""
    city()
    for name in ("activity", "crime_gate", "i3d"):
        calibrate_model(name)
    Path("params.yaml").write_text(PARAMS_YAML)
    return Path("models")
