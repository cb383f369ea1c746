"""A dataset drawn from nothing: the surveillance cameras of a little city, the people before them, and the truth."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Literal

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import save_arrays
from vigil.engine.per_video import Item, Runtime, run_per_video
from vigil.footage.listing.records import Listing, Reject, Row, Source
from vigil.footage.video.writing import VideoWriter
from vigil.footage.video_table import DRAWN
from vigil_city.plan import Video, planned
from vigil_city.reel import shoot

LICENCE = "CC0-1.0"


class Params(Frozen):
    scale: Literal["standard", "large", "tiny"]  # 121 or 219 videos; tiny: 8, for tests
    seed: int  # another seed draws another city


def sources(name: str, params: Params) -> list[Source]:
    """Lists the planned videos; the id of each stands for all that the plan says about it."""
    listed = []
    for video in planned(params.scale, params.seed):
        facts = f"{params.seed}/{video}"
        listed.append(Source(name, video.stem, None, hashlib.sha256(facts.encode()).hexdigest()))
    return listed


def videos(name: str, params: Params, sources: list[Source], raw: Path, truth: Path, runtime: Runtime) -> Listing:
    """Draws what is listed; one video is one item of the loop."""
    listed = {source.path: source for source in sources}
    chosen = [plan for plan in planned(params.scale, params.seed) if plan.stem in listed]
    if unknown := sorted(listed.keys() - {plan.stem for plan in chosen}):
        raise VigilError(f"{name}: nothing draws {unknown[0]} with these params. Run `vigil sync`.")
    items = [
        Item(
            f"{name}/{plan.stem}",
            (listed[plan.stem].sha256,),
            (params.scale, params.seed, plan.stem),
            (raw / name / f"{plan.stem}.mp4", truth / name / f"{plan.stem}.npz"),
        )
        for plan in chosen
    ]
    rows, rejects = [], []
    for plan, outcome in zip(chosen, run_per_video("download", draw, items, None, runtime), strict=True):
        if outcome.reason is not None:
            rejects.append(Reject(f"{name}/{plan.stem}", outcome.reason))
            continue
        rows.append(
            Row(
                video=f"{name}/{plan.stem}",
                path=f"data/raw/{name}/{plan.stem}.mp4",
                source=plan.lens.name,
                grouped_by=DRAWN,
                label=plan.label,
                spans=() if plan.span is None else (plan.span,),
                split=plan.lens.split,
                licence=LICENCE,
                fresh=not outcome.reused,
            )
        )
    return Listing(rows, rejects)


@cache
def _planned_by_stem(scale: str, seed: int) -> dict[str, Video]:
    return {video.stem: video for video in planned(scale, seed)}


def draw(scale: str, seed: int, stem: str, out: Path, truth: Path) -> None:
    """Draws one video and its truth; the same arguments give the same bytes."""
    import cv2

    cv2.setNumThreads(1)
    video = _planned_by_stem(scale, seed)[stem]
    film = shoot(video, seed)
    with VideoWriter(out, video.lens.fps, video.lens.size) as writer:
        for frame in film.frames():
            writer.write(frame)
    save_arrays(truth, **film.truth.arrays())
