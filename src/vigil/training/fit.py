"""Fits any model: a plain loop over epochs, which can be killed at any time.

    fitted = fit(model, class_count, train, val, params, "panic", resume=path)

What comes out is decided by model, samples and params alone. A training that was interrupted goes on from its last
complete epoch and ends with the same bytes: every random number is a function of seed, epoch and position.
"""

import contextlib
import copy
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from vigil.core import settings
from vigil.models.blocks.layers import Predictions
from vigil.training import devices, norms, processes, validation
from vigil.training.averaging import WeightAverage
from vigil.training.batches import (
    DROPOUT_STREAM,
    AugmentedSamples,
    EpochSampler,
    NumberedSamples,
    Samples,
    ValidationSampler,
    make_loader,
)
from vigil.training.devices import say
from vigil.training.draws import epoch_length, order_by_source, order_samples
from vigil.training.freezing import freeze_layers
from vigil.training.history import Row, describe_epoch
from vigil.training.losses import LossModule, refuse_nan
from vigil.training.optimiser import load_memory, make_optimiser, read_memory
from vigil.training.pictures import spread_samples
from vigil.training.progress import progress_bar
from vigil.training.resume import EndState, Progress, load_state, save_state
from vigil.training.schedules import TrainParams, learning_rate

FIGURES = 6  # significant ones, of the numbers in the history
Batch = dict[str, Tensor]
Show = Callable[[int, Tensor, Tensor, Predictions], None]  # epoch (from 1), x, y, what the model says of x


@dataclass(frozen=True)
class FittedModel:
    """The weights that are kept, as a rule those that were best on the validation split, and how they came about."""

    weights: dict[str, Tensor]
    history: list[Row]
    best: dict[str, Any]  # epoch (from 1), metric (its name, or None), value, loss
    end: EndState | None = None  # with which a training of more epochs can go on


def fit(
    model: Any,
    class_count: int,
    train: Samples,
    val: Samples,
    params: TrainParams,
    name: str,
    resume: Path | None = None,
    report: Callable[[Row], None] = lambda _row: None,
    earlier: EndState | None = None,
    show: Show | None = None,
    title: str | None = None,
) -> FittedModel:
    """Trains `model`, whose weights are then those of the last epoch; `params.keep` says which are returned.

    `name` is the model's in params.yaml, and `title` what messages call it, unless that is its name. `resume` is a file
    that holds the state after the last epoch, and stays. `report` is given each new line of the history, in the first
    process, and `show` some validation samples after every `pictures_every` epochs. `earlier` is a finished training to
    go on from, where `resume` holds nothing yet.
    """
    accelerator, title = devices.choose_accelerator(params), title or name
    freeze_layers(model, params.freeze, title)
    progress, state = load_state(resume, model, title) if resume else (Progress(), None)
    if state is None and earlier is not None:
        progress, state = copy.deepcopy(earlier.progress), earlier.state
        model.load_state_dict(state["model"])
    if not progress.finished:
        with devices.make_repeatable(params), devices.explain_failures(name, title), processes.explain_exits():
            if params.compile:
                devices.compile_layers(model, accelerator, title)
            group = processes.join(params, accelerator)
            training = Training(model, class_count, train, val, params, name, title, group, accelerator)
            if state is not None:
                training.load_state(state)
            training.run(progress, resume, report, show)
            state = training.state()
            model.cpu()
    end = None if state is None else EndState(progress, state)
    return FittedModel(progress.best_weights, progress.history, progress.best, end)


