"""DVC stage `train`: one model, from the features it declares, chosen by the validation split.

Reads   <train>, <val>               videos of the two splits; the test split is not opened
        <features>                   data/<input> of the model, with settings.json
        <truth>/<set>/<v>.npz        maps of what moves, for a model that learns them
        models/pretrained            published weights, where the model's settings name some
        the files that train.start_from or train.resume_from names; DVC knows of their paths alone
Writes  <out>/weights.safetensors    the best weights; of several members all
        <out>/config.json            what it takes to run them; see checkpoint.py
        <out>/training.safetensors   what it takes to go on with more epochs; see training_file.py
        <out>/history.png            losses and metric of every epoch, as a picture
        <table>                      the same as a table
        <out>/skipped.json           instead of all these where there is nothing to learn from; the table is empty then

A training that was killed goes on from its last complete epoch, and ends with the same bytes. A training that was
finished before, with the same code, settings and videos to learn from, is restored from the store.
"""

import hashlib
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vigil.core import settings
from vigil.core.errors import NoExamples
from vigil.core.skipping import FILE, skip_folder, why_skipped
from vigil.core.storage import sha256_file, sha256_json
from vigil.engine.stage_results import Result, new_result, restore_result
from vigil.engine.stage_runner import run_stage
from vigil.footage import video_table
from vigil.footage.video_table import Video
from vigil.training.job import TrainingJob, read_job
from vigil.training.schedules import TrainParams

Params = TrainParams
FEW_SAMPLES = 500  # with fewer a model learns its examples by heart
HARMLESS = {"workers", "report_every", "pictures_every"}  # settings of the training that change no result
PATHS = {"start_from", "start_from_sha256", "resume_from", "resume_from_sha256"}  # of files whose contents count
PICTURE, TABLE = "history.png", "history.csv"


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
    from vigil.training import history, training_file, warm_start
    from vigil.training.devices import say
    from vigil.training.members import train_members

    began = time.monotonic()
    job = read_job(model, models, params, features)
    start = warm_start.find_warm_start(job.params, model, out)
    try:
        if reason := why_skipped(features):
            raise NoExamples(reason)
        to_learn, to_validate = (
            video_table.of_sets(video_table.read(path), job.entry.datasets) for path in (train, val)
        )
        train_samples, val_samples, data_hash = load_samples(job, to_learn, to_validate, features, truth)
    except NoExamples as error:
        skip_model(model, str(error), out, table)
        return
    (out / FILE).unlink(missing_ok=True)
    say(f"{model}: {len(train_samples)} sequences to learn from, {len(val_samples)} to validate on")
    if len(train_samples) < FEW_SAMPLES:
        say(
            f"{model}: warning: fewer than {FEW_SAMPLES} sequences to learn from: it may learn them by heart. Add "
            f"videos, or look at the gap between the two losses in {PICTURE}.",
            warn=True,
        )
    networks = [
        build_network(job, member, random=start is not None) for member in range(getattr(job.config, "members", 1))
    ]
    earlier = warm_start.begin_from(start, networks, model, data_hash, job.params) if start else None
    key = result_key(job, data_hash, networks, [start.key, start.sha256] if start else None)
    resume = settings.home() / "resume" / key
    outputs = {name: out / name for name in (checkpoint.WEIGHTS, checkpoint.CONFIG, training_file.FILE, PICTURE)} | {
        TABLE: table
    }
    result = restore_result(key, outputs)
    run_params = {
        "train": job.params.model_dump(),
        "config": job.config.model_dump(mode="json"),
        "input": job.entry.input,
    }
    tags = {"model": model, "data_hash": data_hash, "stage_hash": key}
    origin = ""
    if result is not None:
        tags, origin = tags | {"restored": "true"}, "restored from the store: "
    if not settings.first():  # a process that only trains along
        if result is None:
            train_members(job, networks, train_samples, val_samples, resume, None, earlier)
        return
    with tracking.training(model, run_params, tags, resume / "run") as run:
        if result is None:
            fitted = train_members(job, networks, train_samples, val_samples, resume, run, earlier)
            with new_result(key, outputs) as (folder, result):
                result |= write_model(folder, job, networks[0].clip, data_hash, fitted)
        else:
            for member, rows in enumerate(result["histories"]):
                for row in rows:
                    run.epoch(row, member)
        best = result["best"]
        best_values = {
            f"best_{name}": float(value) for name, value in best[0].items() if name != "metric" and value is not None
        }
        run.done(sha256_file(out / checkpoint.WEIGHTS), best_values, [out / PICTURE])
    shutil.rmtree(resume, ignore_errors=True)
    epochs = " + ".join(str(len(rows)) for rows in result["histories"])
    summary = "; ".join(history.describe_best(member_best) for member_best in best)
    print(f"{model}: {origin}{job.params.keep} of {epochs} epochs: {summary}; {time.monotonic() - began:.0f} s")


def skip_model(model: str, reason: str, out: Path, table: Path) -> None:
    """Say in the outputs why there is no model, and on the screen."""
    from vigil.training import history
    from vigil.training.devices import say

    if settings.first():
        skip_folder(out, reason)
        history.write_history(table, [])
        say(f"{model}: skipped: {reason}", warn=True)


