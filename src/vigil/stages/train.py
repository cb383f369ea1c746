"""DVC stage `train`: one model, from the features it declares, chosen by the validation split.

Reads   <train>, <val>               videos of the two splits; the test split is not opened
        <features>                   data/<input> of the model, with settings.json
        <truth>/<set>/<v>.npz        maps of what moves, for a model that learns them
        models/pretrained            published weights, where the model's settings name some
Writes  <out>/weights.safetensors    the best weights; of several members all
        <out>/config.json            what it takes to run them; see checkpoint.py
        <out>/history.png            losses and metric of every epoch, as a picture
        <table>                      the same as a table

A training that was killed goes on from its last complete epoch, and ends with the same bytes.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from vigil.core import lineage, settings
from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.core.storage import read_json, sha256_file
from vigil.engine.stage_runner import run_stage
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.training.schedules import Train, merged

Params = Train
FEW = 500  # sequences; with fewer a model learns its examples by heart
HARMLESS = {"workers", "report_every"}  # settings of the training that change no result


class Entry(Frozen):
    """A model in params.yaml; the other keys are its Config."""

    input: str
    classes: dict[str, tuple[str, ...]]
    train: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """All that decides the result."""

    model: str
    kind: Any  # its module
    entry: Entry
    config: Any
    wanted: Train
    features: lineage.Lineage


def main(
    *,
    model: str,
    train: Path,
    val: Path,
    features: Path,
    truth: Path,
    out: Path,
    table: Path,
    params: Params,
    models: Mapping[str, Any],
) -> None:
    from vigil.engine import tracking
    from vigil.models import checkpoint
    from vigil.training import devices, fit, history

    began = time.monotonic()
    job = read(model, models, params, features)
    learned, judged, data_hash = samples(job, video_table.read(train), video_table.read(val), features, truth)
    devices.say(f"{model}: {len(learned)} sequences to learn from, {len(judged)} to validate on")
    if len(learned) < FEW:
        devices.say(
            f"{model}: warning: fewer than {FEW} sequences to learn from: it may learn them by heart. Add videos, or "
            "look at the gap between the two losses in history.png.",
            warn=True,
        )
    networks = [built(job, number) for number in range(getattr(job.config, "members", 1))]
    key = identity(job, data_hash, networks)
    resume = settings.home() / "resume" / key
    known = {"train": job.wanted.model_dump(), "config": job.config.model_dump(mode="json"), "input": job.entry.input}
    tags = {"model": model, "data_hash": data_hash, "stage_hash": key}
    fitted = []
    with tracking.training(model, known, tags, resume / "run") if settings.first() else nullcontext(None) as run:
        for number, network in enumerate(networks):
            own = job.wanted.model_copy(update={"seed": job.wanted.seed + number})
            name = model if len(networks) == 1 else f"{model}, member {number + 1}"
            fitted.append(
                fit.fit(
                    network,
                    len(job.entry.classes),
                    learned,
                    judged,
                    own,
                    name,
                    resume / f"{number}.pt",
                    partial(_tell, run, number),
                )
            )
        if run is None:
            return
        card = checkpoint.Card(
            model=model,
            config=job.config,
            classes=job.entry.classes,
            clip=networks[0].clip,
            input=job.entry.input,
            features=job.features,
            data_hash=data_hash,
            seed=job.wanted.seed,
            best=[each.best for each in fitted],
            epochs=[len(each.history) for each in fitted],
        )
        digest = checkpoint.save(out, card, [each.weights for each in fitted])
        rows, best = [each.history for each in fitted], card.best
        history.write(table, rows)
        history.picture(out / "history.png", rows, best, str(best[0]["metric"]))
        values = {key: float(value) for key, value in best[0].items() if key != "metric" and value is not None}
        run.done(digest, {f"best_{key}": value for key, value in values.items()}, [out / "history.png"])
    shutil.rmtree(resume, ignore_errors=True)
    told = "; ".join(
        f"epoch {one['epoch']}: val loss {one['loss']:.4g}"
        + ("" if one["value"] is None else f", val {one['metric'].replace('_', ' ')} {one['value']:.4g}")
        for one in best
    )
    print(f"{model}: best of {' + '.join(map(str, card.epochs))} epochs: {told}; {time.monotonic() - began:.0f} s")


def _tell(run: Any, member: int, row: Mapping[str, Any]) -> None:
    if run is not None:
        run.epoch(row, member)


def read(model: str, models: Mapping[str, Any], params: Train, features: Path) -> Job:
    """What params.yaml says of `model`, checked, and completed with what its features are."""
    from vigil.models import checkpoint

    where = f"params.yaml [models.{model}]"
    if not isinstance(models.get(model), Mapping):
        raise VigilError(f"{where}: no such model. Known: {', '.join(models)}.{near_miss(model, models)}")
    section = models[model]
    entry = Entry.read({key: section[key] for key in Entry.model_fields if key in section}, where)
    kind = checkpoint.module(model, where)
    own = {key: value for key, value in section.items() if key not in Entry.model_fields}
    if entry.input == "segments":
        own |= columns(features)
    config = kind.Config.read(own, where)
    wanted = merged(params, entry.train, f"params.yaml [models.{model}.train]")
    return Job(model, kind, entry, config, wanted, lineage.read(features))


def columns(folder: Path) -> dict[str, Any]:
    """What a model of segments has to know of them: how many features, and the range of those that are scaled."""
    path = folder / "train.npz"
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `dvc repro segments`.")
    with np.load(path, allow_pickle=False) as arrays:
        names = arrays["names"].tolist()
    ranges = read_json(folder / "scaler.json")
    scaled = [tuple(ranges[name]) for name in names if name in ranges]
    return {"features": len(names), "ranges": tuple(scaled) or None}


def samples(job: Job, train: list[Video], val: list[Video], features: Path, truth: Path) -> tuple[Any, Any, str]:
    """What to learn from, what to validate on, and the digest of both."""
    from vigil.clips import sampling
    from vigil.training.batches import Subset

    clip = job.kind.Model(job.config, len(job.entry.classes)).clip
    shared = {
        "fps": job.features.get("frames", {}).get("fps"),
        "truth": truth if clip.target == "cells" else None,
        "seed": job.wanted.seed,
    }
    learned, judged = (
        sampling.dataset(job.entry.input, features, videos, job.entry.classes, clip, train=train_, **shared)
        for videos, train_ in ((train, True), (val, False))
    )
    files = [features / f"{split}.npz" for split in ("train", "val")]
    if not all(path.exists() for path in files):
        names = sorted({*learned.videos, *judged.videos})
        files = [path for name in names for end in (".npy", ".npz") if (path := features / f"{name}{end}").exists()]
        if clip.target == "cells":
            files += [path for name in names if (path := truth / f"{name}.npz").exists()]
    told = [repr((list(each.videos), each.labels.tolist(), each.places.tolist())) for each in (learned, judged)]
    digest_ = digest([job.features, *told, *map(sha256_file, files)])
    if clip.target == "itself":  # what it should know by heart is class 0 alone
        normal = np.flatnonzero(judged.labels == 0)
        if not len(normal):
            name = next(iter(job.entry.classes))
            raise VigilError(
                f"the validation split has nothing of '{name}': add such a video with a source of its own."
            )
        return learned, Subset(judged, normal), digest_
    return learned, judged, digest_


def built(job: Job, number: int) -> Any:
    """The network of one member before training."""
    import torch

    from vigil.training import devices

    with devices.steady(job.wanted):
        torch.manual_seed(job.wanted.seed + number)
        network = job.kind.Model(job.config, len(job.entry.classes))
        if hasattr(network, "initialise") and (line := network.initialise()) and number == 0:
            devices.say(line)
    return network


def identity(job: Job, data_hash: str, networks: Iterable[Any]) -> str:
    """Of the training: two that have it in common end with the same bytes."""
    import torch

    from vigil.clips import sampling
    from vigil.engine.code_version import code_version
    from vigil.training import devices, fit

    start = hashlib.sha256()
    for network in networks:
        for tensor in network.state_dict().values():
            start.update(tensor.numpy().tobytes())
    return digest(
        [
            job.model,
            job.config.model_dump(mode="json"),
            job.wanted.model_dump(exclude=HARMLESS),
            list(job.entry.classes),
            data_hash,
            start.hexdigest(),
            [code_version(each) for each in (job.kind.Model, fit.fit, sampling.dataset)],
            devices.accelerator(job.wanted),
            torch.__version__,
        ]
    )


def digest(values: list[Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    run_stage("train", main)
