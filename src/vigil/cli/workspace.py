"""The stages of the pipeline on videos that are not the project's, in a folder that is gone afterwards.

The folder is laid out like data/. Its features are made by the `main` of each stage, in the order of the pipeline, with
the settings that the model was trained with, which its checkpoint holds. What the stages compute of a video stays in
the project's store, so that the same videos cost little the next time.
"""

import contextlib
import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from vigil.cli.sections import read_runtime
from vigil.core import lineage, settings
from vigil.core.errors import VigilError
from vigil.core.storage import load_arrays, save_arrays
from vigil.detect.frozen_model import FrozenModel, find_gate
from vigil.engine.per_video import Runtime, finish_folder, run_per_video
from vigil.features import trunk as changes
from vigil.features.landmarks.choices import weights_digests
from vigil.features.segments.columns import Scaler, segment_features
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.judging.scoring import Sources, build_table
from vigil.judging.stored import Arrays
from vigil.stages import context, flow, frames, landmarks, masked, segments, trunk

TOO_FEW = "segments to train on"  # what stage `segments` warns of where nothing is trained


@contextlib.contextmanager
def temporary_workspace() -> Iterator[Path]:
    """An empty folder for the length of the block, in which what stages print goes to stderr."""
    settings.home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home(), prefix="workspace-") as folder:
        with contextlib.redirect_stdout(sys.stderr):
            yield Path(folder)


def score_videos(model: FrozenModel, videos: Sequence[Video], data: Path) -> Arrays:
    """Make the features of the videos that lie in `data`, and score them; see judging/scoring.py for the table."""
    card = model.checkpoint.card
    if card.input != "segments" and not any(video.pictures for video in videos):
        raise VigilError(f"{model.name}: looks at pictures, and these are landmarks alone. Take a pose model.")
    make_features(model, videos, data)
    gate = find_gate(model) if card.input == "attended" else None
    features = data / ("frames" if gate else card.input)
    sources = Sources(features, data / "context", data / "truth", "test", gate)
    return build_table(model.checkpoint, videos, sources, model.calibration.judging_params, read_runtime())


def make_features(model: FrozenModel, videos: Sequence[Video], data: Path) -> None:
    """The stages from `frames` to `context`, of those that the model needs; the videos are its test split."""
    made_with, where, runtime = model.checkpoint.card.features, f"{model.name}: trained with", read_runtime()
    table, nothing = data / "videos.csv", data / "train.csv"
    video_table.write(table, videos)
    video_table.write(nothing, [])  # no video is learnt from
    frame_params = frames.Params.read(made_with["frames"], f"{where} frames")
    frames.main(table, data / "raw", data / "frames", frame_params, runtime)
    if "landmarks" in made_with:
        if any(video.pictures for video in videos):
            _track_people(model, data, runtime)
        else:
            _convert_landmarks(data, runtime)
    if model.checkpoint.card.input == "flow":
        flow_params = flow.Params.read(made_with["flow"], f"{where} flow")
        flow.main(
            videos=table,
            raw=data / "raw",
            frames=data / "frames",
            landmarks=data / "landmarks",
            out=data / "flow",
            params=flow_params,
            runtime=runtime,
        )
    if model.checkpoint.card.input == "trunk":
        _see_changes(model, data, runtime)
    if model.checkpoint.card.input == "segments":
        _cut_segments(model, data, runtime)
    if model.checkpoint.card.input == "masked":
        masked.main(
            videos=table,
            frames=data / "frames",
            landmarks=data / "landmarks",
            out=data / "masked",
            params=masked.Params.read(made_with["masked"], f"{where} masked"),
            runtime=runtime,
        )
    context.main(table, nothing, data / "frames", data / "landmarks", data / "flow", data / "context", runtime)


def _track_people(model: FrozenModel, data: Path, runtime: Runtime) -> None:
    """Stage `landmarks`, with the very networks that it ran when the model was trained."""
    made_with = dict(model.checkpoint.card.features["landmarks"])
    digests = list(made_with.pop("weights"))
    params = landmarks.Params.read(made_with, f"{model.name}: trained with landmarks")
    person, pretrained = (settings.root() / "models" / name for name in ("person", "pretrained"))
    if list(weights_digests(params, person, pretrained)) != digests:
        raise VigilError(
            f"{model.name}: trained on landmarks of other networks than those in models/person and models/pretrained. "
            "Bring those back (`dvc checkout`), or train it again."
        )
    landmarks.main(
        videos=data / "videos.csv",
        raw=data / "raw",
        frames=data / "frames",
        person=person,
        pretrained=pretrained,
        out=data / "landmarks",
        params=params,
        runtime=runtime,
    )


def _see_changes(model: FrozenModel, data: Path, runtime: Runtime) -> None:
    """Stage `trunk`, with the very networks that it ran when the model was trained."""
    made_with = dict(model.checkpoint.card.features["trunk"])
    pretrained = settings.root() / "models/pretrained"
    changes.require_networks(pretrained, made_with.pop("weights"))
    params = trunk.Params.read(made_with, f"{model.name}: trained with trunk")
    trunk.main(frames=data / "frames", pretrained=pretrained, out=data / "trunk", params=params, runtime=runtime)


def _convert_landmarks(data: Path, runtime: Runtime) -> None:
    """The part of stage `landmarks` that is for landmarks without pictures, which needs no network to be there."""
    items = landmarks.list_tables(data / "videos.csv", data / "raw", data / "landmarks")
    finish_folder(
        "landmarks", data / "landmarks", run_per_video("landmarks", landmarks.convert_table, items, None, runtime)
    )
    lineage.record(data / "landmarks", "landmarks", {}, data / "frames")


def _cut_segments(model: FrozenModel, data: Path, runtime: Runtime) -> None:
    """Stage `segments`, and then its features anew, scaled to the range that the model was trained on."""
    made_with = dict(model.checkpoint.card.features["segments"])
    scaler = Scaler.of(made_with.pop("scaler"))
    params = segments.Params.read(made_with, f"{model.name}: trained with segments")
    with contextlib.redirect_stderr(io.StringIO()) as messages:
        segments.main(
            train=data / "train.csv",
            val=data / "train.csv",
            test=data / "videos.csv",
            frames=data / "frames",
            landmarks=data / "landmarks",
            truth=data / "truth",
            out=data / "segments",
            params=params,
            runtime=runtime,
        )
    for line in messages.getvalue().splitlines():
        if TOO_FEW not in line:
            print(line, file=sys.stderr)
    path = data / "segments/test.npz"
    arrays = load_arrays(path)
    save_arrays(path, **arrays | {"x": segment_features(arrays, params, scaler)})
