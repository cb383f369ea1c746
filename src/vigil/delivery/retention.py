"""Old alerts, and what was written of them, are deleted; so a camera that is watched for years fills no disk."""

from glob import escape
from pathlib import Path

from vigil.delivery.outbox import Outbox


def delete_old_alerts(outbox: Outbox, days: float, evidence: Path | None) -> int:
    """Deletes alerts that were over and settled with every target `days` ago, and returns how many there were.

    Their pictures, clips and what they are replayed from go too: all files of `evidence`/<camera> by an alert's name,
    and those beside a recording's clip by that clip's.
    """
    alerts = outbox.delete_old(days)
    if evidence is not None:
        for alert in alerts:
            for named in {evidence / alert.camera / f"{alert.id}.mp4", evidence / (alert.clip or "")} - {evidence}:
                for file in named.parent.glob(f"{escape(named.stem)}.*"):
                    file.unlink(missing_ok=True)
    return len(alerts)