def load_samples(
    job: TrainingJob, train: list[Video], val: list[Video], features: Path, truth: Path
) -> tuple[Any, Any, str]:
    """Samples to learn from, samples to validate on, and the digest of both."""
    from vigil.clips import sampling
    from vigil.training.batches import Subset

    clip = job.module.Model(job.config, len(job.entry.classes)).clip
    shared = {
        "fps": job.features.get("frames", {}).get("fps"),
        "truth": truth if clip.target == "cells" else None,
        "seed": job.params.seed,
        "snippets": job.params.bag,
    }
    train_samples, val_samples = (
        sampling.make_dataset(job.entry.input, features, videos, job.entry.classes, clip, train=is_train, **shared)
        for videos, is_train in ((train, True), (val, False))
    )
    data_hash = sha256_json(
        [
            job.features,
            *(describe_samples(samples) for samples in (train_samples, val_samples)),
            *hash_contents(job, (train_samples, val_samples), features, truth, clip.target),
        ]
    )
    if clip.target == "itself":  # what it should know by heart is the first class alone
        normal = np.flatnonzero(val_samples.labels == 0)
        if not len(normal):
            name = next(iter(job.entry.classes))
            raise NoExamples(
                f"the validation split has nothing of '{name}': add such a video with a source of its own."
            )
        return train_samples, Subset(val_samples, normal), data_hash
    return train_samples, val_samples, data_hash


def describe_samples(samples: Any) -> str:
    """Which samples there are: of which class, source and video, cut from where."""
    return repr((samples.strata.tolist(), samples.spans.tolist()))


def hash_contents(job: TrainingJob, splits: Sequence[Any], features: Path, truth: Path, target: str) -> Iterable[str]:
    """Digests of what the samples are cut from: of no video that the model does not learn from or is chosen by."""
    if job.entry.input == "segments":  # lie in one file with those of other videos and classes
        for samples in splits:
            contents = hashlib.sha256()
            for index in range(len(samples)):
                contents.update(samples[index]["x"].numpy().tobytes())
            yield contents.hexdigest()
        return
    names = sorted({name for samples in splits for name in samples.videos})
    files = [path for name in names for end in (".npy", ".npz") if (path := features / f"{name}{end}").exists()]
    if target == "cells":
        files += [path for name in names if (path := truth / f"{name}.npz").exists()]
    yield from map(sha256_file, files)


def build_network(job: TrainingJob, member: int, *, random: bool) -> Any:
    """The network of one member before training; `random`: published weights are not asked for."""
    import torch

    from vigil.training import devices

    with devices.repeatable(job.params):
        torch.manual_seed(job.params.seed + member)
        network = job.module.Model(job.config, len(job.entry.classes))
        if not random and hasattr(network, "initialise") and (line := network.initialise()) and member == 0:
            devices.say(line)
    return network


def result_key(job: TrainingJob, data_hash: str, networks: Iterable[Any], start: Sequence[str] | None = None) -> str:
    """Digest of all that decides the result: two trainings that share it end with the same bytes."""
    import torch

    from vigil.engine.code_version import WHOLE, code_version
    from vigil.training import devices

    weights = hashlib.sha256()
    for network in networks:
        for tensor in network.state_dict().values():
            weights.update(tensor.numpy().tobytes())
    accelerator = devices.choose_accelerator(job.params)
    return sha256_json(
        [
            job.model,
            job.config.model_dump(mode="json"),
            job.params.model_dump(exclude=HARMLESS | PATHS),
            [[name, list(labels)] for name, labels in job.entry.classes.items()],
            job.entry.datasets,
            data_hash,
            weights.hexdigest(),
            start,
            code_version(("vigil.stages.train", "main"), (f"vigil.models.{job.model}", WHOLE)),
            accelerator if accelerator == "cpu" else torch.cuda.get_device_name(),
            torch.__version__,
        ]
    )


def write_model(folder: Path, job: TrainingJob, clip: Any, data_hash: str, fitted: Sequence[Any]) -> Result:
    """Write all files of a trained model into `folder`; its histories and the best epoch of each member."""
    from vigil.models import checkpoint
    from vigil.training import history, training_file

    histories, best = [member.history for member in fitted], [member.best for member in fitted]
    card = checkpoint.Card(
        model=job.model,
        config=job.config,
        classes=job.entry.classes,
        datasets=job.entry.datasets,
        clip=clip,
        input=job.entry.input,
        features=job.features,
        data_hash=data_hash,
        seed=job.params.seed,
        best=best,
        epochs=[1 if job.params.keep == "last" else len(rows) for rows in histories],
    )
    checkpoint.save_checkpoint(folder, card, [member.weights for member in fitted])
    ends = training_file.SavedTraining(job.model, data_hash, [member.end for member in fitted])
    training_file.write_training(folder / training_file.FILE, ends)
    history.write_history(folder / TABLE, histories)
    history.draw_picture(folder / PICTURE, histories, best, str(best[0]["metric"]))
    return {"histories": histories, "best": best}


if __name__ == "__main__":
    run_stage("train", main)
