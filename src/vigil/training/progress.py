"""A bar over all epochs, for a person at a terminal."""

from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback


class Bar(Callback):
    """On stderr; gone when the training is done. What is printed meanwhile appears above it."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.progress = Progress(
            TextColumn(name, markup=False),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    def on_train_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        steps = trainer.num_training_batches
        self.task = self.progress.add_task(
            "", total=pl_module.wanted.epochs * steps, completed=pl_module.epoch * steps, told=""
        )
        self.progress.start()

    def on_train_batch_end(self, trainer: lightning.Trainer, pl_module: Any, *_: Any) -> None:  # noqa: ARG002
        loss = pl_module.sums["loss"].item() / max(1, pl_module.trainer.fit_loop.batch_idx + 1)
        told = f"epoch {pl_module.epoch + 1} of {pl_module.wanted.epochs}, loss {loss:.4g}"
        self.progress.update(self.task, advance=1, told=told)

    def on_train_end(self, *_: Any) -> None:
        self.progress.stop()

    def on_exception(self, *_: Any) -> None:
        self.progress.stop()
