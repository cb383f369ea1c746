"""Which code, committed or not, and which run of DVC a result comes from, as tracking.py notes it."""

import hashlib
import os
import subprocess
from pathlib import Path


def name_group() -> str:
    """Names what the runs of one `dvc repro` or experiment share: its name, or HEAD, params and code on disk."""
    if name := os.environ.get("DVC_EXP_NAME"):
        return f"{name} {os.environ.get('DVC_EXP_BASELINE_REV', '')[:7]}".strip()
    digest = hashlib.sha256(_git("rev-parse", "HEAD").encode())
    for path in (Path("params.yaml"), Path("code.json")):
        digest.update(path.read_bytes() if path.exists() else b"")
    return f"{_git('rev-parse', '--short', 'HEAD')} {digest.hexdigest()[:8]}".strip()


def describe_origin() -> dict[str, str]:
    """Returns the tags of a run, which say which stage of which code made it."""
    run_tags = {
        "mlflow.source.name": "dvc repro",
        "mlflow.source.git.commit": _git("rev-parse", "HEAD"),
        "git_dirty": str(bool(_git("status", "--porcelain", "--untracked-files=no"))).lower(),
        "dvc_stage": os.environ.get("DVC_STAGE", ""),
        "dvc_experiment": os.environ.get("DVC_EXP_NAME", ""),
    }
    return {key: value for key, value in run_tags.items() if value}


def _git(*words: str) -> str:
    """Returns what git says; an empty text where there is no git."""
    try:
        result = subprocess.run(["git", *words], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
