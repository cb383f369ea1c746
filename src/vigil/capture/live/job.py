"""What the process that captures a camera is told, and what it tells: the memory it shares, and its messages."""

from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.reduction import DupFd
from typing import Any, Literal

from vigil.capture.live.camera_params import CameraParams
from vigil.capture.live.frame_ring import FrameRing
from vigil.capture.live.packet_ring import PacketRing
from vigil.capture.live.shared_memory import SharedMemory
from vigil.capture.sources import Source

BEAT_S = 0.2
PieceReason = Literal["clock jump", "size change", "reconnect"]


@dataclass(frozen=True)
class Job:
    """What the process needs to know."""

    source: Source
    params: CameraParams
    frames: FrameRing
    packets: PacketRing
    beat: SharedMemory  # when this process was last known to be alive, in ns of the steady clock
    bell: int  # a byte is written to this pipe with every frame
    begun_s: float  # time 0 of the camera, by the steady clock
    piece: int  # number of the first piece

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "bell": DupFd(self.bell)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "bell": state["bell"].detach()})


@dataclass(frozen=True)
class Connected:
    """A connection stands: how its packets are decoded, for who cuts clips."""

    configuration: int
    template: bytes


@dataclass(frozen=True)
class Failed:
    reason: str
    is_refusal: bool


@dataclass(frozen=True)
class Begun:
    """A piece begins; its first frame follows."""

    piece: int
    reason: PieceReason | None  # None for the first of all
    time_s: Fraction
