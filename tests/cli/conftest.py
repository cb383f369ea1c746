"""A project with a calibrated model in it."""

from pathlib import Path

import pytest
from commands import PARAMS_YAML
from judged_city import calibrate_, city

from judging import save_model


@pytest.fixture
def gate() -> Path:
    """A calibrated crime_gate in a project of its own."""
    city()
    folder = save_model("crime_gate")
    calibrate_("crime_gate")
    Path("models/calibration/m.json").rename("models/calibration/crime_gate.json")
    Path("params.yaml").write_text(PARAMS_YAML)
    return folder
