"""Trains all members of a model, one after the other, and logs each epoch to a run of MLflow."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from vigil.models.blocks.layers import Predictions
from vigil.training import pictures
from vigil.training.batches import Samples
from vigil.training.fit import FittedModel, fit
from vigil.training.job import TrainingJob
from vigil.training.resume import EndState


def train_members(
    job: TrainingJob,
    networks: Sequence[Any],
    train: Samples,
    val: Samples,
    resume: Path,
    run: Any,
    earlier: Sequence[EndState] | None = None,
) -> list[FittedModel]:
    """Trains each network from a seed of its own, or on from where it was `earlier`; `run` logs epochs."""

    def report(member: int, row: Mapping[str, Any]) -> None:
        if run is not None:
            run.log_epoch(row, member)

    def show(member: int, epoch: int, x: Tensor, y: Tensor, predictions: Predictions) -> None:
        path = resume / f"member-{member}-epoch-{epoch:04}.png"
        if run is not None and pictures.draw_samples(path, x, y, predictions, networks[member].clip.target):
            run.log_picture(path)

    fitted = []
    for member, network in enumerate(networks):
        params = job.params.model_copy(update={"seed": job.params.seed + member})
        title = job.model if len(networks) == 1 else f"{job.model}, member {member + 1}"
        class_count = len(job.entry.classes)
        state, end = resume / f"{member}.pt", earlier[member] if earlier else None
        for row in end.progress.history if end is not None and not state.exists() else ():
            report(member, row)
        fitted.append(
            fit(
                network,
                class_count,
                train,
                val,
                params,
                job.model,
                resume=state,
                report=partial(report, member),
                earlier=end,
                show=partial(show, member),
                title=title,
            )
        )
    return fitted
