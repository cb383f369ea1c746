"""DVC stage `flow`: dense optical flow and people heatmap of every video, computed once.

Reads   <frames>/<set>/<v>.npz      JPEG frames
        <landmarks>/<set>/<v>.csv   tracked people; a video without is dropped, with a warning
Writes  <out>/<set>/<v>.npy         int8 (T, 3, H, W): dx, dy, people; see features/flow/dense.py
        <out>/settings.json         what made them; see core/lineage.py
        <out>/rejects.csv           videos that could not be read, when there are any
"""

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.lineage import record
from vigil.core.storage import read_table, sha256_file
from vigil.engine.per_video import REJECTS, Item, Runtime, finish_folder, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.features.flow import dense, heatmap
from vigil.features.frames import FrameArchive
from vigil.features.landmarks.pose_table import read_along

Params = dense.Settings


def main(frames: Path, landmarks: Path, out: Path, params: Params, runtime: Runtime) -> None:
    rejects_file = landmarks / REJECTS
    reasons = {row["video"]: row["reason"] for row in read_table(rejects_file)} if rejects_file.exists() else {}
    items = []
    for archive in sorted(frames.glob("*/*.npz")):
        name = f"{archive.parent.name}/{archive.stem}"
        table = landmarks / f"{name}.csv"
        if table.exists():
            key = (sha256_file(archive), sha256_file(table))
            items.append(Item(name, key, (archive, table), (out / f"{name}.npy",)))
        else:
            reason = reasons.get(name, "run stage `landmarks` for it")
            print(f"flow: warning: {name} is left out: it has no landmarks: {reason}", file=sys.stderr)
    finish_folder("flow", out, run_per_video("flow", write_planes, items, params, runtime))
    record(out, "flow", params.model_dump(mode="json"), landmarks)


def write_planes(frames: Path, landmarks: Path, out: Path, *, params: Params) -> dict[str, Any]:
    """Write one video's planes, a frame at a time."""
    cv2.setNumThreads(1)
    archive = FrameArchive(frames)
    index = archive.index.tolist()
    state = None
    shape = (len(archive), 3, params.size, params.size)
    with out.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|i1", "fortran_order": False, "shape": shape})
        for people, image in zip(read_along(landmarks, index), archive.images(), strict=True):
            state, motion = dense.update(state, image, params)
            heat = heatmap.people_density(people, archive.source_size, params.size)
            file.write(dense.quantise(motion, heat, params.clip).tobytes())
    return {"frames": len(archive)}


if __name__ == "__main__":
    run_stage("flow", main)