class Training:
    """A model, its optimiser and its samples on one device."""

    def __init__(
        self,
        model: Any,
        class_count: int,
        train: Samples,
        val: Samples,
        params: TrainParams,
        name: str,
        title: str,
        group: processes.Group,
        accelerator: str,
    ) -> None:
        self.params, self.name, self.title, self.group = params, name, title, group
        on_gpu = accelerator == "gpu"
        self.device = torch.device("cuda", group.local_rank) if on_gpu else torch.device("cpu")
        self.metric = validation.metric_of(model.clip, class_count)
        self.val = val
        augmented = AugmentedSamples(train, copy.deepcopy(model).augment, params.seed)
        rank, size, batch_size = group.rank, group.size, params.micro_batch_size
        by_source = params.draw == "sources"
        draw = order_by_source(train.strata, params.seed) if by_source else order_samples(len(train), params.seed)
        length = epoch_length(len(train), params.samples, params.batch)
        self.sampler = EpochSampler(draw, length, params.batch, rank, size)
        self.train_loader = make_loader(augmented, self.sampler, batch_size, params.workers, pin=on_gpu)
        val_sampler = ValidationSampler(len(val), batch_size, rank, size)
        self.val_loader = make_loader(NumberedSamples(val), val_sampler, batch_size, params.workers, pin=on_gpu)

        weighted = params.class_weights and model.clip.target == "class" and not by_source  # else they take turns
        class_weights = validation.balanced_class_weights(train.labels, class_count) if weighted else None
        self.model = model
        self.loss_module = LossModule(model, class_weights, params, title).to(self.device)
        self.objective: nn.Module = self.loss_module
        if size > 1:
            norms.share_batch_norms(model)
            unused = params.strategy == "ddp_find_unused_parameters_true"
            self.objective = DistributedDataParallel(self.loss_module, find_unused_parameters=unused)
        self.average = WeightAverage(model, params.ema) if params.ema else None
        self.optimiser = make_optimiser(model, params)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=params.precision == "16-mixed")

    def run(
        self, progress: Progress, resume: Path | None, report: Callable[[Row], None], show: Show | None = None
    ) -> None:
        """Trains epoch by epoch until nothing gets better or all epochs are done; `progress` says what came out."""
        steps = len(self.train_loader) // self.params.accumulate
        visible = sys.stderr.isatty() and settings.is_first_process()
        bar = progress_bar(self.title, self.params.epochs, steps, progress.epoch) if visible else None
        with bar or contextlib.nullcontext() as advance:
            while not progress.finished:
                trained = self._train_epoch(progress, advance)
                row = self._make_row(progress.epoch, trained, self._validate(progress.epoch))
                if progress.add_epoch(row, self.metric, self.params):
                    weights = self.model.state_dict() if self.average is None else self.average.weights
                    progress.best_weights = {name: value.detach().cpu().clone() for name, value in weights.items()}
                if resume and self.group.rank == 0:
                    save_state(resume, progress, self.state())
                self._announce(row, progress)
                if settings.is_first_process():
                    report(row)
                    if show and self.params.pictures_every and progress.epoch % self.params.pictures_every == 0:
                        self._show_samples(progress.epoch, show)

    def _train_epoch(self, progress: Progress, advance: Any) -> dict[str, Tensor]:
        """Passes once over the samples of the epoch; returns the mean of each loss."""
        params, epoch = self.params, progress.epoch
        key = np.random.SeedSequence([params.seed, DROPOUT_STREAM, epoch, self.group.rank])
        torch.manual_seed(int(key.generate_state(1, np.uint64)[0]) >> 1)
        self.sampler.epoch = epoch
        sums: dict[str, Tensor] = {}
        steps = len(self.train_loader) // params.accumulate
        for position, batch in enumerate(self.train_loader):
            step, micro_batch = divmod(position, params.accumulate)
            completes_step = micro_batch == params.accumulate - 1
            for param_group in self.optimiser.param_groups:
                param_group["lr"] = learning_rate(params, epoch, step, steps, progress.plateau)
            with self._unshared_gradients() if not completes_step else contextlib.nullcontext():
                losses = self._losses(batch, f"{self.title}: epoch {epoch + 1}, step {step + 1}")
                self.scaler.scale(losses["loss"] / params.accumulate).backward()
            for name, value in losses.items():
                sums[name] = sums.get(name, 0) + value.detach()
            if completes_step:
                self._take_step()
                progress.steps += 1
                if self.average is not None:
                    self.average.update(self.model, progress.steps)
                if advance is not None:
                    advance(epoch, sums["loss"] / (position + 1))
        return {name: value / len(self.train_loader) for name, value in sums.items()}

    def _unshared_gradients(self) -> contextlib.AbstractContextManager[Any]:
        """Lets several processes share gradients once a step, not with every micro-batch of it."""
        if isinstance(self.objective, DistributedDataParallel):
            return self.objective.no_sync()
        return contextlib.nullcontext()

    def _take_step(self) -> None:
        """Lets the optimiser take the step that the gradients say."""
        if self.params.clip:
            self.scaler.unscale_(self.optimiser)
            parameters = [weight for param_group in self.optimiser.param_groups for weight in param_group["params"]]
            torch.nn.utils.clip_grad_norm_(parameters, self.params.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad()

    @torch.no_grad()
    def _validate(self, epoch: int) -> list[validation.BatchResult]:
        """Judges the samples to validate on, with the mean weights of the model if there are some."""
        results = []
        with self._eval_mode():
            for batch in self.val_loader:
                batch = self._to_device(batch)
                with self._autocast():
                    output, losses, x = self.loss_module.run_model(batch)
                    judged = self.model.judge(output, x)
                refuse_nan(losses, batch, self.name, f"{self.title}: epoch {epoch + 1}, validation")
                if self.model.clip.target == "class":
                    losses = losses | {"accuracy": validation.accuracy(judged, batch["y"])}
                results.append(validation.judge_batch(self.metric, batch, losses, judged))
        return results

    @torch.no_grad()
    def _show_samples(self, epoch: int, show: Show) -> None:
        """Hands on what the model says of a few validation samples; nothing of the training changes by it."""
        batch = self._to_device(NumberedSamples(self.val).__getitems__(spread_samples(len(self.val))))
        with self._eval_mode(), self._autocast():
            output, _, x = self.loss_module.run_model(batch)
            judged = self.model.judge(output, x)
        show(epoch, x, batch["y"], judged)

    @contextlib.contextmanager
    def _eval_mode(self) -> Iterator[None]:
        """Sets eval mode and mean weights, if there are some, for the length of the block."""
        modes = [(module, module.training) for module in self.loss_module.modules()]  # frozen layers are always in eval
        self.loss_module.eval()
        with self.average.swap_into(self.model) if self.average is not None else contextlib.nullcontext():
            yield
        for module, mode in modes:
            module.training = mode

    def _losses(self, batch: Batch, where: str) -> dict[str, Tensor]:
        batch = self._to_device(batch)
        with self._autocast():
            losses: dict[str, Tensor] = self.objective(batch)
        refuse_nan(losses, batch, self.name, where)
        return losses

    def _to_device(self, batch: Batch) -> Batch:
        return {key: value.to(self.device, non_blocking=True) for key, value in batch.items()}

    def _autocast(self) -> torch.autocast:
        """Computes in the precision that is set. Without a cache, a weight that is used twice has an exact gradient."""
        dtype = torch.float16 if self.params.precision == "16-mixed" else torch.bfloat16
        is_mixed = self.params.precision != "32-true"
        return torch.autocast(self.device.type, dtype, enabled=is_mixed, cache_enabled=False)

    def _make_row(self, epoch: int, trained: dict[str, Tensor], results: list[validation.BatchResult]) -> Row:
        """Makes the line of the history, whose losses are means over all processes."""
        gathered = [results]
        if self.group.size > 1:
            for value in trained.values():
                distributed.all_reduce(value)
                value /= self.group.size
            gathered = [[] for _ in range(self.group.size)]
            distributed.all_gather_object(gathered, results)
        row: Row = {"epoch": epoch + 1, "lr": self.optimiser.param_groups[0]["lr"]}
        row |= {f"train_{name}": value.item() for name, value in trained.items()}
        row |= validation.summarise(self.metric, [result for of_process in gathered for result in of_process])
        return {key: float(f"{value:.{FIGURES}g}") if isinstance(value, float) else value for key, value in row.items()}

    def _announce(self, row: Row, progress: Progress) -> None:
        epochs = self.params.epochs
        if progress.finished or progress.epoch % self.params.report_every == 0:
            say(f"{self.title}: {describe_epoch(row, epochs, progress.best['epoch'], self.params.keep)}")
        if progress.finished and progress.epoch < epochs:
            say(f"{self.title}: no better for {progress.epochs_since_best} epochs: stopped (train.patience)")

    def state(self) -> dict[str, Any]:
        """Returns what a later process needs to go on beside `Progress`, on the CPU."""
        average = None if self.average is None else self.average.weights
        return {
            "model": {name: value.detach().cpu() for name, value in self.model.state_dict().items()},
            "optimiser": read_memory(self.optimiser, self.model),
            "scaler": self.scaler.state_dict(),
            "average": average and {name: value.cpu() for name, value in average.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Takes up the state that an earlier process left; `model` has its weights already."""
        load_memory(self.optimiser, self.model, state["optimiser"])
        if state["scaler"] and self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])
        if self.average is not None and state["average"]:
            self.average.weights = {name: value.to(self.device).clone() for name, value in state["average"].items()}
