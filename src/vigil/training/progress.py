"""A bar over all epochs, for a person at a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor

Advance = Callable[[int, Tensor], None]  # epoch (from 0), mean loss of the epoch so far


@contextmanager
def progress_bar(name: str, epochs: int, steps_per_epoch: int, first_epoch: int) -> Iterator[Advance]:
    """Shows a bar on stderr, and yields what advances it by a step. Lines printed meanwhile appear above it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [
        TextColumn(name, markup=False),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=epochs * steps_per_epoch, completed=first_epoch * steps_per_epoch, state="")

        def advance(epoch: int, loss: Tensor) -> None:
            progress.update(task, advance=1, state=f"epoch {epoch + 1} of {epochs}, loss {loss.item():.4g}")

        yield advance
