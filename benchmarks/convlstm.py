"""What the ConvLSTM costs: a training step of the panic network against textbook cells, and a stream frame by frame.

    python benchmarks/convlstm.py [--repeats 5] [--batch 2] [--frames 16] [--size 64] [--hidden 32,64,32] [--threads 2]

The textbook joins input and state and convolves them in each step, in fp32 and uncompiled; the weights are the same.
Repetitions of what is compared take turns, and medians are compared. What counts is the clock; with one thread on the
CPU it is the seconds that the processor worked, so that other programs take no part. `--device cuda` takes the GPU.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/support"))
from textbook import Textbook

from vigil.models.panic import Config, Model
from vigil.training.devices import why_not_compilable

TARGETS = {"ours, compiled": 1.2, "ours, compiled, bf16": 2.0}
Median = tuple[float, float]  # s by the clock, s of the processor


class Reference(nn.Module):
    """The panic network of textbook cells."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Textbook(each.inputs, each.hidden, each.kernel) for each in model.layers)
        for own, ours in zip(self.layers, model.layers, strict=True):
            own.cell.joined.load_state_dict(ours.state_dict())
        self.drawing = nn.Conv2d(model.drawing.in_channels, model.drawing.out_channels, 3, padding="same")
        self.drawing.load_state_dict(model.drawing.state_dict())

    def forward(self, clip: Tensor) -> Tensor:
        maps = clip
        for layer in self.layers:
            maps, _ = layer(maps)
        return self.drawing(maps.flatten(0, 1)).unflatten(0, clip.shape[:2])


def timed(repeats: int, calls: dict[str, Callable[[], object]]) -> dict[str, Median]:
    took: dict[str, list[Median]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            began = time.perf_counter(), time.process_time()
            call()
            if turn:  # the first warms up, and compiles
                took[name].append((time.perf_counter() - began[0], time.process_time() - began[1]))
    return {name: tuple(map(statistics.median, zip(*each, strict=True))) for name, each in took.items()}


def step(network: Any, x: Tensor, kind: torch.dtype = torch.float32) -> None:
    network.zero_grad()
    with torch.autocast(x.device.type, torch.bfloat16, enabled=kind == torch.bfloat16):
        drawn = network(x)
    F.mse_loss(drawn.float(), x).backward()
    if x.is_cuda:
        torch.cuda.synchronize()


def training(chosen: argparse.Namespace, ours: Model, x: Tensor) -> None:
    textbook, quick = Reference(ours).to(x.device), Model(ours.config).to(x.device)
    quick.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(x), textbook(x), rtol=0, atol=1e-5)
    half = torch.bfloat16
    calls: dict[str, Callable[[], object]] = {
        "textbook": lambda: step(textbook, x),
        "textbook, bf16": lambda: step(textbook, x, half),
        "ours": lambda: step(ours, x),
        "ours, bf16": lambda: step(ours, x, half),
    }
    why = why_not_compilable("gpu" if x.is_cuda else "cpu")
    if why:
        print(f"  not compiled: {why}")
    else:
        quick.compile()
        calls |= {"ours, compiled": lambda: step(quick, x), "ours, compiled, bf16": lambda: step(quick, x, half)}
    took = timed(chosen.repeats, calls)
    clock, worked = took["textbook"]
    for name, (seconds, cpu) in took.items():
        target = TARGETS.get(name)
        ratio = worked / cpu if by_processor(chosen) else clock / seconds
        verdict = f"   target {target} {'met' if ratio >= target else 'MISSED'}" if target else ""
        print(
            f"  step: {name:22} {seconds:7.3f} s, processor {cpu:7.3f} s; textbook / this {clock / seconds:5.2f}, "
            f"processor {worked / cpu:5.2f}{verdict}",
            flush=True,
        )


def streaming(chosen: argparse.Namespace, model: Model, x: Tensor) -> None:
    """A frame with the state carried on, against the window of all frames run again for it."""
    _, memory = model.step(x[:1, 0], None)

    def window() -> None:
        with torch.no_grad():
            model.judge(model(x[:1]), x[:1])

    took = timed(chosen.repeats, {"frame": lambda: model.step(x[:1, 1], memory), "window": window})
    frame, whole = (took[name][by_processor(chosen)] for name in ("frame", "window"))
    print(
        f"  stream: a frame {1e3 * frame:.1f} ms, the window of {chosen.frames} {1e3 * whole:.1f} ms: "
        f"{frame / whole:.3f}   target 0.100 {'met' if frame <= whole / 10 else 'MISSED'}"
    )


def by_processor(chosen: argparse.Namespace) -> bool:
    return chosen.threads == 1 and chosen.device == "cpu"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--hidden", default="32,64,32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    hidden = tuple(map(int, chosen.hidden.split(",")))
    model = Model(Config(hidden=hidden, size=chosen.size, frames=chosen.frames)).to(chosen.device)
    x = torch.rand(chosen.batch, chosen.frames, 3, chosen.size, chosen.size, device=chosen.device)
    print(
        f"panic, hidden {chosen.hidden}, {chosen.batch} x {chosen.frames} frames of {chosen.size} px, "
        f"{chosen.threads} thread(s), load {os.getloadavg()[0]:.1f}"
    )
    training(chosen, model, x)
    streaming(chosen, model, x)
    print(f"  load {os.getloadavg()[0]:.1f}")
