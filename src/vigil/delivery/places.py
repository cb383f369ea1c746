"""Where alerts and their evidence are kept when nobody names another place."""

from pathlib import Path

from vigil.core import settings


def default_outbox() -> Path:
    return settings.home() / "outbox.sqlite"


def default_evidence() -> Path:
    return settings.home() / "evidence"
