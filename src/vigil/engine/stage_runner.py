"""How every stage starts: paths from the command line, numbers from params.yaml, one line for an error.

A stage is a module with `main`. The type of each parameter of `main` says where its value comes from:

    Path, str             the option --<name>, written once, in dvc.yaml
    a Frozen record       the section of params.yaml with the parameter's name (`params`: the stage's own section)
    Mapping               that section, not validated here
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, get_type_hints

from vigil.core import settings
from vigil.core.errors import VigilError, near_miss
from vigil.core.params import Frozen, load
from vigil.engine.per_video import stage_lock
from vigil.engine.stage_code import refuse_stale_digest
from vigil.engine.store import Store

OPTIONS = (Path, str)


def run_stage(name: str, main: Callable[..., None], argv: list[str] | None = None) -> None:
    """Run `main` as DVC stage `name` and leave the process: 0, or 1 after one line on stderr."""
    settings.prepare()
    kinds = {key: kind for key, kind in get_type_hints(main).items() if key != "return"}
    parser = argparse.ArgumentParser(
        prog=f"vigil.stages.{name}",
        description=main.__doc__ or sys.modules[main.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for key, kind in kinds.items():
        if kind in OPTIONS:
            parser.add_argument(f"--{key}", type=kind, required=True)
    options = vars(parser.parse_args(argv))
    words = [value for value in options.values() if isinstance(value, str)]
    try:
        if "DVC_STAGE" in os.environ and settings.is_first_process():  # started by `dvc repro`
            refuse_stale_digest(name, *words)
        numbers = _numbers(name, kinds)
        # A process that trains together with others is started by the one that holds the lock.
        with _alone("@".join([name, *words])) if settings.is_first_process() else nullcontext():
            main(**options, **numbers)
    except VigilError as error:
        sys.exit(fail(name, error))
    except KeyboardInterrupt:
        print(f"{name}: stopped. What is finished is kept; the same command goes on from there.", file=sys.stderr)
        sys.exit(130)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """No other process runs this stage here meanwhile, and nobody shrinks the store that it may look into."""
    with stage_lock(name), Store().in_use():
        yield


def fail(where: str, error: VigilError) -> int:
    """Print the one line that a user's mistake earns; the exit code."""
    line = " ".join(str(error).split())
    print(line if line.startswith(f"{where}:") else f"{where}: {line}", file=sys.stderr)
    return 1


def _numbers(name: str, kinds: Mapping[str, type]) -> dict[str, Any]:
    number_types = {key: kind for key, kind in kinds.items() if kind not in OPTIONS}
    if not number_types:
        return {}
    sections = load(Path("params.yaml"))
    values: dict[str, Any] = {}
    for key, kind in number_types.items():
        section = name if key == "params" else key
        where = f"params.yaml [{section}]"
        if section not in sections:
            raise VigilError(f"{where}: no such section. Known: {', '.join(sections)}.{near_miss(section, sections)}")
        if isinstance(kind, type) and issubclass(kind, Frozen):
            values[key] = kind.read(sections[section], where)
        elif isinstance(sections[section], Mapping):
            values[key] = sections[section]
        else:
            raise VigilError(f"{where}: expected names with settings, found {sections[section]!r}.")
    return values
