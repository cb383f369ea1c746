"""Fits any model: one LightningModule, one `fit`.

    fitted = fit(model, classes, train, val, settings, where="panic", resume=path)

What comes out is decided by model, samples and settings alone. A training that was interrupted goes on from its last
complete epoch and ends with the same bytes: every random number is a function of seed, epoch and place.
"""

import copy
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from vigil.core import settings
from vigil.core.errors import VigilError
from vigil.core.storage import replacing
from vigil.training import devices, norms, validation
from vigil.training.batches import Changed, InTurn, Numbered, Samples, Share, loader
from vigil.training.devices import say
from vigil.training.history import Row, line
from vigil.training.progress import Bar
from vigil.training.schedules import Plateau, Train, rate

DIGITS = 6  # of the numbers in the history
KEPT = (
    "steps",
    "epoch",
    "bad",
    "done",
    "history",
    "best",
    "worth",
    "best_weights",
)  # of a Learner, for a later process
DROPOUT = 2  # what random numbers are for; see batches.py


@dataclass(frozen=True)
class Fitted:
    """The weights that were best on the validation split, and how they came about."""

    weights: dict[str, Tensor]
    history: list[Row]
    best: dict[str, Any]  # epoch (from 1), metric (its name, or None), value, loss


class Learner(lightning.LightningModule):
    """A model while it learns. Its state at the end of each epoch is all that a later process needs to go on."""

    def __init__(
        self,
        model: Any,
        classes: int,
        train: Samples,
        val: Samples,
        wanted: Train,
        where: str,
        resume: Path | None,
        report: Callable[[Row], None],
    ) -> None:
        super().__init__()
        self.report = report
        self.model, self.classes, self.wanted, self.where, self.resume = model, classes, wanted, where, resume
        self.metric = validation.metric(model.clip, classes)
        self.learned, self.judged = Changed(train, copy.deepcopy(model).augment, wanted.seed), Numbered(val)
        self.counts = len(train), len(val)
        self.share: Share | None = None
        weighted = wanted.class_weights and model.clip.target == "class"
        self.register_buffer(
            "weight", validation.balanced(train.labels, classes) if weighted else None, persistent=False
        )
        self.ema = {name: value.detach().clone() for name, value in model.state_dict().items()} if wanted.ema else None
        self.aside: dict[str, Tensor] | None = None  # the weights themselves while those of `ema` are judged
        self.steps = self.epoch = self.bad = 0  # of the optimiser; complete epochs; epochs since the best
        self.done = False
        self.plateau = Plateau()
        self.history: list[Row] = []
        self.best: dict[str, Any] = {}
        self.worth: tuple[float, float] | None = None  # of the best: metric, then loss
        self.best_weights: dict[str, Tensor] = {}
        self.optimiser: dict[str, Any] | None = None  # its state, from an earlier process
        self.precision: dict[str, Any] = {}  # likewise
        self.sums: dict[str, Tensor] = {}  # of the parts of the loss over an epoch
        self.seen: list[validation.Part] = []

    # what is learnt from

    def train_dataloader(self) -> Any:
        wanted, ranks = self.wanted, self.trainer.world_size
        self.share = Share(self.counts[0], wanted.samples, wanted.batch, wanted.seed, self.trainer.global_rank, ranks)
        self.share.epoch = self.epoch
        return loader(self.learned, self.share, wanted.part, wanted.workers, pin=self.on_gpu)

    def val_dataloader(self) -> Any:
        part = self.wanted.part
        turn = InTurn(self.counts[1], part, self.trainer.global_rank, self.trainer.world_size)
        return loader(self.judged, turn, part, self.wanted.workers, pin=self.on_gpu)

    @property
    def on_gpu(self) -> bool:
        return self.trainer.strategy.root_device.type == "cuda"

    # learning

    def configure_optimizers(self) -> torch.optim.Optimizer:
        free = [each for each in self.model.parameters() if each.requires_grad]
        kind = torch.optim.Adam if self.wanted.optimiser == "adam" else torch.optim.AdamW
        decay = [each for each in free if each.ndim > 1], [each for each in free if each.ndim <= 1]
        groups = [
            {"params": each, "weight_decay": weight}
            for each, weight in zip(decay, (self.wanted.weight_decay, 0.0), strict=True)
            if each
        ]
        optimiser = kind(groups, lr=self.wanted.lr)
        if self.optimiser is not None:
            optimiser.load_state_dict(self.optimiser)
        return optimiser

    def on_fit_start(self) -> None:
        if self.trainer.world_size > 1:
            norms.share(self.model)
        if self.ema is not None:
            self.ema = {name: value.to(self.device) for name, value in self.ema.items()}
        self.trainer.precision_plugin.load_state_dict(self.precision)

    def on_train_epoch_start(self) -> None:
        key = np.random.SeedSequence([self.wanted.seed, DROPOUT, self.epoch, self.trainer.global_rank])
        torch.manual_seed(int(key.generate_state(1, np.uint64)[0]) >> 1)
        self.sums, self.seen = {}, []

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002  Lightning's name
        parts = self.wanted.accumulate
        steps = int(self.trainer.num_training_batches) // parts
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = rate(self.wanted, self.epoch, batch_idx // parts, steps, self.plateau)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        losses = self.model.loss(self.model(batch["x"]), batch, self.weight)
        self._refuse_nan(losses, f"step {batch_idx // self.wanted.accumulate + 1}", batch)
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0) + value.detach()
        return losses["loss"]

    @torch.no_grad()
    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002  Lightning's names
        if (batch_idx + 1) % self.wanted.accumulate:
            return
        self.steps += 1
        if self.ema is None:
            return
        keep = min(self.wanted.ema, (1 + self.steps) / (10 + self.steps))  # the first weights are soon forgotten
        for name, value in self.model.state_dict().items():
            mean = self.ema[name]
            if value.is_floating_point():
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)

    # validation

    def on_validation_epoch_start(self) -> None:
        if self.ema is not None:
            self.aside = {name: value.clone() for name, value in self.model.state_dict().items()}
            self.model.load_state_dict(self.ema)

    def validation_step(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002  Lightning's name
        output = self.model(batch["x"])
        losses = self.model.loss(output, batch, self.weight)
        self._refuse_nan(losses, "validation", batch)
        self.seen.append(validation.part(self.metric, batch, losses, self.model.judge(output, batch["x"])))

    def on_validation_epoch_end(self) -> None:
        if self.aside is not None:
            self.model.load_state_dict(self.aside)
            self.aside = None

    # the end of an epoch

    def on_train_epoch_end(self) -> None:
        row = self._row()
        self.history.append(row)
        value = row.get(f"val_{self.metric}")
        loss = float(row["val_loss"] or 0.0)
        worth = (-math.inf if value is None else value, -loss)
        if self.worth is None or worth > self.worth:
            self.worth = worth
            self.best = {"epoch": row["epoch"], "metric": self.metric, "value": value, "loss": loss}
            state = self.model.state_dict() if self.ema is None else self.ema
            self.best_weights = {name: each.detach().cpu().clone() for name, each in state.items()}
            self.bad = 0
        else:
            self.bad += 1
        self.plateau = self.plateau.after(loss, self.wanted)
        self.epoch += 1
        if self.share:
            self.share.epoch = self.epoch
        tired = 0 < self.wanted.patience <= self.bad
        self.done = tired or self.epoch == self.wanted.epochs
        self.trainer.should_stop = self.trainer.should_stop or tired
        self._save()
        if self.done or self.epoch % self.wanted.report_every == 0:
            say(f"{self.where}: {line(row, self.wanted.epochs, self.best['epoch'])}")
            if tired and self.epoch < self.wanted.epochs:
                say(f"{self.where}: no better for {self.bad} epochs: stopped (train.patience)")
        if settings.first():
            self.report(row)

    def _row(self) -> Row:
        trained = {name: value / self.trainer.num_training_batches for name, value in self.sums.items()}
        trained = {name: self.trainer.strategy.reduce(value, reduce_op="mean") for name, value in trained.items()}
        row: Row = {"epoch": self.epoch + 1, "lr": self.trainer.optimizers[0].param_groups[0]["lr"]}
        row |= {f"train_{name}": value.item() for name, value in trained.items()}
        seen = [self.seen]
        if self.trainer.world_size > 1:
            seen = [[] for _ in range(self.trainer.world_size)]
            torch.distributed.all_gather_object(seen, self.seen)
        row |= validation.summary(self.metric, [part for one in seen for part in one])
        return {key: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value for key, value in row.items()}

    def _refuse_nan(self, losses: Mapping[str, Tensor], place: str, batch: Mapping[str, Tensor]) -> None:
        if torch.isfinite(losses["loss"]):
            return
        parts = ", ".join(f"{name} {value.item():.4g}" for name, value in losses.items())
        if not torch.isfinite(batch["x"]).all():
            todo = "The features themselves have numbers that are none: make them again (`dvc repro --force`)."
        else:
            todo = f"Lower models.{self.where}.train.lr, or set train.clip (1.0, say), or take train.precision 32-true."
        raise VigilError(f"{self.where}: epoch {self.epoch + 1}, {place}: the loss is no number ({parts}). {todo}")

    # going on later

    def _save(self) -> None:
        if self.resume is None or self.trainer.global_rank:
            return
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.trainer.optimizers[0].state_dict(),
            "precision": self.trainer.precision_plugin.state_dict(),
            "ema": self.ema,
            "plateau": asdict(self.plateau),
            **{name: getattr(self, name) for name in KEPT},
        }
        with replacing(self.resume) as part:
            torch.save(state, part)

    def go_on(self) -> None:
        """Take up the state that an earlier process left, if there is one."""
        if self.resume is None or not self.resume.exists():
            return
        try:
            state = torch.load(self.resume, map_location="cpu", weights_only=True)
            self.model.load_state_dict(state["model"])
        except Exception as error:  # noqa: BLE001  a damaged file may fail in any way; without it all is well
            say(f"{self.where}: {self.resume} cannot be read ({type(error).__name__}): starts again", warn=True)
            return
        self.optimiser, self.plateau = state["optimiser"], Plateau(**state["plateau"])
        self.ema, self.precision = state["ema"], state["precision"]
        for name in KEPT:
            setattr(self, name, state[name])
        if not self.done:
            say(f"{self.where}: goes on after epoch {self.epoch}")


