"""`vigil compare`: whether a new model may take the place of an old one."""

from pathlib import Path

import click

from vigil.cli.command import Command, json_option, print_result


@click.command(
    cls=Command,
    reads="OLD and NEW, such as data/scores",
    writes="nothing",
    example="cp -r data/scores old-scores && dvc repro && vigil compare old-scores data/scores",
    exit_codes="0 no model is worse; 1 one is, beyond chance, or with --better none is better, or a problem; "
    "2 wrong usage; 3 none is worse, and some could not be compared; 130 stopped",
)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--better", is_flag=True, help="Fail also when no model is clearly better.")
@click.option(
    "--rounds",
    type=click.IntRange(min=100),
    default=1000,
    show_default=True,
    help="How often the sources are drawn anew, for the intervals.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the draws.")
@json_option
def compare(old: Path, new: Path, better: bool, rounds: int, seed: int, as_json: bool) -> int:
    """Say whether a new model is better.

    It is compared with an old one by their scores on the same test set.

    OLD and NEW are two files test.npz, two folders of one model, or two folders of many; models that only one of them
    has are left out. Where a model cannot be compared, such as for another truth, it is said why, and the others are.
    """
    from vigil.engine.declarations import read_module

    for path in (old, new):
        read_module("vigil.report.promotion")["find_score_tables"](path)

    # what follows takes seconds, which no mistake has to wait for
    from vigil.report.promotion import Incomparable, Promotion, compare_scores

    promotions = compare_scores(old, new, rounds, seed)
    print_result([promotion.as_json() for promotion in promotions], "\n".join(map(str, promotions)), as_json)
    verdicts = {promotion.verdict for promotion in promotions if isinstance(promotion, Promotion)}
    if "worse" in verdicts or (better and "better" not in verdicts):
        return 1
    return 3 if any(isinstance(promotion, Incomparable) for promotion in promotions) else 0
