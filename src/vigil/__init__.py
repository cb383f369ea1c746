"""vigil: raw CCTV footage in, trustworthy alerts about abnormal human behaviour out.

from vigil import Detector
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vigil.detect.detector import Detector

__all__ = ["Detector"]


def __getattr__(name: str) -> Any:
    """Imported when it is asked for: it needs torch, which takes seconds."""
    if name == "Detector":
        from vigil.detect.detector import Detector

        return Detector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
