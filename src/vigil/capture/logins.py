"""User names and passwords of cameras: kept apart from what is shown, and found where they need not be typed.

An address may hold them (rtsp://user:password@host/path). So may the environment, by the camera's name, here `door`:

    VIGIL_USER_DOOR=admin VIGIL_PASSWORD_DOOR=...

and a file of cameras: see camera_file.py.
"""

import os
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from vigil.core.errors import VigilError

HIDDEN = "***"
SECRET_KEY = re.compile(r"(?i)([?&;][^=&;]*(?:pass|pwd|token|key|auth|secret|sig|user|usr|login)[^=&;]*=)([^&;#]*)")


@dataclass(frozen=True, repr=False)
class Login:
    """Who logs in, and how. It shows nothing of itself when it is printed."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({HIDDEN})"

    def in_address(self) -> str:
        """Returns `user:password@`, safe within an address."""
        return f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.user or self.password else ""

    def hide_in(self, text: str) -> str:
        """Takes the password out of a text, whether or not it is quoted there."""
        spellings = {self.password, quote(self.password), quote(self.password, safe=""), unquote(self.password)}
        for spelling in sorted(filter(None, spellings), key=len, reverse=True):
            text = text.replace(spelling, HIDDEN)
        return text


NOBODY = Login("", "")


def split_login(rest: str) -> tuple[Login, str]:
    """Splits what follows `scheme://` into the login and the rest. The error shows nothing of either."""
    authority, slash, path = rest.partition("/")
    login, at, host = authority.rpartition("@")
    port = host.rpartition("]")[2].partition(":")[2]
    if port and not port.isdecimal() and "@" in rest:
        raise VigilError("an address with a password that holds '/', '?' or '#': write these as %2F, %3F, %23 in it.")
    if not at:
        return NOBODY, rest
    user, _, password = login.partition(":")
    return Login(unquote(user), unquote(password)), f"{host}{slash}{path}"


def show_address(address: str) -> str:
    """Returns an address without what may be secret in it: a login, or the values of keys that sound like one."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    authority, slash, path = rest.partition("/")
    if "@" in path:  # the end of a password that was not quoted
        path = f"{HIDDEN}@{path.rpartition('@')[2]}"
    path = SECRET_KEY.sub(rf"\1{HIDDEN}", path)
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def login_from_environment(name: str) -> Login | None:
    """Finds the login of a camera in the environment; None where there is no password."""
    suffix = re.sub(r"\W", "_", name, flags=re.ASCII).upper()
    password = os.environ.get(f"VIGIL_PASSWORD_{suffix}")
    return None if password is None else Login(os.environ.get(f"VIGIL_USER_{suffix}", ""), password)
