import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = runpy.run_path(str(ROOT / "docs" / "make_docs.py"))["PAGES"]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_up_to_date(name):
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name]().rstrip() + "\n", (
        "run `make docs`"
    )
