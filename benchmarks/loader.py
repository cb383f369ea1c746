"""Whether training waits for its data: what a sample costs the loader, against what it costs the training step.

    python benchmarks/loader.py [--params params.yaml] [--samples 64] [--repeats 3] [MODEL ...]

For the models of params.yaml as they stand there, on the features that the pipeline has made in data/. By the clock:
one loader process against a step on `train.threads` threads, taking turns; on a busy machine it says little. By the
processor: time on one core, the step's divided by its threads as if they never got in each other's way.

In the first epoch pictures are decoded; later they are in memory, which is what is compared. Leaves nothing behind.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import torch
from frames import say

from vigil.core.errors import VigilError
from vigil.core.params import load
from vigil.footage import video_table
from vigil.stages import train
from vigil.training import devices
from vigil.training.batches import AugmentedSamples, EpochSampler, make_loader
from vigil.training.draws import epoch_length, order_samples
from vigil.training.samples import load_samples
from vigil.training.schedules import TrainParams

DATA = Path("data")
WANTED = 3.0
Clock = Callable[[], float]


def measure(model: str, sections: dict[str, Any], samples: int, repeats: int) -> None:
    features = DATA / str(sections["models"][model]["input"])
    params = TrainParams.read(sections["train"], "params.yaml [train]")
    job = train.read_job(model, sections["models"], params, features)
    videos, val = (video_table.read(DATA / f"manifest/{split}.csv") for split in ("train", "val"))
    params = job.params
    threads = params.threads or os.cpu_count() or 1

    def fresh(workers: int) -> tuple[Any, int]:
        """A loader that has nothing in memory, and the samples of its epoch."""
        train_samples = load_samples(job, videos, val, features, DATA / "truth").train
        length = epoch_length(len(train_samples), samples, params.batch)
        sampler = EpochSampler(order_samples(len(train_samples), params.seed), length, params.batch)
        augmented = AugmentedSamples(train_samples, network.augment, params.seed)
        return make_loader(augmented, sampler, params.micro_batch_size, workers, pin=False), len(sampler)

    with devices.make_repeatable(params):
        network = train.build_network(job, 0)
        for what, clock, workers, cores in (
            ("clock", time.perf_counter, 1, threads),
            ("processor", time.process_time, 0, 1),
        ):
            name = f"{model}, by the {what}"
            torch.set_num_threads(cores)
            parts, drawn = fresh(workers)
            first = timed(clock, parts) / drawn
            step = stepping(network, list(islice(iter(parts), 2)), params)
            timed(clock, step)  # the first is slower
            turns = [
                (timed(clock, parts) / drawn, timed(clock, step) / params.micro_batch_size) for _ in range(repeats)
            ]
            later, each = (min(column) for column in zip(*turns, strict=True))
            each /= threads / cores
            print(
                f"{name}: step {1e3 * each:.2f}, loading {1e3 * first:.2f} first, {1e3 * later:.2f} later (ms a sample)"
            )
            say(f"{name}: loader / training", f"{each / later:.1f}", f">= {WANTED:g}", each / later >= WANTED)


def timed(clock: Clock, work: Callable[[], object] | Iterable[object]) -> float:
    """Of a call, or of going through all there is."""
    began = clock()
    if callable(work):
        work()
    else:
        for _ in work:
            pass
    return clock() - began


def stepping(network: Any, parts: list[dict[str, Any]], params: TrainParams) -> Callable[[], None]:
    """One step of the optimiser, over and over the same parts."""
    optimiser = torch.optim.Adam(network.parameters(), params.lr)
    bf16 = params.precision == "bf16-mixed"
    network.train()
    turn = cycle(parts)

    def step() -> None:
        part = next(turn)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = network.loss(network(part["x"]), part)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--samples", type=int, default=64, help="of an epoch")
    parser.add_argument("--repeats", type=int, default=3)
    told = parser.parse_args()
    sections = load(told.params)
    cv2.setNumThreads(1)
    for name in told.models or sections["models"]:
        try:
            measure(name, sections, told.samples, told.repeats)
        except VigilError as error:
            print(f"{name}: not measured: {error}", file=sys.stderr)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
