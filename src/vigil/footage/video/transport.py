"""MPEG transport streams: where blocks are missing. Their reader passes over that, and a decoder may not miss them.

A stream is blocks of equal size that begin with the same byte, and those of one picture after the other are counted
from 0 to 15, and so on. A block that is none, or a number that is left out, is a hole.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

SYNC = 0x47  # the first byte of a block
BLOCK = 188  # bytes
LAYOUTS = ((188, 0), (192, 4), (204, 0))  # bytes from one block to the next, and before its first byte
STEADY = 4  # blocks in a row by which a layout is known
CHUNK = 1 << 16  # blocks that are read at a time


def find_holes(path: Path, stream_id: int) -> list[int]:
    """Returns where something is missing from one stream, as positions in the file; nothing of any other file.

    The end of a file that stops within a block is a hole, too.
    """
    layout = _find_layout(path)
    if layout is None:
        return []
    step, offset = layout
    holes: list[int] = []
    counter = -1  # of the newest block of the stream
    for position, blocks in _read_blocks(path, step, offset, holes):
        flags, adaptation = blocks[:, 3], (blocks[:, 3] & 0x20) > 0
        number = (blocks[:, 1].astype(int) & 0x1F) << 8 | blocks[:, 2]
        of_stream = np.flatnonzero((number == stream_id) & ((flags & 0x10) > 0))
        announced = (adaptation & (blocks[:, 4] > 0) & ((blocks[:, 5] & 0x80) > 0))[of_stream]
        counters = (flags[of_stream] & 15).astype(int)
        steps = np.diff(counters, prepend=counter if counter >= 0 else (counters[0] - 1 if len(of_stream) else 0)) % 16
        is_hole = (steps > 1) & ~announced | ((blocks[of_stream, 1] & 0x80) > 0)  # 0: the same block again
        holes += (position + of_stream[is_hole] * step).tolist()
        counter = int(counters[-1]) if len(of_stream) else counter
    return sorted(holes)


def _find_layout(path: Path) -> tuple[int, int] | None:
    with path.open("rb") as file:
        head = file.read(STEADY * LAYOUTS[-1][0])
    return next((layout for layout in LAYOUTS if head[layout[1] :: layout[0]][:STEADY] == bytes([SYNC] * STEADY)), None)


def _read_blocks(path: Path, step: int, offset: int, holes: list[int]) -> Iterator[tuple[int, np.ndarray]]:
    """Yields (position, (B, 188) uint8) of blocks that follow each other; adds to `holes` where there is no block."""
    with path.open("rb") as file:
        position = offset
        while True:
            file.seek(position)
            data = np.frombuffer(file.read(step * CHUNK), np.uint8)
            count = (len(data) - BLOCK) // step + 1 if len(data) >= BLOCK else 0
            if not count:
                if data.any():
                    holes.append(position)
                return
            blocks = np.lib.stride_tricks.as_strided(data, (count, BLOCK), (step, 1), writeable=False)
            bad = np.flatnonzero(blocks[:, 0] != SYNC)
            good = int(bad[0]) if len(bad) else count
            if good:
                yield position, blocks[:good]
            position += good * step
            if not len(bad):
                continue
            holes.append(position)
            beginning = _find_block(data[good * step :], step)
            position += len(data) - good * step if beginning is None else beginning


def _find_block(data: np.ndarray, step: int) -> int | None:
    """Returns where blocks begin again; None where there are none."""
    starts = np.flatnonzero(data == SYNC)
    for back in range(1, STEADY):
        ahead = starts + back * step
        starts = starts[np.where(ahead < len(data), data[np.minimum(ahead, len(data) - 1)] == SYNC, True)]
    return int(starts[0]) if len(starts) else None
