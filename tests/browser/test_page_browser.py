"""The page in Chromium, with the network cut."""

import os
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from deploy_opt.report.hours import area_rows, code_hours, hour_sentence
from deploy_opt.report.page import render_page
from deploy_opt.report.tables import make_tables
from report_fixtures import report_inputs

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
NUM_AREAS = 40


def inputs(**changes):
    made = report_inputs(NUM_AREAS, names=[HOSTILE, *[f"Square {n}" for n in range(39)]], **changes)
    cover = made.comparison.plan.cover
    rng = np.random.default_rng(3)
    cover += rng.uniform(-0.3, 0.1, cover.shape)
    made.comparison.rates[0] = 6.0
    return made


@pytest.fixture(scope="module")
def made():
    return inputs()


@pytest.fixture(scope="module")
def files(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("pages with a space é")
    tables = make_tables(made)
    for layout in ("board", "alone"):
        text = render_page(made, tables, layout=layout, patterns=layout == "board")
        (folder / f"{layout}.html").write_text(text, encoding="utf-8")
    day = inputs(
        scenario_changes={"horizon": {"start": "2026-03-06", "hours": 24}}, plan=0.5, today=0.4
    )
    (folder / "day.html").write_text(render_page(day, make_tables(day)), encoding="utf-8")
    calm = report_inputs(NUM_AREAS)
    calm.comparison.posts.loc[1, ["lon", "lat"]] = [-74.9949, 43.005]
    calm.comparison.plan.units[1] = [1, 1, 0]
    (folder / "calm.html").write_text(render_page(calm, make_tables(calm)), encoding="utf-8")
    crowd = inputs()
    crowd.comparison.posts["name"] = "A post with a very long name in a long street of the city"
    crowd = many_posts(crowd, 60)
    (folder / "crowd.html").write_text(render_page(crowd, make_tables(crowd)), encoding="utf-8")
    return folder


def many_posts(made, num_posts):
    """Repeat the posts of a run until there are many, one unit at each."""
    comparison = made.comparison
    posts = pd.concat([comparison.posts] * (num_posts // 3), ignore_index=True)
    units = np.ones((168, num_posts), dtype=np.int64)
    arms = {
        name: replace(getattr(comparison, name), units=units)
        for name in ("plan", "baseline", "simple")
    }
    return replace(made, comparison=replace(comparison, posts=posts, **arms))


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, files):
    contexts = []

    def opened(name="board", *, size=DESKTOP, at="", scripts=True, now=None):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            offline=True,
            java_script_enabled=scripts,
            has_touch=size == PHONE,
        )
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: page.said.append(dialog.message))
        page.on("request", lambda request: page.asked.append(request.url))
        if now is not None:
            page.clock.install(time=now)
        page.goto((files / f"{name}.html").as_uri() + (f"#{at}" if at else ""))
        return page

    yield opened
    for context in contexts:
        context.close()


def status(page):
    return page.locator("#status").inner_text().replace("\n", " ")


@SIZES
@pytest.mark.parametrize("name", ["board", "alone"])
def test_nothing_is_asked_for_nothing_is_complained_of_and_every_area_is_a_path(
    open_page, name, size
):
    page = open_page(name, size=size, at="hour=113")
    page.wait_for_function("document.fonts.status === 'loaded'")
    assert page.said == []
    assert [url for url in page.asked if not url.startswith("data:")] == page.asked[:1]
    assert page.locator("path.area-shape").count() == NUM_AREAS
    assert page.evaluate("document.fonts.check('16px \"Public Sans\"')")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == size[0]


def test_the_desktop_page_does_not_scroll_as_a_whole(open_page):
    page = open_page()
    assert page.evaluate("document.documentElement.scrollHeight") <= 900


def test_the_policy_stops_what_is_not_the_page_s_own(open_page):
    page = open_page()
    refused = page.evaluate("fetch('data:text/plain,x').then(() => 'came', () => 'refused')")
    assert refused == "refused"
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
    page.evaluate(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.bad = 1';"
        " document.body.append(s); })()"
    )
    assert page.evaluate("window.bad") is None
    assert not any(text == "1" for text in page.said)


def test_a_hostile_name_is_shown_as_text(open_page):
    page = open_page(at="hour=10")
    page.locator("#all").click()
    assert page.get_by_role("button", name=HOSTILE).count() == 1
    page.get_by_role("button", name=HOSTILE).click()
    assert HOSTILE in page.locator(".leaflet-tooltip").inner_text()
    assert "<img" not in page.locator("main").inner_html()
    assert page.said == []


