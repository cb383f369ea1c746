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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigil.core import settings
from vigil.core.errors import NoExamples
from vigil.core.skipping import FILE, skip_folder
from vigil.core.storage import sha256_file, sha256_json
from vigil.engine.stage_results import Result, new_result, restore_result
from vigil.engine.stage_runner import run_stage
from vigil.training.job import TrainingJob, read_job
from vigil.training.samples import SplitSamples, read_samples
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
    from vigil.models import checkpoint
    from vigil.training import training_file, warm_start

    began = time.monotonic()
    job = read_job(model, models, params, features)
    start = warm_start.find_warm_start(job.params, model, out)
    try:
        samples = read_samples(job, train, val, features, truth)
    except NoExamples as error:
        skip_model(model, str(error), out, table)
        return
    (out / FILE).unlink(missing_ok=True)
    announce_samples(model, samples)
    training = prepare_training(job, samples, start)
    files = (checkpoint.WEIGHTS, checkpoint.CONFIG, training_file.FILE, PICTURE)
    outputs = {name: out / name for name in files} | {TABLE: table}
    restored = restore_result(training.key, outputs)
    if not settings.is_first_process():  # a process that only trains along
        if restored is None:
            training.fit(None)
        return
    result = track_training(training, outputs, restored)
    shutil.rmtree(training.resume, ignore_errors=True)
    announce_result(job, result, time.monotonic() - began, was_restored=restored is not None)


@dataclass(frozen=True, eq=False)
class PreparedTraining:
    """Networks as they are before the first epoch, with all that decides what becomes of them."""

    job: TrainingJob
    samples: SplitSamples
    networks: Sequence[Any]
    earlier: Sequence[Any] | None  # where each network goes on from; None: from the beginning
    key: str  # of the result in the store

    @property
    def resume(self) -> Path:
        """The folder with the state after the last epoch of a training that was killed."""
        return settings.home() / "resume" / self.key

    def fit(self, run: Any) -> Sequence[Any]:
        """Trains all members; `run` (see engine/tracking.py) is told."""
        from vigil.training.members import train_members

        samples = self.samples.train, self.samples.val
        return train_members(self.job, self.networks, *samples, self.resume, run, self.earlier)


def prepare_training(job: TrainingJob, samples: SplitSamples, start: Any) -> PreparedTraining:
    """Makes the networks of all members; they begin from `start`, a WarmStart, where there is one."""
    from vigil.training import warm_start

    members = range(getattr(job.config, "members", 1))
    networks = [build_network(job, member, random=start is not None) for member in members]
    earlier = warm_start.begin_from(start, networks, job.model, samples.sha256, job.params) if start else None
    key = result_key(job, samples.sha256, networks, [start.key, start.sha256] if start else None)
    return PreparedTraining(job, samples, networks, earlier, key)


def track_training(training: PreparedTraining, outputs: Mapping[str, Path], restored: Result | None) -> Result:
    """Trains, unless the result was `restored`; either way the run is recorded."""
    from vigil.engine import tracking
    from vigil.models import checkpoint

    job, data_hash = training.job, training.samples.sha256
    run_params = {
        "train": job.params.model_dump(),
        "config": job.config.model_dump(mode="json"),
        "input": job.entry.input,
    }
    tags = {"model": job.model, "data_hash": data_hash, "stage_hash": training.key}
    if restored is not None:
        tags["restored"] = "true"
    with tracking.training(job.model, run_params, tags, training.resume / "run") as run:
        if restored is None:
            fitted = training.fit(run)
            with new_result(training.key, outputs) as (folder, result):
                result |= write_model(folder, job, training.networks[0].clip, data_hash, fitted)
        else:
            result = restored
            for member, rows in enumerate(result["histories"]):
                for row in rows:
                    run.log_epoch(row, member)
        best = result["best"][0]
        best_values = {
            f"best_{name}": float(value) for name, value in best.items() if name != "metric" and value is not None
        }
        run.log_result(sha256_file(outputs[checkpoint.WEIGHTS]), best_values, [outputs[PICTURE]])
    return result


def announce_samples(model: str, samples: SplitSamples) -> None:
    """Says how many samples there are, and warns of few."""
    from vigil.training.devices import say

    say(f"{model}: {len(samples.train)} sequences to learn from, {len(samples.val)} to validate on")
    if len(samples.train) < FEW_SAMPLES:
        say(
            f"{model}: warning: fewer than {FEW_SAMPLES} sequences to learn from: it may learn them by heart. Add "
            f"videos, or look at the gap between the two losses in {PICTURE}.",
            warn=True,
        )


def announce_result(job: TrainingJob, result: Result, seconds: float, *, was_restored: bool) -> None:
    """Says which epoch of each member is kept, and what it is worth."""
    from vigil.training import history

    origin = "restored from the store: " if was_restored else ""
    epochs = " + ".join(str(len(rows)) for rows in result["histories"])
    summary = "; ".join(history.describe_best(member_best) for member_best in result["best"])
    print(f"{job.model}: {origin}{job.params.keep} of {epochs} epochs: {summary}; {seconds:.0f} s")


def skip_model(model: str, reason: str, out: Path, table: Path) -> None:
    """Say in the outputs why there is no model, and on the screen."""
    from vigil.training import history
    from vigil.training.devices import say

    if settings.is_first_process():
        skip_folder(out, reason)
        history.write_history(table, [])
        say(f"{model}: skipped: {reason}", warn=True)


def build_network(job: TrainingJob, member: int, *, random: bool) -> Any:
    """The network of one member before training; `random`: published weights are not asked for."""
    import torch

    from vigil.training import devices

    with devices.make_repeatable(job.params):
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
