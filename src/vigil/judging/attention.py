"""What the crime gate attends to: the clips of a video that it is surest of, for the model that names the crime."""

from collections.abc import Sequence

import numpy as np

from vigil.features.frames import FrameArchive
from vigil.features.pictures import Squares
from vigil.judging.judgements import Judgement

PICTURES = 1 << 28  # bytes of decoded pictures that are held: windows overlap


def select_clips(judgements: Sequence[Judgement], keep: int, overlap: float) -> list[Judgement]:
    """The `keep` judgements with the highest scores, surest first.

    None of them lies with more than `overlap` of its length in a surer one.
    """
    clips: list[Judgement] = []
    for judgement in sorted(judgements, key=lambda judgement: (-judgement.score, judgement.span)):
        if len(clips) < keep and all(_overlap_share(judgement, clip) <= overlap for clip in clips):
            clips.append(judgement)
    return clips


def rank_frames(judgement: Judgement) -> list[int]:
    """The frames that were shown, in the order of the attention that they got, each once."""
    assert judgement.attention is not None
    order = np.argsort(-judgement.attention, kind="stable").tolist()
    return list(dict.fromkeys(judgement.shown[number] for number in order))


def read_clips(archive: FrameArchive, judgements: Sequence[Judgement], size: int) -> np.ndarray:
    """(N, T, S, S, 3) uint8 RGB of the frames that were shown."""
    squares = Squares(size, PICTURES)
    return np.stack([squares(archive, judgement.shown) for judgement in judgements])


def _overlap_share(judgement: Judgement, other: Judgement) -> float:
    """Share of the first that lies in the other."""
    common = min(judgement.stop, other.stop) - max(judgement.start, other.start)
    return max(0, common) / (judgement.stop - judgement.start)
