"""The page of patterns in Chromium, with the network cut."""

import os
import shutil

import pandas as pd
import pytest

from deploy_opt.report.patterns_page import render_patterns

CHROMIUM = os.environ.get("DEPLOY_OPT_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
HOSTILE = "{{ 7*7 }}</style><img src=x onerror=alert(1)>"


def patterns():
    rows = [
        ("hour_of_week", str(h), f"Monday {h:02d}:00", 1 + h / 200, 0.9 + h / 200, 1.1 + h / 200)
        for h in range(168)
    ]
    rows += [("month", str(m), f"Month {m}", 1.0, 0.9, 1.1) for m in range(1, 13)]
    rows += [
        ("holiday", HOSTILE, f"{HOSTILE}, against the same day without it", 0.4, 0.2, 0.8),
        ("weather", "high:30..", "a day's high of 30 °C or more, against mild", 1.3, 1.2, 1.4),
    ]
    frame = pd.DataFrame(rows, columns=["pattern", "key", "label", "effect", "lo", "hi"])
    return pd.concat([frame.assign(service=s, n=104) for s in ("ems", "police")])


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_offline_fits_its_width_and_runs_nothing(tmp_path, width):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    file = tmp_path / "patterns.html"
    text = render_patterns(
        patterns(),
        name=HOSTILE,
        synthetic=True,
        window="2024-01-01 to 2025-12-31",
        notes=["a note"],
        provenance="Run abc.",
    )
    file.write_text(text, encoding="utf-8")
    asked, said = [], []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(
            viewport={"width": width, "height": 844}, offline=True, bypass_csp=True
        ).new_page()
        page.on("request", lambda r: asked.append(r.url))
        page.on("console", lambda m: said.append(m.text))
        page.on("dialog", lambda d: said.append(d.message))
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.images.length") == 0
        assert page.locator("section").count() == 2
        assert page.locator(".chip").inner_text() == "synthetic data"
        found = Axe().run(page)
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    assert found.violations_count == 0, found.generate_report()
