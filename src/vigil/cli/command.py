"""What the commands share: their class, their common options, and how results are printed.

Nothing here imports numpy, torch or pydantic, so that `vigil --help` is quick; commands import what they need when run.
"""

import json
from pathlib import Path
from typing import Any

import click

from vigil.core import settings
from vigil.core.errors import VigilError

EXIT_CODES = "0 done; 1 a problem, said in one line; 2 wrong usage; 130 stopped"


class Command(click.Command):
    """A command whose help says what it reads and writes, with an example, and whose errors begin with its name."""

    def __init__(
        self, *args: Any, reads: str, writes: str, example: str, exit_codes: str = EXIT_CODES, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.facts = {"Reads": reads, "Writes": writes, "Exit codes": exit_codes}
        self.example = example

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The facts, and the example in one line, so that it can be copied."""
        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        formatter.write_dl(list(self.facts.items()))
        formatter.write(f"\nExample:\n  {self.example}\n")

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except VigilError as error:
            problem = " ".join(str(error).split())
        except BrokenPipeError:  # whoever reads the output has seen enough
            raise
        except OSError as error:
            problem = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise click.ClickException(f"{ctx.command_path}: {problem}")


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

calibration_option = click.option(
    "--calibration",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Calibration of the model.  [default: calibration/MODEL.json beside the model's folder]",
)


def print_result(payload: object, text: str, as_json: bool) -> None:
    """Print the result to stdout, for a program or for a person."""
    click.echo(json.dumps(payload, indent=2, sort_keys=True) if as_json else text)


def require_project() -> None:
    """VigilError outside a project: what is written there would never be found again."""
    if not (settings.root() / ".dvc").is_dir():
        raise VigilError(f"{Path.cwd()}: not in a vigil project. Run it in the project's folder.")
