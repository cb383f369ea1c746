"""Clips cut out of packets, without decoding: from the key picture at or before the start to the stop.

What decodes packets travels as a template: a file in memory with a header and a packet of no meaning.
"""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from vigil.capture.live.packet_ring import RingPacket
from vigil.capture.writing import naming_output
from vigil.core.errors import VigilError
from vigil.core.storage import replacing

TICK = Fraction(1, 90000)  # s, the unit of times in a clip
NS = 10**9
CLIP = "the clip"
NO_LOOK = {"probesize": "32", "analyzeduration": "1"}  # the header says it all


@dataclass(frozen=True)
class Clip:
    """A clip that was cut. It begins before what was asked for, at a key picture, unless that is gone already."""

    start_s: Fraction  # of the camera's time
    stop_s: Fraction
    missing: str = ""  # what was asked for and is not in it


def pack_configuration(stream: Any) -> bytes:
    """Returns a template by which packets of a stream can be written to a file, elsewhere and later."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="nut") as container:
        copied = container.add_stream_from_template(stream)
        packet = av.Packet(bytes(4))  # a header alone cannot be opened
        packet.time_base, packet.pts, packet.dts, packet.is_keyframe = TICK, 0, 0, True
        packet.stream = copied
        container.mux(packet)
    return memory.getvalue()


def write_clip(
    path: Path, packets: Sequence[RingPacket], templates: Mapping[int, bytes], start_s: Fraction, stop_s: Fraction
) -> Clip:
    """Writes packets as MP4. Where the camera changed how it encodes, the longer part is kept and the rest is told."""
    with naming_output(path, CLIP), replacing(path) as partial_path:
        options = {"movflags": "+faststart"}
        return _mux(str(partial_path.absolute()), str(path), options, packets, templates, start_s, stop_s)


def copy_clip(
    name: str, packets: Sequence[RingPacket], templates: Mapping[int, bytes], start_s: Fraction, stop_s: Fraction
) -> tuple[io.BytesIO, Clip]:
    """The same in memory, for who must not write what was captured; `name` is for errors."""
    memory = io.BytesIO()
    with naming_output(name, CLIP):
        clip = _mux(memory, name, {}, packets, templates, start_s, stop_s)
    memory.seek(0)
    return memory, clip


def _mux(
    target: str | io.BytesIO,
    name: str,
    options: dict[str, str],
    packets: Sequence[RingPacket],
    templates: Mapping[int, bytes],
    start_s: Fraction,
    stop_s: Fraction,
) -> Clip:
    if not packets:
        raise VigilError(f"{name}: no packet from {float(start_s):.1f} to {float(stop_s):.1f} s of the camera is kept.")
    counts = Counter(templates[packet.configuration] for packet in packets if packet.configuration in templates)
    if not counts:
        raise VigilError(f"{name}: nothing says how the packets of the clip are decoded.")
    template = max(counts, key=lambda header: counts[header])
    clip_packets = [packet for packet in packets if templates.get(packet.configuration) == template]
    while clip_packets and not clip_packets[0].is_key:
        del clip_packets[0]
    if not clip_packets:
        raise VigilError(f"{name}: no key picture from {float(start_s):.1f} to {float(stop_s):.1f} s is kept.")
    first = clip_packets[0].dts
    with av.open(io.BytesIO(template), options=NO_LOOK) as header:
        with av.open(target, "w", format="mp4", options=options) as container:
            stream: Any = container.add_stream_from_template(header.streams.video[0])
            starts = _rising([_ticks(packet.dts - first) for packet in clip_packets])
            durations = [stop - start for start, stop in pairwise(starts)]
            durations.append(durations[-1] if durations else 1)  # one of 0 would hide the last picture from players
            for ring_packet, start, duration in zip(clip_packets, starts, durations, strict=True):
                packet = av.Packet(ring_packet.data)
                packet.time_base, packet.duration = TICK, duration
                packet.dts, packet.pts = start, max(_ticks(ring_packet.pts - first), start)
                packet.is_keyframe = ring_packet.is_key
                packet.stream = stream
                container.mux(packet)
    begun, ended = Fraction(first, NS), Fraction(clip_packets[-1].dts, NS)
    missing = []
    if begun > start_s + Fraction(1, 10):
        missing.append(f"the first {float(begun - start_s):.1f} s")
    if len(clip_packets) < len(packets):
        missing.append("a part in which the camera encoded otherwise")
    return Clip(begun, ended, " and ".join(missing))


def _rising(ticks: Sequence[int]) -> list[int]:
    """Moves times that do not rise one tick behind the one before."""
    rising: list[int] = []
    for tick in ticks:
        rising.append(max(tick, rising[-1] + 1) if rising else tick)
    return rising


def _ticks(ns: int) -> int:
    return round(Fraction(ns, NS) / TICK)
