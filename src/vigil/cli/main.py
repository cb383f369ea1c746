"""`vigil COMMAND ...`: finds the command, and turns errors into one line and an exit code."""

import sys
from collections.abc import Sequence

import click

from vigil.cli.benchmark import benchmark
from vigil.cli.calibrate import calibrate
from vigil.cli.compare import compare
from vigil.cli.detect import detect
from vigil.cli.evaluate import evaluate
from vigil.cli.export import export
from vigil.cli.init import init
from vigil.cli.models import models
from vigil.cli.outbox import outbox
from vigil.cli.register import register
from vigil.cli.replay import replay
from vigil.cli.repro import repro
from vigil.cli.results import results
from vigil.cli.store import store
from vigil.cli.sync import sync
from vigil.core import settings
from vigil.core.errors import near_miss

FAILED, WRONG_USAGE, STOPPED = 1, 2, 130
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(
    context_settings=HELP,
    epilog='Completion by Tab: eval "$(_VIGIL_COMPLETE=bash_source vigil)" in ~/.bashrc; zsh_source, fish_source too.',
)
@click.version_option(package_name="vigil", message="vigil %(version)s")
def vigil() -> None:
    """Turn raw CCTV footage into trustworthy alerts about abnormal behaviour.

    The pipeline itself is run by DVC: vigil sync && vigil repro && vigil results
    """


COMMANDS = (
    init, sync, repro, results, models, export, detect, replay, outbox, store, evaluate, calibrate, compare, benchmark,
    register,
)  # fmt: skip
for command in COMMANDS:
    vigil.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without arguments, those of the process."""
    settings.prepare()
    try:
        code = vigil.main(arguments, prog_name="vigil", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return WRONG_USAGE
    except click.UsageError as error:
        click.echo(usage_problem(error, sys.argv[1:] if arguments is None else arguments), err=True)
        return WRONG_USAGE
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return FAILED
    except click.Abort:
        return STOPPED
    return code or 0


def usage_problem(error: click.UsageError, arguments: Sequence[str]) -> str:
    """What is wrong with the arguments, and what may have been meant, in one line."""
    message = error.format_message()
    if error.ctx is not None:
        path = error.ctx.command_path
    else:  # click does not say of which command an option is that lacks its value
        path = " ".join(["vigil", *(name for name in arguments[:1] if name in vigil.commands)])
    if isinstance(error, click.NoSuchCommand) and error.ctx and isinstance(error.ctx.command, click.Group):
        message = error.message + near_miss(error.command_name, error.ctx.command.commands)
    elif isinstance(error, click.NoSuchOption) and error.ctx:
        options = [name for parameter in error.ctx.command.get_params(error.ctx) for name in parameter.opts]
        message = error.message + near_miss(error.option_name, options)
    return f"{path}: {' '.join(message.split())} See `{path} --help`."


if __name__ == "__main__":
    sys.exit(main())
