"""What a model makes of one video, in a file: the work that the store keeps per video."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from vigil.core.params import Frozen
from vigil.core.storage import load_arrays, save_arrays
from vigil.features.frames import Archive
from vigil.features.pictures import normalised
from vigil.judging import judges
from vigil.judging.judgements import Judgement
from vigil.judging.judges import Picture
from vigil.models import checkpoint
from vigil.models.checkpoint import Loaded

Arrays = dict[str, np.ndarray]


class Settings(Frozen):
    """How a model is made to look; the same for calibration, evaluation and live."""

    step: Annotated[float, Field(gt=0, le=1)]  # windows, from one that is judged to the next


def judge(source: Path, model: Path, gate: Path | None, out: Path, *, params: Settings) -> dict[str, Any]:
    """Write what the model makes of a video; `source` holds its flow or its frames."""
    loaded = opened(model)
    watching = judges.opened(loaded, params.step, None if gate is None else opened(gate))
    with one_thread():
        if loaded.card.input == "flow":
            items: Iterable[Any] = np.load(source, mmap_mode="r", allow_pickle=False)
        else:
            items = map(Picture, Archive(source).jpegs())
        found = list(watching.whole(items))
    write(out, found, cells=loaded.card.clip.target == "cells")
    return {"judgements": len(found)}


def name(clips: Path, told: Sequence[Mapping[str, Any]], model: Path, out: Path) -> dict[str, Any]:
    """The same of the clips that stage `attend` found in a video; `told` is what it says of them."""
    loaded = opened(model)
    found = []
    with one_thread(), torch.inference_mode():
        for squares, clip in zip(np.load(clips, allow_pickle=False), told, strict=True):
            x = normalised(squares, loaded.card.clip.layout)[None]
            logits = loaded.model.judge(loaded.model(x), x)["classes"][0].numpy()
            weights = np.array(clip["attention"], np.float32)
            odds, shown = float(clip["odds"]), tuple(clip["frames"])
            found.append(Judgement(clip["start"], clip["stop"], odds, odds, None, logits, None, shown, weights))
    write(out, found, cells=False)
    return {"judgements": len(found)}


@lru_cache(maxsize=4)
def opened(folder: Path) -> Loaded:
    """A worker judges many videos with one model, which does not change meanwhile."""
    return checkpoint.load(folder)


@contextmanager
def one_thread() -> Iterator[None]:
    """The same bytes whatever the machine's number of cores; videos run side by side instead."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def write(path: Path, found: Sequence[Judgement], *, cells: bool) -> None:
    """`cells` False leaves maps out. Of each kind either every judgement has one or none."""
    optional: Arrays = {}
    for key in ("classes", "attention", *(["cells"] if cells else [])):
        values = [getattr(one, key) for one in found]
        if values and values[0] is not None:
            optional[key] = np.stack(values).astype(np.float32)
    if found and found[0].frames is not None:
        optional["frames"] = np.concatenate([one.frames for one in found]).astype(np.float32)
    if found and found[0].shown:
        optional["shown"] = np.array([one.shown for one in found], np.int32)
    save_arrays(
        path,
        place=np.array([(one.start, one.stop) for one in found], np.int32).reshape(-1, 2),
        score=np.array([one.score for one in found], np.float32),
        newest=np.array([one.newest for one in found], np.float32),
        person=np.array([one.person for one in found], np.int32),
        **optional,
    )


def read(path: Path) -> list[Judgement]:
    """As they were written, in their order."""
    arrays = load_arrays(path)
    edges = np.append(0, np.cumsum(np.diff(arrays["place"], axis=1)))
    found = []
    for row, (start, stop) in enumerate(arrays["place"].tolist()):
        own: dict[str, Any] = {key: arrays[key][row] for key in ("classes", "attention", "cells") if key in arrays}
        if "frames" in arrays:
            own["frames"] = arrays["frames"][edges[row] : edges[row + 1]]
        shown = tuple(arrays["shown"][row].tolist()) if "shown" in arrays else ()
        score, newest = float(arrays["score"][row]), float(arrays["newest"][row])
        found.append(Judgement(start, stop, score, newest, shown=shown, person=int(arrays["person"][row]), **own))
    return found
