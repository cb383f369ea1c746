"""Clips of one or more folders with all their features, made by the stages of the pipeline in one folder.

<folder>/clips.csv, raw/, frames/, landmarks/, flow/, trunk/, truth/    as in data/ of a project
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vigil.benchmark.fights.setup import Setup
from vigil.core.errors import VigilError
from vigil.core.storage import read_table
from vigil.engine.per_video import Runtime
from vigil.footage import sources, video_table
from vigil.footage.video_table import Video
from vigil.stages import download, flow, frames, landmarks, person, trunk, weights

PRESET = "preset fights"


def read_dataset(params: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Returns the section of the preset's dataset, for clips that lie in `folder`."""
    if not folder.is_dir():
        raise VigilError(f"{folder}: {'not a folder' if folder.exists() else 'not found'}. Name a folder of clips.")
    (section,) = params["datasets"].values()
    return dict(section) | {"path": str(folder.resolve())}


def make_features(
    folder: Path, datasets: Mapping[str, Mapping[str, Any]], params: Mapping[str, Any], runtime: Runtime
) -> list[Video]:
    """Brings the clips of all datasets in, and computes what models look at; the store has what is done."""
    videos, raw = folder / "clips.csv", folder / "raw"
    _bring_in(folder, datasets, params, runtime)
    _bring_networks(folder, params)
    landmarks.main(
        videos=videos,
        raw=raw,
        frames=folder / "frames",
        person=folder / "person",
        pretrained=folder / "pretrained",
        out=folder / "landmarks",
        params=landmarks.Params.read(params["landmarks"], f"{PRESET} [landmarks]"),
        runtime=runtime,
    )
    flow.main(
        videos=videos,
        raw=raw,
        frames=folder / "frames",
        landmarks=folder / "landmarks",
        out=folder / "flow",
        params=flow.Params.read(params["flow"], f"{PRESET} [flow]"),
        runtime=runtime,
    )
    if any(model["input"] == "trunk" for model in params["models"].values()):
        trunk.main(
            frames=folder / "frames",
            pretrained=folder / "pretrained",
            out=folder / "trunk",
            params=trunk.Params.read(params["trunk"], f"{PRESET} [trunk]"),
            runtime=runtime,
        )
    return video_table.read(videos)


def _bring_in(
    folder: Path, datasets: Mapping[str, Mapping[str, Any]], params: Mapping[str, Any], runtime: Runtime
) -> None:
    """Lists the clips of all datasets, and stores their frames."""
    videos, raw = folder / "clips.csv", folder / "raw"
    sources.sync(datasets, folder / "sources.csv")
    download.main(
        sources=folder / "sources.csv",
        raw=raw,
        truth=folder / "truth",
        videos=videos,
        rejects=folder / "rejects.csv",
        params=download.Params.read(params["download"], f"{PRESET} [download]"),
        datasets=datasets,
        runtime=runtime,
    )
    frames.main(videos, raw, folder / "frames", frames.Params.read(params["frames"], f"{PRESET} [frames]"), runtime)


def _bring_networks(folder: Path, params: Mapping[str, Any]) -> None:
    """Fetches the networks that find people, or trains one where the preset says so."""
    weights.main(folder / "pretrained", weights.Params.read(params["weights"], f"{PRESET} [weights]"))
    person.main(
        frames=folder / "frames",
        truth=folder / "truth",
        train=folder / "clips.csv",
        val=folder / "clips.csv",
        out=folder / "person",
        metrics=folder / "person.json",
        params=person.Params.read(params["person"], f"{PRESET} [person]"),
    )


def report_rejects(folder: Path, dataset: str, setup: Setup) -> None:
    """Names each clip that cannot be used, which no number counts."""
    for reject in read_table(folder / "rejects.csv"):
        if reject["path"].startswith(f"{dataset}/"):
            setup.say(f"fights: left out: {reject['path']}: {reject['reason']}")
