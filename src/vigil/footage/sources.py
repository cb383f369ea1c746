"""data/sources.csv: everything that the configured datasets are made of, as `vigil sync` last saw it.

The file is the dependency of `download`, so that a new, changed or vanished video is a reason for it to run again.
"""

import pkgutil
import re
from collections.abc import Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen
from vigil.core.storage import read_table, write_table
from vigil.engine.per_video import Runtime
from vigil.footage import datasets
from vigil.footage.listing.local import dataset_root
from vigil.footage.listing.records import Listing, Source

COLUMNS = ("set", "path", "size", "sha256")
SET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")


class Kind(Protocol):
    """A module of vigil.footage.datasets that is a kind of source."""

    Params: type[Frozen]

    def sources(self, name: str, params: Any) -> list[Source]:
        """Lists what the set is made of now, sorted by path."""

    def videos(
        self, name: str, params: Any, sources: list[Source], raw: Path, truth: Path, runtime: Runtime
    ) -> Listing:
        """Brings sources into `raw/<name>`, and what is known for certain about them into `truth/<name>`."""


class Summary(dict[str, dict[str, int]]):
    """The counts that `sync` prints, by set: sources in all, new, gone, changed."""

    def __str__(self) -> str:
        lines = []
        for name, counts in self.items():
            changes = "".join(f", {counts[key]} {key}" for key in CHANGES if counts[key])
            lines.append(f"{name}: {counts['sources']} source{'s' * (counts['sources'] != 1)}{changes}")
        return "\n".join(lines)


CHANGES = ("new", "gone", "changed")


def read_datasets(section: object) -> dict[str, tuple[Kind, Frozen]]:
    """Reads kind and parameters of every set in the section `datasets` of params.yaml, sorted by name."""
    if not isinstance(section, Mapping) or not section:
        raise VigilError(f"params.yaml [datasets]: expected sets by name, each with a kind; found {section!r}.")
    datasets_by_name: dict[str, tuple[Kind, Frozen]] = {}
    for name in sorted(section, key=str):
        where, keys = f"params.yaml [datasets.{name}]", section[name]
        if not isinstance(name, str) or not SET.match(name):
            raise VigilError(f"{where}: a set's name is that of its folder: letters, digits, - and _, at most 64.")
        if twin := next((earlier for earlier in datasets_by_name if earlier.casefold() == name.casefold()), None):
            raise VigilError(f"{where}: there is '{twin}' too, which is the same folder on some systems. Rename one.")
        if not isinstance(keys, Mapping) or "kind" not in keys:
            raise VigilError(f"{where}: missing key 'kind'. Known kinds: {', '.join(kinds())}.")
        kind = _find_kind(keys["kind"], where)
        datasets_by_name[name] = kind, kind.Params.read({key: keys[key] for key in keys if key != "kind"}, where)
    return datasets_by_name


def kinds() -> list[str]:
    """Lists the kinds of dataset."""
    return [name for name in _modules() if hasattr(import_module(f"{datasets.__name__}.{name}"), "videos")]


def sync(section: object, out: Path) -> Summary:
    """Lists every configured set into `out`, which is written only when something changed."""
    now = {name: kind.sources(name, params) for name, (kind, params) in read_datasets(section).items()}
    try:
        before = read_sources(out)
    except VigilError:  # not there yet, or damaged: this is what makes it anew
        before = {}
    if now != before:
        write_table(out, [asdict(source) for name in sorted(now) for source in sorted(now[name])], COLUMNS)
    names = sorted(now.keys() | before.keys())
    return Summary({name: _compare(before.get(name, []), now.get(name, [])) for name in names})


def index(section: object, name: str) -> Path:
    """Writes data.csv into the folder of a set of kind frame_folders: what its folders tell."""
    configured = read_datasets(section)
    if name not in configured:
        hint = near_miss(name, configured)
        raise VigilError(f"params.yaml [datasets]: no set '{name}'. Known: {', '.join(configured)}.{hint}")
    kind, params = configured[name]
    if not hasattr(kind, "write_index"):
        raise VigilError(f"params.yaml [datasets.{name}]: only sets of kind frame_folders have a data.csv.")
    path: Path = kind.write_index(dataset_root(name, params.path))  # type: ignore[attr-defined]
    return path


def read_sources(path: Path) -> dict[str, list[Source]]:
    """Reads the sources by set, as `sync` wrote them."""
    if not path.exists():
        raise VigilError(f"{path}: not found. Run `vigil sync`.")
    sources: dict[str, list[Source]] = {}
    for number, row in enumerate(read_table(path), 2):
        if set(row) != set(COLUMNS) or not re.fullmatch(r"\d*", row["size"]):
            raise VigilError(
                f"{path}: line {number}: expected {', '.join(COLUMNS)}. Run `vigil sync` to write it anew."
            )
        size = int(row["size"]) if row["size"] else None
        sources.setdefault(row["set"], []).append(Source(row["set"], row["path"], size, row["sha256"]))
    return sources


def _find_kind(name: object, where: str) -> Kind:
    if name in _modules():
        module = import_module(f"{datasets.__name__}.{name}")
        if hasattr(module, "videos"):
            return cast("Kind", module)
    hint = near_miss(str(name), kinds())
    raise VigilError(f"{where}: kind = {name!r}: there is no such kind. Known: {', '.join(kinds())}.{hint}")


def _modules() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(datasets.__path__))


def _compare(before: list[Source], now: list[Source]) -> dict[str, int]:
    old, new = ({source.path: source for source in listed} for listed in (before, now))
    return {
        "sources": len(new),
        "new": len(new.keys() - old.keys()),
        "gone": len(old.keys() - new.keys()),
        "changed": sum(old[path] != new[path] for path in old.keys() & new.keys()),
    }
