"""Writing what was captured, or made of it, where a disk may be full."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from vigil.core.errors import VigilError


@contextmanager
def naming_output(output: Path | str, what: str = "") -> Iterator[None]:
    """What keeps an output from being written, a full disk or packets that no file takes, is said with its name."""
    try:
        yield
    except (av.error.FFmpegError, OSError) as error:
        subject = f"{what} " if what else ""
        raise VigilError(f"{output}: {subject}cannot be written: {error.strerror or type(error).__name__}.") from None
