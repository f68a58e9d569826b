"""The bundled clips: cut again from a larger folder, they come out the same byte by byte."""

import csv
import gzip
import io
import json
import runpy
import sys

from .variants import FIXTURES

SCRIPT = FIXTURES.parent / "make_takamatsu.py"


def test_the_clips_can_be_cut_again(tmp_path, monkeypatch, capsys):
    made = runpy.run_path(str(SCRIPT))
    data, target = tmp_path / "data", tmp_path / "clips"
    for name, source in made["VERBATIM"].items():
        (data / source).parent.mkdir(parents=True, exist_ok=True)
        (data / source).write_bytes((FIXTURES / name).read_bytes())
    outlines = json.loads((FIXTURES / "outline_n03.geojson").read_text(encoding="utf-8"))
    stranger = {"type": "Feature", "properties": {"N03_007": "01209"}, "geometry": None}
    outlines["features"].insert(0, stranger)
    projection = (FIXTURES / "ipss2018.csv").read_bytes()
    stranger_row = b"01209," + projection.splitlines(keepends=True)[1].partition(b",")[2]
    for name, body in (
        (made["OUTLINES"], json.dumps(outlines).encode()),
        (made["PROJECTIONS"], gzip.compress(projection + stranger_row)),
        (made["REGISTER"], gzip.compress(joined(made["YEARS_BETWEEN"], made["GROUPS"]))),
    ):
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_bytes(body)
    monkeypatch.setitem(made["main"].__globals__, "TARGET", target)
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--data", str(data)])
    made["main"]()
    assert "register_201811.xlsx" in capsys.readouterr().out
    for path in target.iterdir():
        assert path.read_bytes() == (FIXTURES / path.name).read_bytes(), path.name
    assert {path.name for path in target.iterdir()} == {
        *made["VERBATIM"],
        "outline_n03.geojson",
        "ipss2018.csv",
        *(f"register_{year}11.csv" for year in made["YEARS_BETWEEN"]),
    }


def joined(years, groups):
    """The monthly register as published, of the months that were cut out of it and one more."""
    columns = [f"{sex}{group}" for group in groups for sex in "mf"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["month", "no", "region", "total", "male", "female", *columns, "households"])
    writer.writerow(["2019-01", "1", "塩屋町", *["1"] * (len(columns) + 3), ""])
    for year in years:
        with (FIXTURES / f"register_{year}11.csv").open(encoding="utf-8", newline="") as clip:
            for row in list(csv.reader(clip))[1:]:
                writer.writerow([f"{year}-11", row[0], *row[2:], ""])
    return out.getvalue().encode()


def test_the_page_about_the_clips_names_each_of_them():
    page = (FIXTURES.parent / "README.md").read_text(encoding="utf-8")
    for path in FIXTURES.iterdir():
        assert path.name in page or path.name == "project.toml"
