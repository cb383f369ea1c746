"""The project of tests/detect, for whole commands."""

from pathlib import Path

import pytest
from commands import PARAMS_YAML
from judged_city import calibrate_, city

from judging import save_model


@pytest.fixture
def models() -> Path:
    """A calibrated model of maps and one that attends."""
    city()
    for name in ("activity", "crime_gate"):
        save_model(name, seed=len(name))
        calibrate_(name)
        Path("models/calibration/m.json").rename(f"models/calibration/{name}.json")
    Path("params.yaml").write_text(PARAMS_YAML)
    return Path("models")
