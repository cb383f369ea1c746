"""DVC stage `trunk`: how much every video changes from frame to frame, in the eyes of networks of others.

Reads   <frames>/<set>/<v>.npz      JPEG frames
        <pretrained>                the networks, if weights.people brought them
Writes  <out>/<set>/<v>.npy         float16 (T, 2, C) of the T stored frames: how much each of C channels differs from
                                    the frame before and from the one before that, where it differs most; NaN where
                                    there is none in the same piece of the recording, and in the
                                    channels of NanoDet where it does not look; see features/trunk.py
        <out>/<set>/<v>.npz         when each of them is, see features/times.py
        <out>/settings.json         what made them; see core/lineage.py
        <out>/rejects.csv           videos that could not be read, when there are any
        <out>/skipped.json          instead of all videos where trunk.px is null or there is no network
"""

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vigil.core.lineage import record
from vigil.core.skipping import FILE, skip_folder
from vigil.core.storage import sha256_file
from vigil.engine.per_video import Item, Runtime, finish_folder, run_per_video
from vigil.engine.stage_runner import run_stage
from vigil.features import trunk
from vigil.features.frames import FrameArchive
from vigil.features.times import write_times

Params = trunk.Settings


def main(*, frames: Path, pretrained: Path, out: Path, params: Params, runtime: Runtime) -> None:
    if reason := why_nothing(params, pretrained):
        finish_folder("trunk", out, [])
        skip_folder(out, reason)
        print(f"trunk: skipped: {reason}", file=sys.stderr)
        record(out, "trunk", params.model_dump(mode="json"), frames)
        return
    (out / FILE).unlink(missing_ok=True)
    digests = trunk.weights_digests(params, pretrained)
    items = []
    for archive in sorted(frames.glob("*/*.npz")):
        name = f"{archive.parent.name}/{archive.stem}"
        outputs = (out / f"{name}.npy", out / f"{name}.npz")
        items.append(Item(name, (sha256_file(archive), *digests.values()), (archive, pretrained.absolute()), outputs))
    finish_folder("trunk", out, run_per_video("trunk", write_changes, items, params, runtime))
    record(out, "trunk", params.model_dump(mode="json") | {"weights": digests}, frames)


def why_nothing(params: Params, pretrained: Path) -> str | None:
    """Says why nothing is made; None where everything is there."""
    if params.px is None:
        return "trunk.px is null in params.yaml: set it to 256"
    if not trunk.has_networks(params, pretrained):
        return f"{pretrained} has no network to see with: it comes with weights.people, by npm or as a file"
    return None


def write_changes(frames: Path, pretrained: Path, out: Path, times: Path, *, params: Params) -> dict[str, Any]:
    """Writes the changes of one video and the times of its stored frames."""
    cv2.setNumThreads(1)
    archive, look = FrameArchive(frames), trunk.open_look(params, pretrained)
    state, shape = None, (len(archive), len(trunk.STEPS_S), trunk.CHANNELS)
    with out.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        for time_s, image in zip(archive.times, archive.images(), strict=True):
            state, change = trunk.update(state, image, float(time_s), look)
            file.write(change.astype("<f2").tobytes())
    write_times(times, archive.times)
    return {"frames": len(archive)}


if __name__ == "__main__":
    run_stage("trunk", main)
