"""`vigil repro`: the pipeline, with the models side by side."""

import click

from vigil.cli.command import Command, require_project
from vigil.core import settings


@click.command(
    cls=Command,
    reads="dvc.yaml, params.yaml, data/sources.csv",
    writes="what `dvc repro` writes: data/, models/, metrics/, dvc.lock",
    example="vigil repro --lanes 4",
)
@click.option(
    "--lanes",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many models are trained or judged at once, each on one core.  [default: the cores, at most 4]",
)
def repro(lanes: int | None) -> None:
    """Run what has changed.

    The same as `dvc repro`, with the same results, but models that do not wait for one another are trained and judged
    at the same time. Before that it holds all of params.yaml against what the stages take.
    """
    from vigil.cli.params_check import read_valid_params, unnamed_labels
    from vigil.engine.removed_models import leave_notes_of_absence
    from vigil.engine.side_by_side import run_dvc, run_pipeline
    from vigil.engine.stage_code import MODELS_BY_NAME, refresh_digests
    from vigil.engine.torn_lock import remove_torn_lock

    require_project()
    remove_torn_lock(settings.root())
    sections = read_valid_params(settings.root() / "params.yaml")
    refresh_digests()
    leave_notes_of_absence(sections.get("models"), MODELS_BY_NAME)
    run_dvc("manifest")  # what is wrong with the data is better told before hours are spent on them
    for sentence in unnamed_labels(sections):
        click.echo(f"manifest: warning: {sentence}", err=True)
    run_pipeline(lanes or min(4, settings.available_cores()))