def test_the_slider_answers_to_the_keys(open_page):
    page = open_page(at="hour=113")
    slider = page.locator("#hour")
    slider.focus()
    assert slider.get_attribute("aria-valuetext") == "Friday 17:00"
    for key, hour in (
        ("ArrowRight", "Friday 18:00"), ("ArrowLeft", "Friday 17:00"), ("PageUp", "Saturday 17:00"),
        ("PageUp", "Sunday 17:00"), ("PageUp", "Monday 17:00"), ("PageDown", "Sunday 17:00"),
        ("Home", "Monday 00:00"), ("PageDown", "Sunday 00:00"), ("End", "Sunday 23:00"),
    ):  # fmt: skip
        slider.press(key)
        assert slider.get_attribute("aria-valuetext") == hour
        assert status(page).startswith(hour)


def test_space_plays_and_pauses_and_the_status_is_silent_meanwhile(open_page):
    page = open_page(at="hour=10", now="2026-03-03T15:00:00-05:00")
    page.locator("#hour").press(" ")
    assert page.locator("#status").get_attribute("aria-live") == "off"
    assert page.locator("#play").get_attribute("aria-label") == "Pause the hours"
    page.clock.run_for(1900)
    assert page.locator("#hour").input_value() == "13"
    page.locator("#hour").press(" ")
    page.clock.run_for(1900)
    assert page.locator("#hour").input_value() == "13"
    assert page.locator("#status").get_attribute("aria-live") == "polite"
    page.locator("#play").click()
    page.clock.run_for(700)
    assert page.locator("#hour").input_value() == "14"


@pytest.mark.parametrize(
    ("now", "hour", "said"),
    [
        ("2026-03-04T12:30:00Z", "Wednesday 07:00", "in force, 4 days left"),
        ("2026-03-09T03:30:00Z", "Sunday 23:00", "in force, 1 h left"),
        ("2026-03-01T17:00:00Z", "Sunday 12:00", "starts in 12 h"),
        ("2027-01-01T12:00:00Z", "Friday 07:00", "ended, make a new plan"),
    ],
)
def test_the_page_opens_at_the_hour_of_the_city_and_says_whether_the_plan_holds(
    open_page, now, hour, said
):
    page = open_page(now=now)
    assert status(page).startswith(hour)
    assert page.locator("#validity").inner_text().endswith(said)
    assert ("past" in page.locator("#validity").get_attribute("class")) == said.startswith("ended")


def test_a_day_plan_opens_at_the_hour_of_the_day(open_page):
    page = open_page("day", now="2026-03-03T20:00:00Z")
    assert status(page).startswith("Friday 15:00")
    page.locator("#hour").press("End")
    assert status(page).startswith("Friday 23:00")
    assert page.said == []


def table(page, body="#waits"):
    return [
        re.sub(r"\s+", " ", row.inner_text()).strip() for row in page.locator(f"{body} tr").all()
    ]


def test_script_and_python_show_the_same_numbers(open_page, made):
    hours = code_hours(made.comparison, made.areas)
    page = open_page(at="hour=0")
    for hour in (0, 57, 113, hours.busiest, 167):
        page.evaluate(
            "h => { const s = document.getElementById('hour'); s.value = h;"
            " s.dispatchEvent(new Event('input')); }",
            hour,
        )
        expected = [
            re.sub(r"\s+", " ", f"{r.label} {r.late} {r.in_time} {r.arrow} {r.change}").strip()
            for r in area_rows(hours, hour, limit=8)
        ]
        assert table(page) == expected
        assert status(page).endswith(hour_sentence(hours, hour))


def test_the_tables_without_scripts_equal_the_live_ones(open_page, made):
    busiest = code_hours(made.comparison, made.areas).busiest
    live, still = open_page(at=f"hour={busiest}"), open_page(scripts=False)
    for body in ("#waits", "#posts"):
        assert table(still, body) == table(live, body)
    assert status(still) == status(live)


@SIZES
def test_without_scripts_there_is_a_still_map_and_nothing_overlaps(open_page, size):
    page = open_page(size=size, scripts=False)
    assert page.locator(".still svg").is_visible()
    assert page.locator(".still svg g path").count() >= 1
    assert not page.locator("#play").is_visible()
    boxes = [page.locator(name).bounding_box() for name in (".top", ".still", ".dock", ".foot")]
    for number, one in enumerate(boxes):
        assert one["width"] > 100
        assert one["height"] > 30
        for other in boxes[number + 1 :]:
            apart = (
                one["x"] + one["width"] <= other["x"] + 1
                or other["x"] + other["width"] <= one["x"] + 1
                or one["y"] + one["height"] <= other["y"] + 1
                or other["y"] + other["height"] <= one["y"] + 1
            )
            assert apart
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_the_views_change_map_table_and_legend(open_page):
    page = open_page(at="hour=50")
    fills = {}
    titles = {
        "Today": "Where calls wait today",
        "Change": "Who loses",
        "Plan": "Where calls will wait",
    }
    for view, title in titles.items():
        page.get_by_role("button", name=view, exact=True).click()
        assert page.locator("#waits-title").inner_text() == title
        shapes = page.locator("path.area-shape")
        fills[view] = shapes.evaluate_all("all => all.map(p => p.getAttribute('fill'))")
        if view == "Change":
            dashed = page.locator("path.area-shape[stroke-dasharray='5 4']").count()
            losing = page.locator("#waits-when").inner_text()
            assert losing.startswith(f"{dashed} areas below today, ")
            assert page.locator(".legend li.lost").count() == 3
    assert len(set(map(tuple, fills.values()))) == 3


