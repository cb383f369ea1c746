"""A project with calibrated models in it, which have learnt nothing and still must say the same wherever they run."""

from pathlib import Path
from typing import Any

import pytest
from commands import PARAMS_YAML
from judged_city import add_calibrated_model, city
from judged_people import bring_networks


@pytest.fixture
def models() -> Path:
    """Three that look at frames."""
    city()
    for name in ("activity", "crime_gate", "i3d"):
        add_calibrated_model(name)
    Path("params.yaml").write_text(PARAMS_YAML)
    return Path("models")


@pytest.fixture
def lineage(people_networks: Path) -> dict[str, Any]:
    """How features are made with the networks that find people, which are there."""
    return bring_networks(people_networks)
