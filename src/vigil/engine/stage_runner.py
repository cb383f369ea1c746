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
    """Runs `main` as DVC stage `name`; leaves the process with 1 after one line on stderr where it fails."""
    settings.prepare()
    types = {key: value_type for key, value_type in get_type_hints(main).items() if key != "return"}
    parser = argparse.ArgumentParser(
        prog=f"vigil.stages.{name}",
        description=main.__doc__ or sys.modules[main.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for key, value_type in types.items():
        if value_type in OPTIONS:
            parser.add_argument(f"--{key}", type=value_type, required=True)
    options = vars(parser.parse_args(argv))
    texts = [value for value in options.values() if isinstance(value, str)]
    try:
        if "DVC_STAGE" in os.environ and settings.is_first_process():  # started by `dvc repro`
            refuse_stale_digest(name, *texts)
        params = _read_params(name, types)
        # A process that trains together with others is started by the one that holds the lock.
        with _lock_stage("@".join([name, *texts])) if settings.is_first_process() else nullcontext():
            main(**options, **params)
    except VigilError as error:
        sys.exit(fail(name, error))
    except KeyboardInterrupt:
        print(f"{name}: stopped. What is finished is kept; the same command goes on from there.", file=sys.stderr)
        sys.exit(130)


@contextmanager
def _lock_stage(name: str) -> Iterator[None]:
    """Keeps other processes from running this stage here meanwhile, and from shrinking the store."""
    with stage_lock(name), Store().in_use():
        yield


def fail(where: str, error: VigilError) -> int:
    """Prints a user's mistake as one line, and returns the exit code."""
    line = " ".join(str(error).split())
    print(line if line.startswith(f"{where}:") else f"{where}: {line}", file=sys.stderr)
    return 1


def _read_params(name: str, types: Mapping[str, type]) -> dict[str, Any]:
    param_types = {key: param_type for key, param_type in types.items() if param_type not in OPTIONS}
    if not param_types:
        return {}
    sections = load(Path("params.yaml"))
    values: dict[str, Any] = {}
    for key, param_type in param_types.items():
        section = name if key == "params" else key
        where = f"params.yaml [{section}]"
        if section not in sections:
            raise VigilError(f"{where}: no such section. Known: {', '.join(sections)}.{near_miss(section, sections)}")
        if isinstance(param_type, type) and issubclass(param_type, Frozen):
            values[key] = param_type.read(sections[section], where)
        elif isinstance(sections[section], Mapping):
            values[key] = sections[section]
        else:
            raise VigilError(f"{where}: expected names with settings, found {sections[section]!r}.")
    return values
