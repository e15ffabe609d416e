"""The HTML page in a real browser: its filter clicked, and the page without scripts.

Skipped where there is no Chromium or Chrome with its driver, or no selenium; GRADSPEC_TEST_BROWSER=1 makes
that a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradspec.reports.document import Document
from gradspec.reports.html import render
from tests.reports.samples import LOST, VERDICTS, events

MUST = os.environ.get("GRADSPEC_TEST_BROWSER") == "1"
if MUST:
    from selenium import webdriver
else:
    webdriver = pytest.importorskip("selenium.webdriver")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # selenium leaves its sockets to the collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def browser(folder: Path, scripts: bool) -> Any:
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if not (binary and driver):
        if MUST:
            pytest.fail("no browser with its driver here")
        pytest.skip("no browser with its driver here")
    options = Options()
    options.binary_location = binary
    for word in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,1600"):
        options.add_argument(word)
    options.add_argument(f"--user-data-dir={folder}")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    document = Document()
    *_, made = map(document, events(VERDICTS + LOST))
    assert made is not None
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(render(made), "utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = browser(tmp_path_factory.mktemp("profile"), scripts=True)
    try:
        driver.get(address)
        yield driver
    finally:
        driver.quit()


def shown(page: Any) -> list[tuple[str, str]]:
    return [
        (one.get_attribute("data-backend"), one.get_attribute("data-outcome"))
        for one in page.find_elements("class name", "result")
        if one.is_displayed()
    ]


def choose(page: Any, name: str, word: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(page.find_element("name", name)).select_by_visible_text(word)


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest) -> None:
    if "page" in request.fixturenames:
        page = request.getfixturevalue("page")
        page.refresh()


def test_everything_is_shown_at_first(page: Any) -> None:
    assert len(shown(page)) == 10
    assert page.find_element("name", "count").text == "10 of 10 shown"


def test_filter_by_backend_and_outcome(page: Any) -> None:
    choose(page, "backend", "numpy")
    assert {backend for backend, _ in shown(page)} == {"numpy"}
    assert len(shown(page)) == 5
    choose(page, "outcome", "failed")
    assert shown(page) == [("numpy", "failed")]
    assert page.find_element("name", "count").text == "1 of 10 shown"
    sections = [one for one in page.find_elements("css selector", "details.spec") if one.is_displayed()]
    assert len(sections) == 1
    choose(page, "backend", "all")
    assert len(shown(page)) == 2


def test_filter_by_text(page: Any) -> None:
    page.find_element("name", "text").send_keys("sigsegv OPS")
    assert shown(page) == [("numpy", "crash")]
    page.find_element("name", "text").send_keys(" nonsense")
    assert shown(page) == []


def test_a_section_folds_by_a_click(page: Any) -> None:
    section = page.find_element("css selector", "details.spec")
    assert section.get_attribute("open")
    section.find_element("tag name", "summary").click()
    assert not section.get_attribute("open")


def test_the_browser_has_nothing_to_complain_about(page: Any) -> None:
    assert [entry for entry in page.get_log("browser") if "favicon" not in entry["message"]] == []


def test_without_scripts_it_is_a_plain_list(address: str, tmp_path: Path) -> None:
    driver = browser(tmp_path, scripts=False)
    try:
        driver.get(address)
        assert len(shown(driver)) == 10
        assert not driver.find_element("id", "filter").is_displayed()
    finally:
        driver.quit()
