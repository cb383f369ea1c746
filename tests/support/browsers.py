"""A real headless browser, where Debian's is installed."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-logging=stderr",
    "--hide-scrollbars",
)
MEASURE = """<!doctype html><html><head><link rel="icon" href="data:,"></head><body style="margin:0">
<iframe id="page" src="{page}" style="width:{width}px;height:900px;border:0"></iframe><pre id="told"></pre><script>
document.getElementById('page').onload = event => {{
  const inside = event.target.contentDocument, all = [...inside.querySelectorAll('details')];
  all.forEach(one => one.open = true);
  const root = inside.documentElement, width = root.clientWidth;
  const wide = [...inside.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > width + 1
    && !one.closest('.scroll')).slice(0, 5).map(one => one.tagName + '.' + one.className.toString());
  const blank = [...inside.images].filter(one => !one.naturalWidth).length;
  document.getElementById('told').textContent =
    'MEASURED ' + [root.scrollWidth, width, inside.images.length, blank, wide.join(',') || 'none'].join(' ');
}};
</script></body></html>"""


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    return found


def opened(page: Path, width: int, profile: Path) -> tuple[list[str], list[str], str]:
    """What the page was asked for on the network, what its console says, and MEASURED as above, at this width."""
    (page.parent / f"measure-{width}.html").write_text(MEASURE.format(page=page.name, width=width))
    with served(page.parent) as (address, asked):
        ran = subprocess.run(
            [chromium(), *FLAGS, f"--user-data-dir={profile}", "--window-size=1400,1000", "--dump-dom",
             "--virtual-time-budget=20000", f"{address}/measure-{width}.html"],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    told = re.search(r"MEASURED (.*)</pre>", ran.stdout)
    assert told, f"{ran.stdout[-500:]}\n{ran.stderr[-2000:]}"
    return asked, [line for line in ran.stderr.splitlines() if "CONSOLE" in line], told[1]


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The folder on a port of this machine, and the paths that are asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, _: str, *args: object) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
