"""What `dvc metrics` prints, by DVC itself."""

import io
import subprocess
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from vigil.core.storage import read_json
from vigil.report.headlines import headline_numbers, write_headlines

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # DVC's own
ALARMS = {
    "event_recall": {"value": 0.654321},
    "false_alarms_per_hour": {"value": 182.41234},
    "alarmed_share": {"value": 0.1},
}
MODELS = ("activity", "crime_gate", "crime_type", "i3d", "panic", "pose_cnn", "pose_lstm")


def summary(value: float = 0.987654) -> dict[str, Any]:
    model = {"headline": "video_auc", "value": value, "low": 0.1, "high": 0.99, **ALARMS}
    return {"models": dict.fromkeys(MODELS, model), "fused": model}


def features() -> dict[str, Any]:
    return {
        "data": {
            "splits": {"train": {"videos": 94, "hours": 0.25}, "val": {"videos": 50, "hours": 0.125}, "test": {}},
            "leaks": {"found": 0},
        },
        "person": {"map50": {"person": {"value": 0.8983}}},
        "landmarks": {key: {"value": 0.5} for key in ("recall_one", "pck_torso", "false_people_per_frame")},
        "flow": {"texture": {"end_point_error_median_px": 0.0279}},
    }


def test_a_model_has_the_value_that_it_is_known_by_and_how_it_does_as_an_alarm() -> None:
    numbers = headline_numbers(summary(), {})["models"]["panic"]
    assert numbers == {"value": 0.9877, "event_recall": 0.6543, "false_per_hour": 182.4123, "alarmed": 0.1}


def test_each_stage_of_features_has_its_few_numbers() -> None:
    headlines = headline_numbers(summary(), features())
    assert headlines["data"] == {"videos": {"value": 144}, "hours": {"value": 0.375}, "leaks": {"value": 0}}
    assert headlines["person"] == {"map50_person": {"value": 0.8983}}
    assert headlines["flow"] == {"error_px": {"value": 0.0279}} and len(headlines["landmarks"]) == 3


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    lost = {"headline": "cell_auc", "value": None, "event_recall": {"value": None}}
    write_headlines(tmp_path, {"models": {"activity": lost}}, {"landmarks": {"recall_one": {"value": None}}})
    assert not tmp_path.exists()


def test_what_is_gone_leaves_no_file(tmp_path: Path) -> None:
    write_headlines(tmp_path, summary(), features())
    assert read_json(tmp_path / "models/fused.json")["value"] == 0.9877
    write_headlines(tmp_path, {"models": {}}, features())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "flow", "landmarks", "person"]


@pytest.mark.parametrize("command", [["show"], ["diff", "HEAD"]])
def test_what_dvc_prints_fits_a_screen(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where every number of every model changed."""
    from dvc.cli import main

    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    subprocess.run(["git", "init", "-q"], check=True)
    assert main(["init", "-q"]) == 0
    Path("dvc.yaml").write_text("metrics: [metrics/headline]\n")
    write_headlines(Path("metrics/headline"), summary(), features())
    subprocess.run(["git", "add", "."], check=True)
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-qm", "a"], check=True)
    changed = summary(0.8)
    for metric, value in (("event_recall", 0.7), ("false_alarms_per_hour", 1234.5)):
        changed["fused"][metric] = {"value": value}
    write_headlines(Path("metrics/headline"), changed, features())
    with redirect_stdout(io.StringIO()) as printed:
        assert main(["metrics", *command]) == 0
    lines = printed.getvalue().splitlines()
    assert len(lines) == {"show": 17, "diff": 25}[command[0]]
    assert max(map(len, lines)) <= 100
