"""`vigil results`: the tables of the last run."""

from pathlib import Path

import click

from vigil.cli.command import Command, json_option, print_result


@click.command(
    cls=Command,
    reads="metrics/*.json",
    writes="nothing, or FILE of --into",
    example="vigil results --into README.md",
)
@click.option(
    "--metrics",
    type=click.Path(path_type=Path),
    default=Path("metrics"),
    show_default=True,
    metavar="DIR",
    help="The folder of metrics.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the tables into this document instead, between its two marks <!-- results --> and <!-- /results -->.",
)
@json_option
def results(metrics: Path, into: Path | None, as_json: bool) -> None:
    """Print what the last run found.

    That is how good each model is, and what the datasets hold.
    """
    from vigil.report.results import read_metrics, render_tables, write_into

    values = read_metrics(metrics)
    tables = render_tables(values)
    if into:
        write_into(into, tables)
    else:
        print_result(values, tables, as_json)