def test_when_nobody_loses_the_page_says_so_and_hides_the_table(open_page):
    page = open_page("calm", at="view=change")
    assert page.locator("#waits-when").inner_text().startswith("no area is below today, ")
    assert not page.locator("#waits").is_visible()
    assert "No area loses more than a point." in page.locator(".sub").inner_text()
    page.get_by_role("button", name="Plan", exact=True).click()
    assert page.locator("#waits").is_visible()


def test_posts_carry_their_units_and_are_named_by_what_is_seen(open_page, made):
    page = open_page(at="hour=1")
    marks = page.locator(".leaflet-marker-icon.post")
    units = made.comparison.plan.units[1]
    assert sorted(text for text in marks.all_inner_texts() if text) == sorted(
        str(n) for n in units if n
    )
    for mark in marks.all():
        name, seen = mark.get_attribute("aria-label"), mark.inner_text()
        assert name.startswith(seen or "0")
        assert mark.get_attribute("tabindex") == "0"
    assert page.locator(".post.unused").count() == int((units == 0).sum())


def test_posts_closer_than_twenty_pixels_become_one_with_the_sum(open_page):
    page = open_page("calm", at="hour=1")
    (mark,) = [m for m in page.locator(".post").all() if m.inner_text()]
    assert mark.inner_text() == "2"
    assert mark.get_attribute("aria-label") == "2 units, Station 1, Station 2"
    page.get_by_role("button", name="Change", exact=True).click()
    assert page.locator(".post.fewer").inner_text() == "−1"
    assert table(page, "#posts")[0].startswith("Station 1 1 2")


@SIZES
@pytest.mark.parametrize("view", ["plan", "today", "change"])
def test_axe_finds_nothing(open_page, view, size):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(open_page(size=size, at=f"hour=113&view={view}"))
    assert [v["id"] for v in found.response["violations"]] == []


@SIZES
def test_the_foot_leads_to_the_patterns_beside_the_page_without_a_network(open_page, files, size):
    patterns = "<!doctype html><html lang=en><title>p</title><h1>Patterns</h1></html>"
    (files / "patterns.html").write_text(patterns, encoding="utf-8")
    page = open_page(size=size)
    page.get_by_role("link", name="Patterns of demand").click()
    assert page.url == (files / "patterns.html").as_uri()
    assert page.locator("h1").inner_text() == "Patterns"
    assert open_page("calm").get_by_role("link", name="Patterns of demand").count() == 0


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize(
    ("name", "at"), [("board", "view=change"), ("crowd", "hour=10"), ("alone", "")]
)
def test_the_page_prints_on_one_sheet(open_page, tmp_path, paper, name, at):
    from pypdf import PdfReader

    page = open_page(name, at=at)
    page.pdf(path=tmp_path / "p.pdf", format=paper, print_background=True)
    reader = PdfReader(tmp_path / "p.pdf")
    assert len(reader.pages) == 1
    text = re.sub(r"\s+", " ", reader.pages[0].extract_text())
    facts = ["of 100 calls in time", "OpenStreetMap"]
    facts += ["Unit-hours / week", "Plan 0123456789"] if name != "alone" else []
    for fact in facts:
        assert fact in text
    assert page.said == []
    assert page.locator("path.area-shape").count() == NUM_AREAS


def test_many_areas_are_drawn_on_canvas_with_every_area_there(chromium, tmp_path):
    big = report_inputs(3010, scenario_changes={"horizon": {"start": "2026-03-06", "hours": 24}})
    file = tmp_path / "big.html"
    file.write_text(render_page(big, make_tables(big)), encoding="utf-8")
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    assert page.evaluate("DeployMap.count()") == 3010
    assert page.locator(".leaflet-areas-pane canvas").count() == 1
    assert page.locator("path.area-shape").count() == 0
    page.locator("#hour").press("ArrowRight")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".leaflet-areas-pane .vectors path").count() == 3010
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".vectors").count() == 0
    assert said == []
    page.close()


class Sources(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        named = [value for name, value in attrs if name in {"src", "href", "action"}]
        # a link to a page in the same folder loads nothing by itself
        beside = tag == "a" and named == ["patterns.html"]
        self.found += [] if beside else named


def test_the_file_names_no_source_of_its_own(files):
    for file in files.glob("*.html"):
        parser = Sources()
        parser.feed(file.read_text(encoding="utf-8"))
        assert parser.found == []
