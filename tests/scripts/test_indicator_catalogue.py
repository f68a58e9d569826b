"""The catalogue page is as the tables are, and says of every indicator what it must."""

import subprocess
import sys
from pathlib import Path

import pytest

from futuremap.core.fields import field
from futuremap.pipeline.read_indicators import sourced

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "indicators.md").read_text(encoding="utf-8")


def test_the_page_is_up_to_date():
    script = ROOT / "scripts" / "make_indicator_catalogue.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr or "run scripts/make_indicator_catalogue.py"


@pytest.mark.parametrize(
    "entry", [e for e in sourced().catalogue.entries if e.field], ids=lambda e: e.field
)
def test_every_indicator_has_names_unit_method_and_limits_in_both_languages(entry):
    of = field(entry.field)
    for text in (
        of.name_ja,
        of.name_en,
        entry.method_ja,
        entry.method_en,
        entry.limits_ja,
        entry.limits_en,
    ):
        assert text.strip()
    assert f"| `{entry.field}` |" in PAGE


def test_every_source_stands_on_the_page_with_its_licence():
    for row in sourced().rows:
        assert row.source in PAGE
        assert row.licence in PAGE
