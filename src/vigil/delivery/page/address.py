"""Where the page is served: what a user has written, and whether anything can listen there."""

import socket

from vigil.core.errors import VigilError

HOST = "127.0.0.1"


def parse_address(text: str) -> tuple[str, int]:
    """`8080`, `0.0.0.0:8080` or `[::]:8080`."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal():
        raise VigilError(f"--serve {text}: expected [HOST:]PORT, such as 8080.")
    return host.strip("[]") or HOST, int(port)


def bind_socket(host: str, port: int) -> socket.socket:
    """A socket that is bound there; VigilError where that cannot be. Port 0 is any that is free."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise VigilError(f"--serve {host}:{port}: cannot listen there: {error.strerror or error}.") from None
    except OverflowError:
        bound.close()
        raise VigilError(f"--serve {host}:{port}: no port; expected 0 to 65535.") from None
    return bound
