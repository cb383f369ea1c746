"""How every stage starts: paths from the command line, numbers from params.yaml, one line for an error.

A stage is a module with `main`. The type of each parameter of `main` says where its value comes from:

    Path                  the option --<name>, written once, in dvc.yaml
    a Frozen record       the section of params.yaml with the parameter's name (`params`: the stage's own section)
    Mapping               that section, not validated here
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from vigil import settings
from vigil.errors import VigilError, near_miss
from vigil.parallel import stage_lock
from vigil.params import Frozen, load


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
        if kind is Path:
            parser.add_argument(f"--{key}", type=Path, required=True)
    paths = vars(parser.parse_args(argv))
    try:
        numbers = _numbers(name, kinds)
        with stage_lock(name):
            main(**paths, **numbers)
    except VigilError as error:
        sys.exit(fail(name, error))
    except KeyboardInterrupt:
        print(f"{name}: stopped. What is finished is kept; the same command goes on from there.", file=sys.stderr)
        sys.exit(130)


def fail(where: str, error: VigilError) -> int:
    """Print the one line that a user's mistake earns; the exit code."""
    line = " ".join(str(error).split())
    print(line if line.startswith(f"{where}:") else f"{where}: {line}", file=sys.stderr)
    return 1


def _numbers(name: str, kinds: Mapping[str, type]) -> dict[str, Any]:
    wanted = {key: kind for key, kind in kinds.items() if kind is not Path}
    if not wanted:
        return {}
    sections = load(Path("params.yaml"))
    values: dict[str, Any] = {}
    for key, kind in wanted.items():
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
