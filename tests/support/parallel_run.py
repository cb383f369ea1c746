"""A stage in a process of its own, for tests that kill it: python -m parallel_run WORK COUNT WORKERS SECONDS."""

import sys
from pathlib import Path

import parallel_work

from vigil.engine.per_video import Item, Runtime, finish_folder, run_per_video, stage_lock


def main() -> None:
    work, count, workers, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    out = Path("out")
    args = {"patient": lambda text: (text, seconds), "stubborn": lambda _text: (), "double": lambda text: (text,)}
    items = [
        Item(f"set/{number}", (f"{work}{number}",), args[work](f"text{number}"), (out / "set" / f"{number}.txt",))
        for number in range(count)
    ]
    runtime = Runtime(executor="process", workers=workers, timeout_s=60.0, address=None)
    with stage_lock("copy"):
        finish_folder("copy", out, run_per_video("copy", getattr(parallel_work, work), items, None, runtime))


if __name__ == "__main__":
    main()
