"""The detector of each source: that of the command, or one with a camera's own models, calibrations and zones."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from vigil.capture.sources import Source
from vigil.core.errors import VigilError
from vigil.detect.detector import Detector
from vigil.features.zones import Zones
from vigil.watch.request import Request

Key = tuple[tuple[str, ...] | None, tuple[tuple[str, Path], ...], Zones | None]  # what tells detectors apart


class Detectors:
    """`with Detectors(request, sources) as detectors: detectors.of(source)`; all of them are loaded before any runs."""

    def __init__(self, request: Request, sources: Sequence[Source]) -> None:
        self._request, self._sources, self._stack = request, sources, ExitStack()
        self._loaded: dict[Key, Detector] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for source in self._sources:
                key = self._key(source)
                if key not in self._loaded:
                    self._loaded[key] = stack.enter_context(self._load(source, key))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def of(self, source: Source) -> Detector:
        """Those with the same models, calibrations and zones share one: copy it, or reset it."""
        return self._loaded[self._key(source)]

    @property
    def alarming(self) -> list[str]:
        """All that raise alerts on some source."""
        return list(dict.fromkeys(name for detector in self._loaded.values() for name in detector.alarming))

    @property
    def scoring(self) -> list[str]:
        """All that have scores on some source."""
        return list(dict.fromkeys(name for detector in self._loaded.values() for name in detector.scoring))

    def _key(self, source: Source) -> Key:
        names, calibrations = self._request.choose_models(source)
        polygons = None if source.entry is None else source.entry.zones
        zones = None if polygons is None else Zones(polygons)
        return None if names is None else tuple(names), tuple(sorted(calibrations.items())), zones

    def _load(self, source: Source, key: Key) -> Detector:
        names, calibrations, zones = key
        request = self._request
        try:
            return Detector.load(
                request.trained,
                names,
                calibrations=dict(calibrations),
                threshold=request.threshold,
                budget=request.budget,
                zones=zones,
                find_heads=request.outputs.anonymise,
                find_poses=request.outputs.show_people,
                runtime=request.runtime,
            )
        except VigilError as error:
            if source.entry is None:
                raise
            raise VigilError(f"camera {source.name}: {error}") from None
