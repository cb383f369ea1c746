"""The drawn city as a dataset: its sources, its params, and what is written of its frames and its truth."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays
from vigil.engine.per_video import Runtime
from vigil.footage import sources
from vigil.footage.datasets import sample
from vigil.footage.video import reading
from vigil.stages import download

SERIAL = Runtime(executor="serial", workers=1, timeout_s=60, address=None)
QUICK = "house-3-normal-wait"
ELSEWHERE = (
    "import sys; from pathlib import Path; from vigil.footage.datasets.sample import draw;"
    "draw('tiny', 7, sys.argv[1], Path('b.mp4'), Path('b.npz'))"
)


def test_a_source_changes_when_its_video_would() -> None:
    first, second = (sample.sources("sample", sample.Params(scale="tiny", seed=seed)) for seed in (7, 8))
    assert [s.path for s in first] == sorted(s.path for s in first) == [s.path for s in second]
    assert not {s.sha256 for s in first} & {s.sha256 for s in second}


def test_a_scale_that_does_not_exist_is_named() -> None:
    with pytest.raises(VigilError, match=r"datasets\.sample: scale = 'tinny'.*Did you mean 'tiny'"):
        sample.Params.read({"scale": "tinny", "seed": 1}, "datasets.sample")


def test_a_video_is_the_same_to_the_byte_in_another_process() -> None:
    sample.draw("tiny", 7, QUICK, Path("a.mp4"), Path("a.npz"))
    subprocess.run([sys.executable, "-c", ELSEWHERE, QUICK], check=True, env=os.environ | {"PYTHONHASHSEED": "1"})
    assert Path("a.mp4").read_bytes() == Path("b.mp4").read_bytes()
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()


def test_tiny_is_drawn_with_truth_for_every_frame(tmp_path: Path) -> None:
    """Some of it, through the loop that download uses."""
    params = sample.Params(scale="tiny", seed=7)
    listed = [s for s in sample.sources("city", params) if s.path.endswith(("theft", "assault", "robbery", "talk"))]
    raw, truth_folder = tmp_path / "data/raw", tmp_path / "data/truth"
    listing = sample.videos("city", params, listed, raw, truth_folder, SERIAL)
    assert not listing.rejects
    assert [row.video for row in listing.rows] == [f"city/{s.path}" for s in listed]
    assert {row.label for row in listing.rows} == {"theft", "assault", "Robbery", "normal"}
    for row in listing.rows:
        facts = reading.probe(tmp_path / row.path)
        truth = load_arrays(truth_folder / f"{row.video}.npz")
        assert len(truth["cells"]) == facts.frames
        assert truth["frame"].max() < facts.frames
        assert (np.diff(truth["frame"]) >= 0).all()
        assert (truth["boxes"][:, 2:] > truth["boxes"][:, :2]).all()
        assert (truth["boxes"] <= np.tile([facts.width, facts.height], 2)).all()
        acting = np.unique(truth["frame"][truth["active"]]) / facts.fps
        assert (len(acting) > 0) == bool(row.spans)
        for start, stop in row.spans:
            assert start <= acting.min() <= start + 1
            assert acting.max() < stop
            assert stop <= facts.duration_s
        seen = truth["joints"][..., 2] == 1
        inside = (truth["joints"][..., :2] >= truth["boxes"][:, None, :2] - 1).all(-1)
        inside &= (truth["joints"][..., :2] <= truth["boxes"][:, None, 2:] + 1).all(-1)
        assert inside[seen].all()


def test_the_summary_calls_a_video_reused_only_when_it_was_not_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    data = Path("data")
    section = {"city": {"kind": "sample", "scale": "tiny", "seed": 7}}
    sources.sync(section, data / "sources.csv")
    few = [line for line in (data / "sources.csv").read_text().splitlines() if "walk" in line or line.startswith("set")]
    (data / "sources.csv").write_text("\n".join(few) + "\n")
    for summary in ("1 videos: 1 done, 0 reused", "1 videos: 0 done, 1 reused"):
        download.main(
            sources=data / "sources.csv",
            raw=data / "raw",
            truth=data / "truth",
            videos=data / "videos.csv",
            rejects=data / "rejects.csv",
            params=download.Params(min_frames=16, max_reject_share=0.2),
            datasets=section,
            runtime=Runtime(executor="serial", workers=1, timeout_s=60.0, address=None),
        )
        assert summary in capsys.readouterr().out
        (data / "videos.csv").unlink()
