"""What I3D costs: forward against the same layers run bare, a training step, and memory with and without checkpointing.

    python benchmarks/i3d.py [--repeats 5] [--frames 32] [--size 224] [--width 1.0] [--batch 1] [--threads 1]

Random weights and pictures; repetitions of what is compared take turns, and medians are compared.
"""

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from vigil.models import i3d
from vigil.models.blocks.inception import MIXED, Inception

POOLS = {"Mixed_3b": ((1, 3, 3), (1, 2, 2)), "Mixed_4b": ((3, 3, 3), (2, 2, 2)), "Mixed_5b": ((2, 2, 2), (2, 2, 2))}


def clips(chosen: argparse.Namespace) -> Tensor:
    return torch.randn(chosen.batch, 3, chosen.frames, chosen.size, chosen.size)


def model(chosen: argparse.Namespace, checkpointing: bool = False) -> i3d.Model:
    torch.manual_seed(0)
    fields = {"frames": chosen.frames, "size": chosen.size, "width": chosen.width, "checkpointing": checkpointing}
    return i3d.Model(i3d.Config.read(fields, "benchmark"), 2)


def bare(backbone: Inception) -> Callable[[Tensor], Tensor]:
    """The backbone as a list of calls on its tensors: sizes that 32 divides, no modules, one pooling call."""
    held = {name: value.detach() for name, value in backbone.state_dict().items()}

    def unit(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = held[f"{name}.conv3d.weight"]
        if stride == 2:
            x = F.pad(x, (2, 3, 2, 3, 2, 3))
        x = F.conv3d(x, kernel, stride=stride, padding=kernel.shape[2] // 2 if stride == 1 else 0)
        norm = [held[f"{name}.bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.relu_(F.batch_norm(x, *norm, eps=1e-3))

    def run(x: Tensor) -> Tensor:
        x = unit(x, "Conv3d_1a_7x7", 2)
        x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), ceil_mode=True)
        x = unit(unit(x, "Conv3d_2b_1x1"), "Conv3d_2c_3x3")
        for name in MIXED:
            if name in POOLS:
                x = F.max_pool3d(x, *POOLS[name], ceil_mode=True)
            x = torch.cat(
                [
                    unit(x, f"{name}.b0"),
                    unit(unit(x, f"{name}.b1a"), f"{name}.b1b"),
                    unit(unit(x, f"{name}.b2a"), f"{name}.b2b"),
                    unit(F.max_pool3d(x, 3, 1, 1), f"{name}.b3b"),
                ],
                dim=1,
            )
        return x

    return run


def timed(repeats: int, **calls: Callable[[], object]) -> dict[str, float]:
    """Median seconds of each that the processor worked: what other programs took does not count."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            began = time.process_time()
            call()
            if turn:  # the first is to warm up
                took[name].append(time.process_time() - began)
    return {name: statistics.median(seconds) for name, seconds in took.items()}


def step(network: i3d.Model, x: Tensor) -> None:
    network.zero_grad()
    network.loss(network(x), {"y": torch.arange(len(x)) % 2})["loss"].backward()


def peak(chosen: argparse.Namespace, what: str, answer: "multiprocessing.Queue[int]") -> None:
    """Most memory that a process had which did nothing else."""
    torch.set_num_threads(chosen.threads)
    tiny = argparse.Namespace(batch=2, frames=8, size=32, width=0.125)
    step(model(tiny, checkpointing=True), clips(tiny))  # whatever loads late is loaded in all of them
    network, x = model(chosen, what == "checkpointing"), clips(chosen)
    if what == "forward":
        with torch.no_grad():
            network.eval()(x)
    elif what != "nothing":
        step(network.train(), x)
    status = Path("/proc/self/status").read_text()  # getrusage would tell that of the parent if it is larger
    answer.put(int(status.split("VmHWM:")[1].split()[0]) // 1024)


def speed(chosen: argparse.Namespace) -> None:
    network, x = model(chosen), clips(chosen)
    layers, last = bare(network.backbone), x.contiguous(memory_format=torch.channels_last_3d)
    network.eval()
    with torch.no_grad():
        scaled = torch.addcmul(network.offset, x, network.gain)
        torch.testing.assert_close(layers(scaled), network.backbone(scaled), atol=1e-3, rtol=1e-3)
        took = timed(
            chosen.repeats,
            ours=lambda: network(x),
            bare=lambda: layers(x),
            bare_channels_last=lambda: layers(last),
        )
    for name in ("bare", "bare_channels_last"):
        share = took[name] / took["ours"]
        verdict = "reached" if share >= 0.9 else "MISSED"
        print(f"  forward / the same layers {name.replace('_', ' ')}: {share:.2f}  (>= 0.90: {verdict})")
    network.train()
    again = model(chosen, checkpointing=True).train()
    took |= timed(max(1, chosen.repeats // 2), step=lambda: step(network, x), checkpointing=lambda: step(again, x))
    print("  " + ", ".join(f"{name.replace('_', ' ')} {1e3 * seconds:,.0f} ms" for name, seconds in took.items()))


def memory(chosen: argparse.Namespace) -> None:
    spawn = multiprocessing.get_context("spawn")
    peaks = {}
    for what in ("nothing", "forward", "step", "checkpointing"):
        answer = spawn.Queue()
        process = spawn.Process(target=peak, args=(chosen, what, answer))
        process.start()
        peaks[what] = answer.get()
        process.join()
    idle = peaks.pop("nothing")
    told = ", ".join(f"{what} {most - idle:,} MB" for what, most in peaks.items())
    print(f"  peak memory beyond the {idle:,} MB of a process with the model: {told}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    if chosen.size % 32 or chosen.frames % 8:
        parser.error("the bare layers need a size that 32 divides and frames that 8 divides")
    torch.set_num_threads(chosen.threads)
    count = sum(parameter.numel() for parameter in model(chosen).parameters())
    print(
        f"I3D, width {chosen.width:g}, {count / 1e6:.1f} million parameters, {chosen.batch} x {chosen.frames} frames "
        f"of {chosen.size} px, {chosen.threads} thread(s)"
    )
    speed(chosen)
    memory(chosen)
