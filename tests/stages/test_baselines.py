"""Trees learn from the training split, and say of every frame of the others how probable each label is."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from judging import DATA, video
from vigil.core.lineage import record
from vigil.core.storage import load_arrays
from vigil.evaluation.flow_trees import LabelProbabilities, load_forest
from vigil.features.times import write_times
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.stages import baselines

PARAMS = baselines.Params(window_s=1.0, windows=500, trees=10, leaf=2, seed=7)
OUT, SCORES = Path("models/baselines"), Path("data/baselines")
TABLES = {split: Path(f"data/manifest/{split}.csv") for split in ("train", "val", "test")}
FRAMES = 40


def city(flow: bool = True) -> None:
    """Calm videos, and ones in which everything runs from second 2 to 4; 8 stored frames a second."""
    rng = np.random.default_rng(0)
    for split, path in TABLES.items():
        videos = [
            video(f"{split}-{n}-calm", "normal", split=split, frames=FRAMES, source=f"{split}-{n}") for n in range(3)
        ]
        videos += [video(f"{split}-{n}-run", "panic", [(2, 4)], split, FRAMES, f"{split}-{n}") for n in range(3)]
        video_table.write(path, videos)
        for one in videos if flow else ():
            write_features(one, rng)
    record(DATA / "flow", "flow", {"clip": 64.0})


def write_features(one: Video, rng: np.random.Generator) -> None:
    statistics = rng.normal(0.05, 0.01, (FRAMES, 4)).astype(np.float32)
    if one.abnormal:
        statistics[16:32] += 0.8
    statistics[0] = np.nan
    path = DATA / f"flow/{one.video}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_times(path, [Fraction(number, 8) for number in range(FRAMES)], statistics=statistics)


def run() -> None:
    baselines.main(**TABLES, flow=DATA / "flow", out=OUT, scores=SCORES, params=PARAMS)


def test_frames_of_panic_are_told_from_calm_ones_and_the_same_bytes_come_again() -> None:
    city()
    contents = []
    for _ in range(2):
        run()
        contents.append([path.read_bytes() for path in (OUT / "flow_trees.npz", *sorted(SCORES.iterdir()))])
    assert contents[0] == contents[1]
    assert load_forest(OUT / "flow_trees.npz").labels.tolist() == ["normal", "panic"]
    for split in ("val", "test"):
        trees = LabelProbabilities.read(SCORES / f"{split}.npz")
        assert len(trees.by_video) == 6
        run_probability = next(part for name, part in trees.by_video.items() if name.endswith("0-run"))[:, 1]
        assert np.isnan(run_probability[:8]).all(), "a window takes a second"
        assert run_probability[24:32].min() > 0.8 > 0.2 > run_probability[8:15].max()


def test_the_test_split_is_opened_when_the_trees_are_complete() -> None:
    city()
    TABLES["test"].unlink()
    with pytest.raises(Exception, match="test"):
        run()
    assert load_forest(OUT / "flow_trees.npz").labels.tolist() == ["normal", "panic"]


def test_without_flow_the_tables_say_that_there_are_no_trees(capsys: pytest.CaptureFixture[str]) -> None:
    city(flow=False)
    run()
    assert "there are no trees" in capsys.readouterr().out
    assert not (OUT / "flow_trees.npz").exists()
    assert all(not len(load_arrays(SCORES / f"{split}.npz")["labels"]) for split in ("val", "test"))
