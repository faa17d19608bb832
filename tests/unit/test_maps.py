import re
from html.parser import HTMLParser

import folium
import pytest

from deploy_opt.errors import InputError
from deploy_opt.report import vendored
from deploy_opt.report.maps import (
    SVG_AREAS,
    DataLayer,
    Html,
    OfflineMap,
    Page,
    Plain,
    Start,
    content_policy,
    layer_control,
)
from deploy_opt.report.page import render_page
from deploy_opt.report.tables import make_tables
from report_fixtures import report_inputs

HOSTILE = "{{ 7*7 }}</script><img src=x onerror=alert(1)>{# gone #}"
BOUNDS = ((43.0, -75.0), (43.1, -74.9))


def offline_map(**changes):
    options = {"num_areas": 3, "label": "a map", "attribution": ""} | changes
    return OfflineMap(BOUNDS, **options)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def tags(text):
    parser = Tags()
    parser.feed(text)
    return parser.found


@pytest.fixture(scope="module")
def page():
    inputs = report_inputs(names=[HOSTILE, *["b"] * 11], loser=0)
    return render_page(inputs, make_tables(inputs))


def test_nothing_in_the_page_is_fetched(page):
    for tag, attributes in tags(page):
        assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
    for target in re.findall(r"url\(([^)]*)\)", page):
        assert target.startswith(("data:", "#", '"+', "'+")), target
    assert "@import" not in page
    assert "sourceMappingURL" not in page
    assert "behavior:" not in page


def test_the_policy_lets_only_the_page_s_own_scripts_run(page):
    (policy,) = [
        attributes["content"]
        for tag, attributes in tags(page)
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-inline" not in policy.split("style-src")[0]
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 3
    assert policy == content_policy(scripts)


def test_a_hostile_name_is_neither_run_as_a_template_nor_as_markup(page):
    assert "{{ 7*7 }}" in page
    assert "49" not in re.search(r'<p class="sub">(.*?)</p>', page).group(1)
    assert "<img" not in page
    assert "{# gone #}" in page


def test_the_page_has_a_language_a_landmark_and_may_be_zoomed(page):
    found = tags(page)
    assert ("html", {"lang": "en"}) in found
    assert sum(tag == "main" for tag, _ in found) == 1
    (viewport,) = [a["content"] for t, a in found if a.get("name") == "viewport"]
    assert "user-scalable" not in viewport
    assert "maximum-scale" not in viewport


def test_ids_follow_from_the_place_in_the_tree():
    def build():
        page = Page("t")
        chart = offline_map()
        chart.add_child(DataLayer("areas", "Areas", {}))
        chart.add_child(layer_control())
        page.add_child(chart)
        page.add_child(Start({"hours": 1}))
        return page

    first, second = build(), build()
    text = first.render()
    assert text == second.render()
    assert text == first.render()
    assert "data_0002" in text
    assert not re.search(r"[0-9a-f]{32}", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))


def test_folium_keeps_its_own_scripts_for_the_user_s_own_maps():
    before = list(folium.Map.default_js)
    offline_map()
    assert folium.Map.default_js == before
    assert before
    assert OfflineMap.default_js == []


def test_a_layer_is_seen_by_folium_s_layer_control():
    page, chart = Page("t"), offline_map()
    chart.add_child(DataLayer("posts", "Posts", {"names": ["</script>"]}))
    chart.add_child(layer_control())
    page.add_child(chart)
    text = page.render()
    assert '"Posts" : data_0002' in text
    assert "\\u003c/script\\u003e" in text


def test_a_folium_layer_of_a_notebook_user_finds_its_place():
    page, chart = Page("t"), offline_map()
    folium.CircleMarker([43.0, -75.0]).add_to(chart)
    page.add_child(chart)
    assert "L.circleMarker" in page.render()


@pytest.mark.parametrize(("num_areas", "canvas"), [(SVG_AREAS, "false"), (SVG_AREAS + 1, "true")])
def test_many_areas_are_drawn_on_canvas(num_areas, canvas):
    page = Page("t")
    page.add_child(offline_map(num_areas=num_areas))
    assert f'"canvas":{canvas}' in page.render()


def test_text_is_placed_as_it_is_and_templates_are_escaped():
    assert Plain("{{ 1 }}").render() == "{{ 1 }}"
    values = {"name": "m", "label": '"><b>'}
    text = Html("map.html", values).html()
    assert "&#34;&gt;&lt;b&gt;" in text


def test_the_title_is_escaped():
    assert "<title>&lt;b&gt;</title>" in Page("<b>").render()


def test_every_vendored_file_is_listed_and_has_its_hash():
    listed = set(vendored.asset_list())
    present = {path.name for path in vendored.FOLDER.iterdir()} - {"assets.toml", "NOTICE"}
    assert present == listed
    for name, row in vendored.asset_list().items():
        assert vendored.asset_bytes(name)
        assert {"version", "package", "licence", "sha256"} <= set(row)


def test_the_notice_names_every_package_and_licence():
    notice = (vendored.FOLDER / "NOTICE").read_text(encoding="utf-8")
    for row in vendored.asset_list().values():
        assert row["package"] in notice
    assert "BSD-2-Clause" in notice
    assert "SIL Open Font License" in notice


def test_cuts_take_out_what_they_name():
    for name, row in vendored.asset_list().items():
        for part in row.get("cut", ()):
            assert part in vendored.asset_bytes(name).decode()
            assert part not in vendored.asset_text(name)


def test_a_changed_file_is_refused(tmp_path):
    (tmp_path / "assets.toml").write_text('["a.js"]\nsha256 = "00"\n')
    (tmp_path / "a.js").write_text("alert(1)")
    with pytest.raises(InputError, match=r"a\.js: found SHA-256"):
        vendored.asset_bytes("a.js", tmp_path)
    with pytest.raises(InputError, match="not listed"):
        vendored.asset_bytes("b.js", tmp_path)
