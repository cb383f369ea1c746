"""`vigil benchmark`: what models reach on public datasets, by a protocol that anybody can repeat."""

from pathlib import Path

import click

from vigil.cli.command import Command, json_option, print_result

FIGHT_SEEDS = (7, 11, 13, 17, 19, 23, 29, 31, 37)


@click.group()
def benchmark() -> None:
    """Say what models reach on a public dataset.

    The settings are those of the preset of the same name. Nothing is chosen on what is judged: with --test, what was
    learnt from the first data is frozen before the second is opened, and that is scored once.
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
    from vigil.benchmark.landmarks import protocol
    from vigil.benchmark.landmarks.judging import Setup
    from vigil.benchmark.landmarks.table import require_table
    from vigil.cli.params_layers import lay_over, read_keys
    from vigil.cli.project_files import PARAMS, read_preset, read_project_file
    from vigil.core import settings
    from vigil.engine.code_version import WHOLE, code_version

    for path in (data, test):
        if path is not None:
            require_table(path)
    params = read_keys(lay_over(read_project_file(PARAMS), [read_preset("landmarks")]))
    networks = [name for name, section in params["models"].items() if section["input"] == "segments"]
    setup = Setup(
        params,
        work or settings.home() / "benchmark" / "landmarks",
        code_version(protocol.run, *((f"vigil.models.{name}", WHOLE) for name in networks)),
        lambda line: click.echo(line, err=True),
    )
    record = protocol.run(data, test, setup)
    print_result(record, protocol.describe(record), as_json)


@benchmark.command(
    cls=Command,
    reads="the clips of --data, and those of --test once detectors are frozen",
    writes="DIR of --work: features, finished folds, frozen detectors and scores, so that an interrupted run goes on",
    example="vigil benchmark fights --data surveillance-fights",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder of clips to learn from, and to be judged on by folds of its sources.",
)
@click.option(
    "--test",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Another folder, on which detectors that have learnt from all of --data are scored once.",
)
@click.option(
    "--models", metavar="NAME,...", help="Of the preset's models only these, as a first look.  [default: all]"
)
@click.option(
    "--seeds", type=click.IntRange(1, 9), default=3, show_default=True, help="How often everything is learnt anew."
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where work that is done is kept.  [default: .vigil/benchmark/fights]",
)
@json_option
def fights(data: Path, test: Path | None, models: str | None, seeds: int, work: Path | None, as_json: bool) -> None:
    """Tell fights from normal life in short clips.

    Both folders are of the kind fights: fight/, normal/ and clips.csv, which says which clips are of one source. Each
    model of preset `fights` is trained, calibrated and fused by the stages of the pipeline, beside trees on the flow,
    five folds by source for each seed, with intervals over sources.
    """
    from vigil.benchmark.fights import members, protocol
    from vigil.benchmark.fights.setup import Setup
    from vigil.benchmark.result_cache import digest
    from vigil.cli.params_layers import lay_over, read_keys
    from vigil.cli.project_files import PARAMS, read_preset, read_project_file
    from vigil.cli.sections import read_runtime
    from vigil.core import settings
    from vigil.core.errors import VigilError, near_miss
    from vigil.engine.code_version import WHOLE, code_version

    params = read_keys(lay_over(read_project_file(PARAMS), [read_preset("fights")]))
    if models is not None:
        names = [name.strip() for name in models.split(",") if name.strip()]
        if unknown := [name for name in names if name not in params["models"]]:
            known = ", ".join(params["models"])
            hint = near_miss(unknown[0], params["models"])
            raise VigilError(f"--models: no model '{unknown[0]}' in preset fights. Known: {known}.{hint}")
        params["models"] = {name: params["models"][name] for name in names}
    trees = code_version(members.learn, members.judge_clips)
    code = {name: digest(trees, code_version((f"vigil.models.{name}", WHOLE))) for name in params["models"]}
    code |= dict.fromkeys((members.TREES, members.SHORTCUTS), trees)
    setup = Setup(
        params,
        work or settings.home() / "benchmark" / "fights",
        code,
        read_runtime(),
        lambda line: click.echo(line, err=True),
        FIGHT_SEEDS[:seeds],
        settings.available_cores(),
    )
    record = protocol.run(data, test, setup)
    print_result(record, protocol.describe(record), as_json)
