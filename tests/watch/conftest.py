"""The project of tests/detect, for whole commands."""

from pathlib import Path

import pytest
from commands import PARAMS_YAML
from judged_city import add_calibrated_model, city


@pytest.fixture
def models() -> Path:
    """A calibrated model of maps and one that attends."""
    city()
    for name in ("activity", "crime_gate"):
        add_calibrated_model(name)
    Path("params.yaml").write_text(PARAMS_YAML)
    return Path("models")
