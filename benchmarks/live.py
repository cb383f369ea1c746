"""What watching cameras costs for as long as you like: `python benchmarks/live.py SOURCE... [--minutes 30]`.

Runs `vigil detect` on cameras, such as rtsp://127.0.0.1:8554/door, with the models of this project, and asks its page
every two seconds how late the newest score of each camera is. Prints a line of JSON for every minute: how late, stored
frames a second of each camera, memory and CPU of all its processes; and at the end how memory and lag have grown since
the first fifth of the time, an hour.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import psutil

EVERY_S = 2.0
SETTLED = 0.2  # of the time, after which nothing should grow any more


def measure(sources: list[str], models: str | None, minutes: float) -> dict[str, Any]:
    """Watches them, and says at the end what has grown."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "vigil.cli.main", "detect", *sources, "--serve", "0", "--json"]
        command += ["--outbox", f"{folder}/outbox.sqlite", "--clips", f"{folder}/clips"]
        command += ["--models", models] if models else []
        log = Path(folder, "errors.log")
        with log.open("w") as errors, Path(folder, "lines.log").open("w") as lines:
            process = subprocess.Popen(command, stdout=lines, stderr=errors)
            try:
                samples = _follow(process, _find_page(process, log), minutes)
            finally:
                process.terminate()
                process.wait(60)
        lines_of_alerts = Path(folder, "lines.log").read_text().splitlines()
        return _summarise(samples, json.loads(lines_of_alerts[-1]))


def _find_page(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        if address := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return address[0]
        time.sleep(0.2)
    raise SystemExit(log.read_text())


def _follow(process: subprocess.Popen[bytes], page: str, minutes: float) -> np.ndarray:
    """(N, 4): seconds, memory in MiB, the largest lag in seconds, and the least stored frames a second."""
    began, rows, said = time.monotonic(), list[tuple[float, ...]](), 0
    cpu = _cpu_s(process.pid)
    while (elapsed := time.monotonic() - began) < minutes * 60 and process.poll() is None:
        time.sleep(EVERY_S)
        with urllib.request.urlopen(f"{page}/status", timeout=30) as answer:
            cameras = json.loads(answer.read())["cameras"]
        lags = [camera["lag_s"] for camera in cameras if camera["lag_s"] is not None]
        rates = [camera["fps"] or 0.0 for camera in cameras]
        rows.append((elapsed, _memory_mib(process.pid), max(lags, default=np.nan), min(rates)))
        if elapsed // 60 > said:
            said, recent = int(elapsed // 60), np.array(rows[-int(60 / EVERY_S) :])
            now = _cpu_s(process.pid)
            print(json.dumps({"minute": said, "cpu_share": round((now - cpu) / 60, 2)} | _describe(recent)), flush=True)
            cpu = now
    return np.array(rows)


def _describe(rows: np.ndarray) -> dict[str, Any]:
    lags = rows[:, 2][np.isfinite(rows[:, 2])]
    p50, p95 = np.quantile(lags, [0.5, 0.95]) if len(lags) else (np.nan, np.nan)
    return {
        "lag_s": {"p50": round(float(p50), 3), "p95": round(float(p95), 3)},
        "stored_frames_a_second": round(float(np.median(rows[:, 3])), 2),
        "memory_mib": round(float(np.median(rows[:, 1]))),
    }


def _summarise(rows: np.ndarray, summary: dict[str, Any]) -> dict[str, Any]:
    settled = rows[rows[:, 0] >= SETTLED * rows[-1, 0]]
    settled = settled[np.isfinite(settled[:, 2])]
    hours = settled[:, 0] / 3600
    memory, lag = (float(np.polyfit(hours, settled[:, column], 1)[0]) for column in (1, 2))
    growth = {"growth_an_hour": {"memory_mib": round(memory, 1), "lag_s": round(lag, 3)}}
    return {"minutes": round(rows[-1, 0] / 60, 1)} | _describe(settled) | growth | {"detect": summary}


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _memory_mib(pid: int) -> float:
    """What would be free without them; shared pages count once for each that has them alone."""
    return sum(process.memory_full_info().uss for process in _tree(pid)) / 2**20


def _cpu_s(pid: int) -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in _tree(pid)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", metavar="SOURCE")
    parser.add_argument("--models", help="as `vigil detect` takes them")
    parser.add_argument("--minutes", type=float, default=30.0)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.sources, arguments.models, arguments.minutes), indent=1))
