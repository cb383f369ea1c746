"""`vigil sync`: lists every configured dataset, so that the pipeline sees new videos."""

from pathlib import Path

import click

from vigil.cli.command import Command, json_option, print_result, require_project


@click.command(
    cls=Command,
    reads="params.yaml, and the folders, tables and playlists that its datasets name",
    writes="data/sources.csv, when something has changed; in a workspace code.json, after an upgrade of vigil",
    example="vigil sync && dvc repro",
)
@click.option(
    "--params",
    type=click.Path(path_type=Path),
    default=Path("params.yaml"),
    show_default=True,
    metavar="FILE",
    help="The settings.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("data/sources.csv"),
    show_default=True,
    metavar="FILE",
    help="The table to write.",
)
@click.option(
    "--index", metavar="SET", help="First write the data.csv of this set of kind frame_folders, from its folders."
)
@json_option
def sync(params: Path, out: Path, index: str | None, as_json: bool) -> None:
    """List the videos of every dataset.

    Before that it holds all of params.yaml against what the stages take, and says everything that is wrong at once.
    `dvc repro` then sees which are new, and works on those alone. Also deletes what is left of a model that was taken
    out of params.yaml.
    """
    from vigil.cli.params_check import read_valid_params, unnamed_labels
    from vigil.engine.removed_models import leave_notes_of_absence, remove_stale_models
    from vigil.engine.stage_code import MODELS_BY_NAME, refresh_digests
    from vigil.engine.torn_lock import remove_torn_lock
    from vigil.footage import sources

    require_project()
    if remove_torn_lock(Path()):
        click.echo("removed DVC's list of locks, which a killed process had left torn", err=True)
    settings = read_valid_params(params)
    datasets = settings.get("datasets")
    if index:
        click.echo(f"wrote {sources.index(datasets, index)}", err=True)
    summary = sources.sync(datasets, out)
    if refresh_digests():
        click.echo("code.json: vigil has other code than before; what could compute something else will run", err=True)
    for sentence in unnamed_labels(settings):
        click.echo(f"warning: {sentence}", err=True)
    for model in remove_stale_models(settings.get("models")):
        click.echo(f"removed what was left of {model}, which is no longer in {params}", err=True)
    leave_notes_of_absence(settings.get("models"), MODELS_BY_NAME)
    print_result(summary, str(summary), as_json)
