"""`vigil outbox`: what waits in the outbox of alerts, and what is parked there."""

from pathlib import Path
from typing import Any

import click

from vigil.cli.command import Command, json_option, print_result
from vigil.core.counts import count
from vigil.core.errors import VigilError, near_miss

outbox_option = click.option(
    "--outbox",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The outbox.  [default: .vigil/outbox.sqlite]",
)


@click.group()
def outbox() -> None:
    """Say which alerts wait for whom, and let them go.

    Every alert is in the outbox before it is sent anywhere. What a target will not take, or has failed for seven days,
    is parked there with the reason. All of this works while `vigil detect` runs, too.
    """


@outbox.command(cls=Command, reads="the outbox", writes="nothing", example="vigil outbox targets --json")
@outbox_option
@json_option
def targets(path: Path | None, as_json: bool) -> None:
    """Say how each target fares: what waits, what is parked, what was delivered."""
    with _open(path) as database:
        states = database.deliveries.states()
    lines = [
        f"{state.name}: {state.waiting} waiting, {state.parked} parked, {state.delivered} delivered"
        + (f"; {state.last_error}" if state.last_error else "")
        for state in states
    ]
    print_result([vars(state) for state in states], "\n".join(lines) or "no target so far", as_json)


@outbox.command(cls=Command, reads="the outbox", writes="nothing", example="vigil outbox parked")
@outbox_option
@json_option
def parked(path: Path | None, as_json: bool) -> None:
    """List what is parked, with the reason: an alert's id and revision, its camera, its target."""
    from vigil.delivery.alert import utc_text

    with _open(path) as database:
        deliveries = database.deliveries.parked()
    lines = [
        f"{delivery.target}: {delivery.key} of {delivery.camera}, since {utc_text(delivery.parked)}: {delivery.reason}"
        for delivery in deliveries
    ]
    print_result([vars(delivery) for delivery in deliveries], "\n".join(lines) or "nothing is parked", as_json)


@outbox.command(
    cls=Command, reads="the outbox", writes="the outbox", example="vigil outbox release https://hooks/vigil"
)
@click.argument("target")
@outbox_option
@json_option
def release(target: str, path: Path | None, as_json: bool) -> None:
    """Let all that is parked for a target be tried again.

    By the vigil that runs, within a second, or by the next one that sends there.
    """
    with _open(path) as database:
        target = _find_target(database, target)
        released = database.deliveries.release_parked(target)
    print_result({"released": released}, f"{target}: {released} will be tried again", as_json)


@outbox.command(cls=Command, reads="the outbox", writes="the outbox", example="vigil outbox forget https://hooks/old")
@click.argument("target")
@outbox_option
@json_option
def forget(target: str, path: Path | None, as_json: bool) -> None:
    """Forget a target that is none any more, and all that waits for it.

    The alerts stay, and so does what other targets get. A vigil that still sends there makes it a target again.
    """
    with _open(path) as database:
        target = _find_target(database, target)
        lost = database.deliveries.forget_target(target)
    print_result(
        {"forgotten": lost},
        f"{target}: forgotten, and what was not delivered to it: {count(lost, 'revision')}",
        as_json,
    )


@outbox.command(
    cls=Command, reads="the outbox", writes="the outbox and the evidence", example="vigil outbox prune --days 30"
)
@click.option("--days", type=click.FloatRange(min=0), required=True, help="How long ago they were over and delivered.")
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder of their pictures and clips, --clips of `vigil detect`.  [default: .vigil/evidence]",
)
@outbox_option
@json_option
def prune(days: float, evidence: Path | None, path: Path | None, as_json: bool) -> None:
    """Delete old alerts, with their pictures and clips.

    What is open, waits for a target or is parked stays, whatever its age.
    """
    from vigil.delivery.places import default_evidence
    from vigil.delivery.retention import delete_old_alerts, require_evidence

    with _open(path) as database:
        if evidence is None:
            require_evidence(database, days, default_evidence())
        deleted = delete_old_alerts(database, days, evidence or default_evidence())
    print_result({"deleted": deleted}, f"{count(deleted, 'alert')} deleted", as_json)


def _open(path: Path | None) -> Any:
    from vigil.delivery.outbox import Outbox
    from vigil.delivery.places import default_outbox

    path = path or default_outbox()
    if not path.exists():
        raise VigilError(f"{path}: not found: there is no outbox until `vigil detect` sends alerts somewhere.")
    return Outbox(path)


def _find_target(database: Any, words: str) -> str:
    """The target's name, which may be given without its kind, or an address or a path as `vigil detect` took it."""
    from vigil.delivery.targets import name_target

    names = [state.name for state in database.deliveries.states()]
    for name in names:
        if name in (words, name_target(words)) or name.partition(" ")[2] in (words, str(Path(words).resolve())):
            return str(name)
    hint = near_miss(words, names) or near_miss(str(Path(words).resolve()), names)
    raise VigilError(f"{words!r}: no target. Known: {', '.join(names) or 'none'}.{hint}")
