"""Training is shown of a recording what judging is fed, whatever the camera's rate and wherever it pauses."""

from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from footage import CLASSES, FOLDER, filmed, frames, video
from vigil.clips import sampling
from vigil.features.frames import FrameArchive
from vigil.features.times import write_times
from vigil.judging.items import Picture
from vigil.judging.judges import WindowJudge
from vigil.judging.pieces import PieceJudge
from vigil.models.blocks.layers import Clip

TIMES = [*(Fraction(number, 6) for number in range(20)), *(90 + Fraction(number, 4) for number in range(12))]


class Weigher(nn.Module):
    """Judges a clip by its ticks, each of which counts ten times as much as the one before."""

    def __init__(self, clip: Clip) -> None:
        super().__init__()
        self.clip = clip
        self.weights = nn.Parameter(10.0 ** torch.arange(clip.frames), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return (x.flatten(2).mean(dim=2).nan_to_num(7.0) * self.weights).sum(dim=1)  # 7: nothing is known

    def judge(self, output: Tensor, x: Tensor) -> dict[str, Tensor]:
        return {"window": output}


def scores_of(model: Weigher, samples: sampling.ClipDataset, video_name: str) -> list[float]:
    rows = np.flatnonzero(samples.videos == video_name).tolist()
    return [float(model(samples[row]["x"][None])) for row in rows]


def scores_judged(model: Weigher, kind: str, items: Any) -> list[float]:
    judge = PieceJudge(
        WindowJudge(model, "weigher", kind, 8.0, 0.5), "held" if kind == "frames" else "newest", Fraction(8)
    )
    return [judgement.score for judgement in judge.judge_all(items, TIMES)]


def test_pictures_of_slow_cameras_are_held_in_training_as_they_are_judged() -> None:
    clip = Clip(4, 8, size=32)
    crime = filmed(video("two", "Arson", [(0, 99)]), len(TIMES), times=TIMES)
    samples = frames([filmed(video("one"), len(TIMES), times=TIMES), crime], clip, train=False)
    model = Weigher(clip)
    archive = FrameArchive(FOLDER / "a/one.npz")
    judged = scores_judged(model, "frames", map(Picture, archive.jpegs()))
    assert len(judged) == 6 + 5  # 26 ticks of 3.17 s, and 23 of 2.75 s
    assert judged == scores_of(model, samples, "a/one")


def test_flow_of_slow_cameras_in_training_is_that_which_is_judged() -> None:
    clip = Clip(8, size=8, target="itself")
    planes = np.random.default_rng(1).integers(-127, 128, (len(TIMES), 3, 8, 8)).astype(np.int8)
    for name in ("one", "two"):
        FOLDER.joinpath("a").mkdir(parents=True, exist_ok=True)
        np.save(FOLDER / f"a/{name}.npy", planes)
        write_times(FOLDER / f"a/{name}.npz", TIMES)
    videos = [video("one"), video("two")]
    samples = sampling.make_dataset("flow", FOLDER, videos, CLASSES, clip, train=False, fps=8.0)
    model = Weigher(clip)
    assert scores_judged(model, "flow", planes) == scores_of(model, samples, "a/one")


def test_changes_of_slow_cameras_in_training_are_those_that_are_judged() -> None:
    clip = Clip(8)
    changes = np.random.default_rng(1).gamma(2.0, size=(len(TIMES), 2, 3)).astype(np.float16)
    changes[0] = np.nan
    for name in ("one", "two"):
        FOLDER.joinpath("a").mkdir(parents=True, exist_ok=True)
        np.save(FOLDER / f"a/{name}.npy", changes)
        write_times(FOLDER / f"a/{name}.npz", TIMES)
    videos = [video("one"), video("two")]
    samples = sampling.make_dataset("trunk", FOLDER, videos, CLASSES, clip, train=False, fps=8.0)
    assert tuple(samples[0]["x"].shape) == (8, 6) and torch.isnan(samples[0]["x"][0]).all()
    model = Weigher(clip)
    assert scores_judged(model, "trunk", changes) == scores_of(model, samples, "a/one")
