"""Which clips of a table are cut from one recording, as far as their rows tell it.

A clip whose frame numbers overlap those of its neighbour, or come shortly after them, is of the same take. Where all
clips of a label hang together so, the numbers count from the beginning of each clip and tell nothing; and some labels
have no numbers. Then neighbours are kept together in a few large blocks of rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BLOCKS = 5  # of a label: three to learn from, one to validate, one to test. More would have more borders within a take
SPLITS = 3  # sources that a label needs
CLOSE = 10  # rows: a clip that begins no later after its neighbour's end goes on with the same take
VIEWS, NUMBERS, ROWS = "views", "frame numbers", "blocks of rows"


@dataclass(frozen=True)
class Clip:
    """Neighbouring rows of one label. `numbers`: the first and the last frame number, `step`: from row to row."""

    label: str
    rows: int
    numbers: tuple[float, float] | None
    step: float


def group_clips(clips: Sequence[Clip], views: int | None) -> list[tuple[str, str]]:
    """Returns for each clip the name of its source and by what it was grouped.

    `views` clips in a row show one event, as the user says; None where nobody says.
    """
    takes = _number_takes(clips)
    of_label: dict[str, list[int]] = defaultdict(list)
    for index, clip in enumerate(clips):
        of_label[clip.label].append(index)
    groups: dict[int, tuple[str, str]] = {}
    for label, indices in of_label.items():
        is_numbered = all(clips[index].numbers is not None for index in indices)
        if is_numbered and views:
            groups |= {index: (f"{label}-event-{n // views + 1:03d}", VIEWS) for n, index in enumerate(indices)}
        elif is_numbered and len({takes[index] for index in indices}) >= min(SPLITS, len(indices)):
            groups |= {index: (f"take-{takes[index]:03d}", NUMBERS) for index in indices}
        else:
            blocks = _number_blocks([clips[index].rows for index in indices])
            groups |= {i: (f"{label}-block-{n}", ROWS) for i, n in zip(indices, blocks, strict=True)}
    return [groups[index] for index in range(len(clips))]


def explain_groups(clips: Sequence[Clip], groups: Iterable[tuple[str, str]]) -> list[str]:
    """Returns a warning for the labels whose takes cannot be known."""
    in_blocks = [clip for clip, (_, by) in zip(clips, groups, strict=True) if by == ROWS]
    numbered = sorted({clip.label for clip in in_blocks if clip.numbers is not None})
    bare = sorted({clip.label for clip in in_blocks} - set(numbered))
    reasons = []
    if numbered:
        reasons.append(f"FRAME_NUM of {', '.join(numbered)} begins anew in each clip")
    if bare:
        reasons.append(f"{', '.join(bare)} has no FRAME_NUM")
    if not reasons:
        return []
    advice = "; if N clips in a row show one event, say `views: N`" if numbered else ""
    return [
        f"{' and '.join(reasons)}, so nobody knows which clips are of one take: the rows of each label are parted into "
        f"{BLOCKS} blocks, each of which stays in one split. At a block's border a take may still be divided{advice}"
    ]


def _number_takes(clips: Sequence[Clip]) -> list[int]:
    takes: list[int] = []
    for index, clip in enumerate(clips):
        goes_on = index > 0 and _is_same_take(clips[index - 1], clip)
        takes.append(1 if not takes else takes[-1] + (not goes_on))
    return takes


def _is_same_take(before: Clip, after: Clip) -> bool:
    if before.numbers is None or after.numbers is None:
        return False
    close = CLOSE * max(before.step, after.step)
    if before.label != after.label:  # an event within a take changes the label, and the numbers go on
        return before.numbers[1] <= after.numbers[0] <= before.numbers[1] + close
    return after.numbers[0] <= before.numbers[1] + close and before.numbers[0] <= after.numbers[1] + close


def _number_blocks(lengths: Sequence[int]) -> list[int]:
    """Numbers each clip by the block from 1 up in which its middle row lies."""
    total, before, blocks = sum(lengths), 0, []
    for length in lengths:
        blocks.append(int(BLOCKS * (2 * before + length) / (2 * total)) + 1)
        before += length
    return blocks
