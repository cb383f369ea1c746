"""The environment every vigil process starts from: nothing is reported anywhere, and threads are counted."""

import os
from pathlib import Path

QUIET = {
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "YOLO_OFFLINE": "1",
    "YOLO_AUTOINSTALL": "False",
    "HF_HUB_OFFLINE": "1",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "GLOG_minloglevel": "2",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
}
# The variables that number a process among those that train together.
RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID")
SHARE_OF_CORES = "VIGIL_CORES"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


def root() -> Path:
    """Returns the project's folder: that of the main checkout, also in temporary and queued experiments."""
    if dvc_root := os.environ.get("DVC_ROOT"):
        return Path(dvc_root).resolve()
    cwd = Path.cwd().resolve()
    return next((folder for folder in (cwd, *cwd.parents) if (folder / ".dvc").is_dir()), cwd)


def home() -> Path:
    """Returns `.vigil` under the root: store, locks and resume state, which git ignores and anybody may delete."""
    return root() / ".vigil"


def prepare(threads: int | None = None) -> None:
    """Prepares the environment for heavy imports. `threads` caps every numeric library of this process."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("YOLO_CONFIG_DIR", str(home() / "ultralytics"))
    os.environ.setdefault("MPLCONFIGDIR", str(home() / "matplotlib"))
    os.environ.setdefault("MPLBACKEND", "Agg")
    if threads is not None:
        os.environ.update(dict.fromkeys(THREADS, str(threads)))


def available_cores() -> int:
    """Counts the cores that this process may use, which are fewer when others run beside it."""
    if share := os.environ.get(SHARE_OF_CORES):
        return int(share)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_first_process() -> bool:
    """Tells whether this process speaks and writes for all that train together; True when it is alone."""
    return all(os.environ.get(name, "0") == "0" for name in RANKS)
