"""Runs of the loop over videos, as the tests of the engine start and compare them."""

from collections.abc import Sequence
from pathlib import Path

from vigil.engine.per_video import Item, Outcome, Runtime

OUT = Path("out")
SERIAL = Runtime(executor="serial", workers=1, timeout_s=60.0, address=None)


def processes(workers: int = 2, timeout_s: float = 60.0) -> Runtime:
    return Runtime(executor="process", workers=workers, timeout_s=timeout_s, address=None)


def items_of(texts: Sequence[str]) -> list[Item]:
    return [Item(f"set/{text}", (text,), (text,), (OUT / "set" / f"{text}.txt",)) for text in texts]


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def reasons(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {outcome.item.name.split("/")[1]: outcome.reason for outcome in outcomes if outcome.reason}
