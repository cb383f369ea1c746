"""A project with calibrated models in it, which have learnt nothing and still must say the same wherever they run."""

from pathlib import Path

import pytest
from commands import PARAMS_YAML
from judged_city import add_calibrated_model, city


@pytest.fixture
def models() -> Path:
    """Three that look at frames."""
    city()
    for name in ("activity", "crime_gate", "i3d"):
        add_calibrated_model(name)
    Path("params.yaml").write_text(PARAMS_YAML)
    return Path("models")
