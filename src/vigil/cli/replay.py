"""`vigil replay`: an alert judged again."""

from pathlib import Path

import click

from vigil.cli.command import Command, json_option, print_result

DIFFERS = 3


@click.command(
    cls=Command,
    reads="the alert, what lies beside it, and the models that made it",
    writes="nothing",
    example="vigil replay evidence/door/01a17e87-a020-883c-9d62-9be67e93f866.json",
    exit_codes="0 the same; 1 it cannot be judged again, for a reason said in one line; 2 wrong usage; 3 it differs",
)
@click.argument("alert", type=click.Path(path_type=Path, dir_okay=False), metavar="ALERT.json")
@click.option("--trained", type=click.Path(path_type=Path), metavar="DIR", help="The models.  [default: the project's]")
@json_option
def replay(alert: Path, trained: Path | None, as_json: bool) -> int:
    """Judge an alert again.

    From the state of the models before it and what they looked at then, which `vigil detect --clips` keeps beside its
    clip. Says `same`, or where it differs first.
    """
    from dataclasses import asdict

    from vigil.core import settings
    from vigil.watch.alert_evidence import read_evidence

    models = trained or settings.root() / "models"
    read_back, evidence = read_evidence(alert, models)

    from vigil.watch.replay import replay_alert  # takes seconds, which no mistake has to wait for

    verdict = replay_alert(read_back, evidence, models)
    print_result(asdict(verdict), verdict.sentence(), as_json)
    return DIFFERS if verdict.difference else 0
