"""The pose model as two TFLite networks and as the bundle that MediaPipe's Tasks API reads.

The Tasks API refuses a network that takes floating point pictures without saying how they are normalised. The detector
of the 0.10.21 wheel says so, its landmark network, made for an older API, does not: `write_bundle` adds that.
"""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from vigil.core.errors import VigilError

DETECTOR, LANDMARKS = "pose_detector.tflite", "pose_landmarks_detector.tflite"  # as the Tasks API calls them
IN_WHEEL = {
    DETECTOR: "mediapipe/modules/pose_detection/pose_detection.tflite",
    LANDMARKS: "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
}
ALIGN = 64  # bytes: the networks are mapped into memory where they lie
PADDING = 0xD935  # the zip extra field with which Android's zipalign pads
LOCAL_HEADER, EXTRA_HEADER = 30, 4  # bytes
OUTPUTS = 5  # of the landmark network
WHITE = 255.0  # pictures go in as x / 255


def extract_networks(archive: Path) -> dict[str, bytes]:
    """Reads the two networks inside a mediapipe wheel or a .task bundle, by their names in a bundle."""
    try:
        with zipfile.ZipFile(archive) as file:
            members = set(file.namelist())
            for names in (IN_WHEEL, {name: name for name in IN_WHEEL}):
                if members.issuperset(names.values()):
                    return {name: file.read(path) for name, path in names.items()}
    except (zipfile.BadZipFile, EOFError) as error:
        raise VigilError(
            f"{archive.name}: neither a wheel nor a pose landmarker bundle ({error}). Fetch it again."
        ) from None
    raise VigilError(
        f"{archive.name}: no pose networks inside; expected the wheel of mediapipe 0.10.21, or an official pose "
        f"landmarker bundle with {DETECTOR} and {LANDMARKS}."
    )


def write_bundle(parts: Mapping[str, bytes], out: Path) -> None:
    """Writes the bundle: stored, aligned, with fixed dates, so that the same networks give the same bytes."""
    described = dict(parts) | {LANDMARKS: _add_metadata(parts[LANDMARKS])}
    with out.open("wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in described.items():
            info = zipfile.ZipInfo(name)
            pad = -(file.tell() + LOCAL_HEADER + len(name) + EXTRA_HEADER) % ALIGN
            info.extra = struct.pack("<HH", PADDING, pad) + bytes(pad)
            archive.writestr(info, data)


def _add_metadata(network: bytes) -> bytes:
    """Adds metadata to the network: one RGB picture, divided by 255."""
    import flatbuffers  # type: ignore[import-untyped]
    from mediapipe.tasks.metadata import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(network, 0))
    buffer = schema.BufferT()
    buffer.data = list(_metadata())
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [metadata for metadata in model.metadata or [] if metadata.name != b"TFLITE_METADATA"] + [entry]
    builder = flatbuffers.Builder(len(network) + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _metadata() -> bytes:
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as schema

    scale = schema.NormalizationOptionsT()
    scale.mean, scale.std = [0.0], [WHITE]
    unit = schema.ProcessUnitT()
    unit.optionsType, unit.options = schema.ProcessUnitOptions.NormalizationOptions, scale
    content = schema.ContentT()
    content.contentProperties = schema.ImagePropertiesT()
    content.contentProperties.colorSpace = schema.ColorSpaceType.RGB
    content.contentPropertiesType = schema.ContentProperties.ImageProperties
    image = schema.TensorMetadataT()
    image.name, image.content, image.processUnits = "image", content, [unit]
    graph = schema.SubGraphMetadataT()
    graph.inputTensorMetadata = [image]
    graph.outputTensorMetadata = [schema.TensorMetadataT() for _ in range(OUTPUTS)]
    root = schema.ModelMetadataT()
    root.name, root.subgraphMetadata, root.minParserVersion = "pose_landmarks", [graph], "1.0.0"
    builder = flatbuffers.Builder(0)
    builder.Finish(root.Pack(builder), b"M001")
    return bytes(builder.Output())
