"""What others have published on such clips, and how they judged it: to be read beside a table, not against it."""

from typing import Any

NUMBERS: tuple[dict[str, Any], ...] = (
    {
        "method": "Xception, Bi-LSTM and attention (Akti et al. 2019, arXiv:2002.04355)",
        "accuracy": 0.72,
        "protocol": "the paper's own; it published the 300 clips",
    },
    {
        "method": "MC3-18, pretrained on Kinetics-400 (github.com/MohamedSebaie/"
        "Fight_Detection_From_Surveillance_Cameras-PyTorch_Project)",
        "accuracy": 0.911,
        "protocol": "held-out clips of the same 300, of which nothing says that no source is on both sides",
    },
    {
        "method": "single pictures (arXiv:2111.08370)",
        "accuracy": 0.70,
        "protocol": "learnt on one dataset of fights and judged on another; 'around', over several datasets",
    },
)


def describe_published() -> list[str]:
    """Renders the published numbers as lines of text."""
    lines = ["published by others, each by a protocol of its own:"]
    return lines + [f"  {row['accuracy']:.3f} {row['method']}: {row['protocol']}" for row in NUMBERS]