def fit(
    model: Any,
    classes: int,
    train: Samples,
    val: Samples,
    wanted: Train,
    where: str,
    resume: Path | None = None,
    report: Callable[[Row], None] = lambda _row: None,
) -> Fitted:
    """Train `model`, whose weights are then those of the last epoch; the best are returned.

    `where` is its name in params.yaml. `resume` is a file that holds the state at the end of the last epoch, and stays.
    `report` is given each new line of the history, in the first process.
    """
    device = devices.accelerator(wanted)
    learner = Learner(model, classes, train, val, wanted, where, resume, report)
    learner.go_on()
    if not learner.done:
        with devices.steady(wanted), devices.explained(where):
            if wanted.compile:
                if why := devices.uncompilable(device):
                    say(f"{where}: train.compile is off: {why}")
                else:
                    own = [each for each in model.modules() if type(each).compile is not nn.Module.compile]
                    for each in own or [model]:  # layers that know what of them is worth it, else all
                        each.compile(dynamic=False)  # a graph per shape: what came before does not choose among them
            callbacks = [Bar(where)] if sys.stderr.isatty() and settings.first() else []
            devices.trainer(wanted, device, wanted.epochs - learner.epoch, callbacks).fit(learner)
    return Fitted(learner.best_weights, learner.history, learner.best)
