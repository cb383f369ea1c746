"""What a model makes of one video, in a file: the work that the store keeps per video."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from vigil.core.errors import VigilError
from vigil.core.params import Frozen
from vigil.core.storage import load_arrays, save_arrays
from vigil.features.frames import FrameArchive
from vigil.features.times import read_times
from vigil.judging.items import ARRAYS, Picture, StoredClip
from vigil.judging.judgements import Judgement
from vigil.judging.judges import make_judge
from vigil.judging.pieces import make_piece_judge
from vigil.models.checkpoint import load_checkpoint

Arrays = dict[str, np.ndarray]


class JudgingParams(Frozen):
    """How a model is made to look; the same for calibration, evaluation and live."""

    step: Annotated[float, Field(gt=0, le=1)]  # windows, from one that is judged to the next


def judge_video(
    source: Path,
    clips: Sequence[Mapping[str, Any]] | None,
    model: Path,
    gate: Path | None,
    out: Path,
    *,
    params: JudgingParams,
) -> dict[str, Any]:
    """Writes what the model makes of a video.

    `source` holds its flow, its changes, its frames, or the clips that stage `attend` found in it, with what it says of
    each in `clips`.
    """
    checkpoint = load_checkpoint(model)
    with single_thread():
        if clips is not None:
            pixels = np.load(source, allow_pickle=False)
            stored_clips = (_stored_clip(*pair) for pair in zip(clips, pixels, strict=True))
            judgements = list(make_judge(checkpoint, params.step).judge_all(stored_clips))
        else:
            judge = make_piece_judge(checkpoint, params.step, None if gate is None else load_checkpoint(gate))
            judgements = list(judge.judge_all(*_read_recording(source, checkpoint.card.input)))
    write_judgements(out, judgements, cells=checkpoint.card.clip.target == "cells")
    return {"judgements": len(judgements)}


@contextmanager
def single_thread() -> Iterator[None]:
    """The same bytes whatever the machine's number of cores; videos run side by side instead."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def write_judgements(path: Path, judgements: Sequence[Judgement], *, cells: bool) -> None:
    """Writes judgements, of which either each has an optional array or none does; `cells` False leaves maps out."""
    optional: Arrays = {}
    for key in ("classes", "attention", *(["cells"] if cells else [])):
        values = [getattr(judgement, key) for judgement in judgements]
        if values and values[0] is not None:
            optional[key] = np.stack(values).astype(np.float32)
    if judgements and judgements[0].frames is not None:
        optional["frames"] = np.concatenate([judgement.frames for judgement in judgements]).astype(np.float32)
    if judgements and judgements[0].shown:
        optional["shown"] = np.array([judgement.shown for judgement in judgements], np.int32)
    save_arrays(
        path,
        span=np.array([judgement.span for judgement in judgements], np.int32).reshape(-1, 2),
        score=np.array([judgement.score for judgement in judgements], np.float32),
        newest=np.array([judgement.newest for judgement in judgements], np.float32),
        person=np.array([judgement.person for judgement in judgements], np.int32),
        **optional,
    )


def read_judgements(path: Path) -> list[Judgement]:
    """Reads judgements back in the order in which they were written."""
    arrays = load_arrays(path)
    edges = np.append(0, np.cumsum(np.diff(arrays["span"], axis=1)))
    judgements = []
    for row, (start, stop) in enumerate(arrays["span"].tolist()):
        optional: dict[str, Any] = {key: arrays[key][row] for key in ("classes", "attention", "cells") if key in arrays}
        if "frames" in arrays:
            optional["frames"] = arrays["frames"][edges[row] : edges[row + 1]]
        shown = tuple(arrays["shown"][row].tolist()) if "shown" in arrays else ()
        score, newest = float(arrays["score"][row]), float(arrays["newest"][row])
        judgements.append(
            Judgement(start, stop, score, newest, shown=shown, person=int(arrays["person"][row]), **optional)
        )
    return judgements


def _read_recording(source: Path, input_name: str) -> tuple[Iterable[Any], list[Fraction]]:
    """What a judge is fed of each stored frame, and when that is."""
    if input_name not in ARRAYS:
        archive = FrameArchive(source)
        return map(Picture, archive.jpegs()), archive.times
    arrays, times = (
        np.load(source, mmap_mode="r", allow_pickle=False),
        read_times(source.with_suffix(".npz"), input_name),
    )
    if len(arrays) != len(times):
        raise VigilError(f"{source}: not as many frames as there are times. Delete it and run stage `{input_name}`.")
    return arrays, times


def _stored_clip(clip: Mapping[str, Any], pixels: np.ndarray) -> StoredClip:
    attention = np.array(clip["attention"], np.float32)
    return StoredClip(clip["start"], clip["stop"], float(clip["odds"]), tuple(clip["frames"]), attention, pixels)
