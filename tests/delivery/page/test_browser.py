"""The live page in a real browser: what is seen, read out, and done with keys, and what a restart does to it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import watched_city
from chrome import Chrome
from receivers import wait_until
from servers import free_port

TILES = "document.querySelectorAll('.tile').length"
PICTURES = "document.querySelectorAll('.tile img:not([hidden])').length"
ALERTS = "document.querySelectorAll('.alert').length"
CONNECTION = "document.getElementById('connection').textContent"


class City:
    """The program that serves the page; it can be killed and started again on the same port."""

    def __init__(self, folder: Path, **orders: Any) -> None:
        self.port = free_port()
        self.log = folder / "said"
        self.orders = {
            "port": self.port, "outbox": str(folder / "outbox.sqlite"), "evidence": str(folder / "evidence"), **orders,
        }  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self, **also: Any) -> None:
        command = [sys.executable, watched_city.__file__, json.dumps(self.orders | also)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        wait_until(lambda: "serves" in self.log.read_text(), 90)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with Chrome(tmp_path_factory.mktemp("browser") / "profile") as chrome:
        yield chrome


@pytest.fixture
def chrome(browser: Chrome) -> Chrome:
    """The browser, as new."""
    browser.open("about:blank")
    browser.call("Network.clearBrowserCookies")
    browser.look(1440, 900)
    browser.said.clear()
    return browser


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with City(tmp_path, history=8) as city:
        yield city


def opened(chrome: Chrome, city: City) -> None:
    chrome.open(city.url)
    chrome.wait_for(f"{TILES} === 6 && {PICTURES} === 6 && {ALERTS} === 10")


def test_all_cameras_and_alerts_are_seen_on_any_screen_and_nothing_is_fetched_from_elsewhere(
    chrome: Chrome, city: City, tmp_path: Path
) -> None:
    opened(chrome, city)
    assert chrome.ask("document.title") == "(2) vigil"
    assert chrome.ask("document.querySelector('.tile.away .blank').textContent").startswith("no answer from 192.0.2.14")
    assert chrome.ask("document.querySelectorAll('.tile.alarm').length") == 2
    for width, height, phone in ((1440, 900, False), (390, 844, True), (820, 1180, False)):
        for scheme in ("light", "dark"):
            chrome.look(width, height, scheme, phone)
            assert chrome.ask("document.documentElement.scrollWidth <= innerWidth"), f"{width} px wide"
            chrome.picture(tmp_path / f"{width}-{scheme}.png")
            assert (tmp_path / f"{width}-{scheme}.png").stat().st_size > 20_000
    first = chrome.ask("document.querySelector('.tile img').src")
    chrome.wait_for(f"document.querySelector('.tile img').src !== '{first}'")
    hosts = chrome.ask("[...new Set(performance.getEntriesByType('resource').map((one) => new URL(one.name).host))]")
    assert hosts == [f"127.0.0.1:{city.port}"]
    assert chrome.said == [], "nothing failed to load, and no script failed"


def test_a_screen_reader_has_a_name_for_everything(chrome: Chrome, city: City) -> None:
    opened(chrome, city)
    assert chrome.ask("document.documentElement.lang") == "en"
    names = chrome.names("button")
    assert "Shop entrance: enlarge" in names
    assert sum("theft Shop entrance" in name for name in names) >= 1
    for role in ("button", "link", "combobox", "list", "article", "region"):
        assert all(name.strip() for name in chrome.names(role)), (role, chrome.names(role))
    assert [name for name in chrome.names("heading") if name in {"vigil", "Cameras", "Alerts"}] == [
        "vigil", "Cameras", "Alerts",
    ]  # fmt: skip


def test_the_keyboard_reaches_an_alert_and_its_clip_plays(chrome: Chrome, city: City) -> None:
    opened(chrome, city)
    chrome.ask("document.querySelectorAll('.alert')[2].focus()")
    chrome.press("Enter")
    chrome.wait_for("document.querySelector('dialog').open && document.querySelector('video').readyState >= 2")
    assert "What made it" in chrome.ask("document.querySelector('dialog').textContent")
    chrome.press("Escape")
    chrome.wait_for("!document.querySelector('dialog').open")
    assert chrome.ask("document.activeElement === document.querySelectorAll('.alert')[2]"), "back where one was"
    chrome.ask("document.querySelectorAll('.alert')[0].click()")
    chrome.wait_for("document.querySelector('dialog svg rect') && document.querySelector('dialog img').naturalWidth")
    chrome.press("Escape")
    chrome.open(city.url)
    chrome.wait_for(f"{ALERTS} === 10")
    chrome.press("Tab")
    assert chrome.ask("document.activeElement.textContent") == "To the alerts"


def test_curves_grow_with_every_score_and_those_above_the_threshold_lie_above_its_line(
    chrome: Chrome, city: City
) -> None:
    opened(chrome, city)
    curve = "document.querySelector('[aria-label=\"Shop entrance\"] .reading.over .line').getAttribute('d')"
    chrome.wait_for(f"{curve}.split('L').length >= 3")
    places = [place.split("h")[0].split() for place in chrome.ask(curve).lstrip("M").split("L")]
    assert [int(x) for x, _ in places] == list(range(120 - len(places), 120)), "the newest at the right edge"
    assert all(float(y) < 1 / 3 for _, y in places), "y grows downwards"


def test_alerts_are_listed_by_camera(chrome: Chrome, city: City) -> None:
    opened(chrome, city)
    chrome.ask("(() => { const c = document.getElementById('camera'); c.value = 'Plaza'; c.onchange(); })()")
    chrome.wait_for(f"{ALERTS} === 1")
    assert "Plaza" in chrome.ask("document.querySelector('.alert').textContent")


def test_a_page_that_loses_vigil_comes_back_by_itself_with_all_alerts_once(chrome: Chrome, city: City) -> None:
    opened(chrome, city)
    city.kill()
    chrome.wait_for(f"{CONNECTION}.startsWith('connection lost')")
    city.start(history=0, alert_every_s=0.3)
    chrome.wait_for(f"{CONNECTION} === 'connected' && {ALERTS} > 16", 40)
    chrome.wait_for("document.getElementById('announcement').textContent.startsWith('New alert: fight at ')")
    listed = chrome.ask("[...document.querySelectorAll('.alert')].map((row) => row.textContent)")
    assert len(listed) == len(set(listed))
    assert sum("goes on" in row for row in listed) <= 5, "2 of each run, and one that has just been raised"


def test_older_alerts_come_on_request_and_in_order(chrome: Chrome, tmp_path: Path) -> None:
    with City(tmp_path, history=70) as city:
        chrome.open(city.url)
        chrome.wait_for(f"{ALERTS} === 30")
        for count in (60, 72):
            chrome.ask("document.getElementById('older').click()")
            chrome.wait_for(f"{ALERTS} === {count}")
        assert chrome.ask("document.getElementById('older').hidden")
        times = chrome.ask("[...document.querySelectorAll('.alert time')].map((time) => time.dateTime)")
        assert times == sorted(times, reverse=True)


def test_a_browser_signs_in(chrome: Chrome, tmp_path: Path) -> None:
    with City(tmp_path, history=3, token="a token of the tests") as city:
        chrome.open(city.url)
        chrome.wait_for("location.pathname === '/login' && document.getElementById('token') !== null")
        for token in ("wrong", "a token of the tests"):
            chrome.ask(f"(() => {{ document.getElementById('token').value = '{token}'; "
                       "document.querySelector('button').click(); })()")  # fmt: skip
            if token == "wrong":
                chrome.wait_for("document.getElementById('wrong') !== null")
        chrome.wait_for(f"{ALERTS} === 5 && {CONNECTION} === 'connected'")
        assert chrome.ask("document.cookie") == "", "no script can read it"


def test_what_is_wrong_stands_above_everything(chrome: Chrome, tmp_path: Path) -> None:
    hooks = [f"http://127.0.0.1:{free_port()}/"]
    with City(tmp_path, history=1, problems=["the disk is full"], webhooks=hooks) as city:
        chrome.open(city.url)
        chrome.wait_for("document.getElementById('problems').textContent === 'the disk is full'")
        failing = chrome.wait_for("document.querySelector('.targets .failing')?.textContent")
        assert "4 waiting" in failing
        assert "cannot be reached" in failing
