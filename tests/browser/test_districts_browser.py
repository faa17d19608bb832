"""The page of districts in Chromium, with the network cut."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from deploy_opt.report.district_page import render_districts
from district_towns import district_report

CHROMIUM = os.environ.get("DEPLOY_OPT_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
HOSTILE = "{{ 7*7 }}</script><img src=x onerror=alert(1)>"
DESKTOP, PHONE = (1440, 900), (390, 844)
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
NUM_AREAS = 24


def report():
    made = district_report(names=[HOSTILE] * 2)
    rows = [(name, hour) for name in made.plan.names for hour in range(168)]
    units = pd.DataFrame(rows, columns=["district", "hour"])
    units = units.assign(units=2, utilisation=0.4, response_p1_s=300.0)
    road = np.array([[-75.0, 43.005], [-74.95, 43.03]])
    return district_report(
        names=[HOSTILE] * 2,
        name=HOSTILE,
        notes=(HOSTILE,),
        units=units,
        by_shift={"night": made.today},
        lines=(("primary", (road,)),),
        attribution="© OpenStreetMap contributors",
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pages with a space é") / "districts.html"
    path.write_text(render_districts(report()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, file):
    contexts = []

    def opened(*, size=DESKTOP, at="", scripts=True, bypass=False):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            offline=True,
            java_script_enabled=scripts,
            has_touch=size == PHONE,
            bypass_csp=bypass,
        )
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: page.said.append(dialog.message))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(file.as_uri() + (f"#{at}" if at else ""))
        return page

    yield opened
    for context in contexts:
        context.close()


@SIZES
def test_it_opens_offline_and_draws_every_area(open_page, size):
    page = open_page(size=size)
    assert page.locator("path.area-shape").count() == NUM_AREAS
    assert page.locator("path.hatch").count() == 8
    assert page.locator(".tag").count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate("document.images.length") == 0
    assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
    assert page.said == []


def test_user_text_is_shown_as_it_is_and_runs_nothing(open_page):
    page = open_page()
    assert HOSTILE in page.locator(".eyebrow").inner_text()
    assert "49" not in page.locator(".eyebrow").inner_text()
    page.locator("path.area-shape").nth(0).hover(force=True)
    assert HOSTILE in page.locator(".leaflet-tooltip").inner_text()
    assert page.said == []


def test_each_view_recolours_the_map_and_says_what_it_shows(open_page):
    page = open_page()
    fills = "[...document.querySelectorAll('path.area-shape')].map((p) => p.getAttribute('fill'))"
    pale = "document.querySelectorAll('path.area-shape[fill-opacity=\"0.3\"]').length"
    plan = page.evaluate(fills)
    assert page.locator("#status b").inner_text() == "Plan"
    page.get_by_role("button", name="Today", exact=True).click()
    today = page.evaluate(fills)
    assert sum(a != b for a, b in zip(plan, today, strict=True)) == 8
    assert page.locator("path.hatch").count() == 0
    assert "−50 % to +50 %" in page.locator("#status").inner_text()
    page.get_by_role("button", name="Change").click()
    assert page.evaluate(fills) == plan
    assert page.evaluate(pale) == NUM_AREAS - 8
    assert page.locator(".tag small").all_inner_texts() == ["+4 −0", "+4 −4", "+0 −4"]
    page.get_by_role("button", name="Day", exact=True).click()
    assert page.locator(".tag small").first.inner_text() == "2 units, 0 %"
    page.get_by_role("button", name="Night").click()
    assert page.evaluate(fills) == today
    assert "districts of its own" in page.locator("#status").inner_text()
    assert page.locator("[aria-pressed=true]").inner_text() == "Night"


def test_a_link_opens_a_view(open_page):
    assert open_page(at="view=change").locator("#status b").inner_text() == "Change"
    assert open_page(at="view=nonsense").locator("#status b").inner_text() == "Plan"


def test_a_reason_shows_its_area_on_the_map(open_page):
    page = open_page()
    page.locator(".reasons button").nth(3).click()
    card = page.locator(".leaflet-tooltip")
    card.wait_for()
    assert "in the plan" in card.inner_text()
    assert "Back in" in card.inner_text()


def test_without_scripts_a_still_map_and_the_tables_remain(open_page):
    page = open_page(scripts=False)
    assert page.locator(".still svg").is_visible()
    assert not page.locator(".views").is_visible()
    assert page.locator(".loads tbody tr").count() == 3
    assert page.locator(".reasons li").count() == 8


@SIZES
@pytest.mark.parametrize("view", ["plan", "change"])
def test_axe_finds_nothing(open_page, size, view):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(open_page(size=size, at=f"view={view}", bypass=True))
    assert found.violations_count == 0, found.generate_report()


def test_on_paper_everything_but_the_controls_is_there(open_page):
    page = open_page(size=(703, 1000))
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for part in (".map", ".legend", ".loads", ".why", ".notes", ".foot"):
        assert page.locator(part).first.is_visible(), part
    for part in (".views", ".leaflet-control-zoom"):
        assert not page.locator(part).first.is_visible(), part
    boxes = [page.locator(part).bounding_box() for part in (".notes", ".foot")]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] + 1
    chart, loads = (page.locator(part).bounding_box() for part in (".chart", ".loads"))
    assert chart["y"] + chart["height"] <= loads["y"] + 1
