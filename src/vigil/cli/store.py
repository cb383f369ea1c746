"""`vigil store`: the store of finished results per video."""

import math
from typing import Any

import click

from vigil.cli.command import Command, json_option, print_result, require_project

GB = 10**9


class Gigabytes(click.ParamType):
    """A finite number from 0 up."""

    name = "GB"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0 <= number < math.inf:
            self.fail(f"{value}: expected a number from 0 up.", param, ctx)
        return number


@click.group()
def store() -> None:
    """Say what the store holds, or shrink it.

    The store keeps what was computed of each video, so that nothing is computed twice. It is safe to lose: what is
    missing is computed again. `vigil store gc --max-gb 5` bounds it.
    """


@store.command(
    cls=Command,
    reads=".vigil/store",
    writes="nothing",
    example="vigil store usage --json",
)
@json_option
def usage(as_json: bool) -> None:
    """Say what the store holds, in results and bytes."""
    from dataclasses import asdict

    from vigil.engine.store import Store

    require_project()
    held = Store().usage()
    print_result(asdict(held), str(held), as_json)


@store.command(
    cls=Command,
    reads=".vigil/store",
    writes=".vigil/store",
    example="vigil store gc --max-gb 5",
)
@click.option("--max-gb", type=Gigabytes(), default=20.0, show_default=True, help="How much may stay.")
@json_option
def gc(max_gb: float, as_json: bool) -> None:
    """Remove what was not used for longest.

    No more than --max-gb is left. Files that also lie in data/ or in DVC's cache take no space of their own and do not
    count. It is refused while a stage is running, a training too: that may need what would be removed.
    """
    from dataclasses import asdict

    from vigil.engine.store import Store

    require_project()
    freed = Store().gc(int(max_gb * GB))
    print_result(asdict(freed), str(freed), as_json)
