"""How many folds of sources there are, and how many sources of each label that takes."""

from collections.abc import Mapping

from vigil.core.errors import VigilError

FOLDS = 5  # at most; no more than the rarest label has sources
LEAST_SOURCES = 3  # of a label: one to learn from, one to choose by, one to be judged


def require_sources(counts: Mapping[str, int], where: str = "", advice: str = "Bring more clips of it.") -> None:
    """Raises VigilError where a label has fewer than LEAST_SOURCES sources; `counts` by label."""
    for label, count in counts.items():
        if count < LEAST_SOURCES:
            raise VigilError(
                f"{where}label '{label}' has {count} source{'s' * (count != 1)}; a benchmark needs {LEAST_SOURCES}: "
                f"one to learn from, one to choose by and one to be judged. {advice}"
            )
