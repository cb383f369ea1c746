"""The tables of metrics/*.json, as the terminal and the README show them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vigil.errors import VigilError
from vigil.manifest import SPLITS
from vigil.storage import read_json, replacing

OPEN, CLOSE = "<!-- results -->", "<!-- /results -->"


def collect(metrics: Path) -> dict[str, Any]:
    """Every metrics file of the folder by its name."""
    found = {path.stem: read_json(path) for path in sorted(metrics.glob("*.json"))}
    if not found:
        raise VigilError(f"{metrics}/: no results yet. Run `make repro`, or `vigil sync` and `dvc repro`.")
    return found


def render(found: Mapping[str, Any]) -> str:
    """Markdown that reads well as plain text too."""
    return "\n\n".join([_data(found["data"])] if "data" in found else [])


def write_into(document: Path, table: str) -> None:
    """Replace what stands between the two marks in `document`."""
    before, opened, rest = document.read_text(encoding="utf-8").partition(OPEN)
    _, closed, after = rest.partition(CLOSE)
    if not opened or not closed:
        raise VigilError(f"{document}: expected the lines {OPEN} and {CLOSE} around the place of the tables.")
    with replacing(document) as part:
        part.write_text(f"{before}{OPEN}\n{table}\n{CLOSE}{after}", encoding="utf-8")


def _data(card: Mapping[str, Any]) -> str:
    """How many videos of each class there are in each split, from how many sources, and what is wrong with them."""
    classes = card["classes"]
    rows = [[label, *(str(classes[label][split]["videos"]) for split in SPLITS)] for label in classes]
    for what in ("videos", "sources"):
        rows.append([f"all {what}", *(str(card["splits"][split].get(what, 0)) for split in SPLITS)])
    rows.append(["minutes", *(f"{60 * card['splits'][split].get('hours', 0):.1f}" for split in SPLITS)])
    leaks = card["leaks"]
    notes = [
        f"Leaks across splits: {leaks['found']}, of which allowed: {leaks['allowed']}. "
        f"Rejected, with reasons in data/rejects.csv: {card['rejects']}.",
        *(f"Mind: {line}." for line in card["warnings"]),
    ]
    return "\n".join([*_table(["videos", *SPLITS], rows), "", *notes])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A pipe table, first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        [
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in [head, rule, *rows]
    ]
    return [f"| {' | '.join(line)} |" for line in lines]
