"""Addresses as they may be printed, and secrets, which may not be."""

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from vigil.core.errors import VigilError

PRIVATE_KEY = re.compile(r"pass|pwd|token|key|secret|auth|sig|user|login|cred", re.IGNORECASE)  # of a query
PRIVATE_PAIR = re.compile(r"((?:pass\w*?|pwd|user\w*?|token|key)=)[^&_/;]*", re.IGNORECASE)  # of a path: some cameras
HIDDEN = "***"


def hide_credentials(address: str) -> str:
    """Returns the address without user and password, and with *** for what its path and query say of them.

    What is no URL, such as a path, comes back as it is. The same address always gives the same text.
    """
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:  # a bracket that nothing closes: what it hides cannot be told
        return f"{address.partition('://')[0]}://{HIDDEN}"
    if any(PRIVATE_KEY.search(key) for key, _ in query):
        pairs = [(key, HIDDEN if PRIVATE_KEY.search(key) else value) for key, value in query]
        parts = parts._replace(query=urlencode(pairs, safe="*"))
    path = PRIVATE_PAIR.sub(rf"\1{HIDDEN}", parts.path)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], path=path))


def short_name(kind: str, parts: SplitResult) -> str:
    """Returns 'webhook hooks.example.org 1f0c9d2e': which host, and a hash of the rest, which may be a secret."""
    rest = hashlib.sha256(urlunsplit(parts).encode()).hexdigest()[:8]
    return f"{kind} {parts.netloc.rpartition('@')[2]} {rest}"


def split_url(address: str, schemes: Mapping[str, int], option: str) -> SplitResult:
    """Returns the parts of a URL of one of these schemes. `option` names it in the error, which shows no secret."""
    expected = " or ".join(f"{scheme}://HOST" for scheme in schemes)
    try:
        parts = urlsplit(address)
        valid = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        valid = False
    if not valid:
        raise VigilError(f"{option} {hide_credentials(address)}: not an address. Expected {expected}[:PORT][/PATH].")
    return parts


def read_secret(variable: str, file: Path | None) -> str | None:
    """Returns a secret from a file, else from the environment; None where neither has it. It is never an option."""
    if file is not None:
        try:
            secret = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise VigilError(f"{file}: the secret in it cannot be read: {reason}.") from None
        if not secret:
            raise VigilError(f"{file}: empty; expected a secret.")
        return secret
    return os.environ.get(variable, "").strip() or None
