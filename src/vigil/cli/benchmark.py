"""`vigil benchmark`: what models reach on public datasets, by a protocol that anybody can repeat."""

from pathlib import Path

import click

from vigil.cli.command import Command, json_option, print_result


@click.group()
def benchmark() -> None:
    """Say what models reach on a public dataset.

    The settings are those of the preset of the same name. Nothing is chosen on what is judged: `vigil benchmark
    landmarks --data train.csv --test new.csv` freezes what it has learnt from the first before it opens the second.
    """


@benchmark.command(
    cls=Command,
    reads="the table of --data, and that of --test once models are frozen",
    writes="DIR of --work: finished trainings, frozen models and scores, so that an interrupted run goes on",
    example="vigil benchmark landmarks --data aihub-landmarks.csv",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    metavar="CSV",
    help="Table of landmarks to learn from, and to be judged on by folds of its sources.",
)
@click.option(
    "--test",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Another table, on which models that have learnt from all of --data are scored once.",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where work that is done is kept.  [default: .vigil/benchmark/landmarks]",
)
@json_option
def landmarks(data: Path, test: Path | None, work: Path | None, as_json: bool) -> None:
    """Tell deeds apart by body landmarks.

    Both tables are of the kind landmark_csv. Classes of deeds are told apart, and the same with normal life where the
    table has it: by each pose model, by trees, and by all of them together, beside the commonest class, the length of a
    clip and the place in the picture, with three seeds and intervals over sources.
    """
    from vigil.cli.params_layers import lay_over, read_keys
    from vigil.cli.project_files import PARAMS, read_preset, read_project_file
    from vigil.core import settings
    from vigil.engine.code_version import WHOLE, code_version
    from vigil.evaluation.benchmark import landmarks as kind
    from vigil.evaluation.benchmark.landmark_judging import Setup
    from vigil.evaluation.benchmark.landmark_table import require_table

    for path in (data, test):
        if path is not None:
            require_table(path)
    params = read_keys(lay_over(read_project_file(PARAMS), [read_preset("landmarks")]))
    networks = [name for name, section in params["models"].items() if section["input"] == "segments"]
    setup = Setup(
        params,
        work or settings.home() / "benchmark" / "landmarks",
        code_version(kind.run, *((f"vigil.models.{name}", WHOLE) for name in networks)),
        lambda line: click.echo(line, err=True),
    )
    record = kind.run(data, test, setup)
    print_result(record, kind.describe(record), as_json)
