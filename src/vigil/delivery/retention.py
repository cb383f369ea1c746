"""Old alerts, and what was written of them, are deleted; so a camera that is watched for years fills no disk."""

from glob import escape
from pathlib import Path

from vigil.core.counts import count
from vigil.core.errors import VigilError
from vigil.delivery.outbox import Outbox


def require_evidence(outbox: Outbox, days: float, evidence: Path) -> None:
    """VigilError where old alerts have pictures or clips, and none of them lies in this folder: they would stay."""
    named = [path for alert in outbox.find_old(days) for path in (alert.picture, alert.clip) if path is not None]
    if named and not any((evidence / path).exists() for path in named):
        files = count(len(named), "picture or clip", "pictures and clips")
        raise VigilError(
            f"{evidence}: of {files} of these alerts none lies there. Name their folder with --evidence: that of "
            "--clips or --batch of `vigil detect`. Whatever is named, the alerts go."
        )


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
