"""Housing projects in project.toml: found by name, counted, refused in words."""

import numpy as np
import pytest

from futuremap.errors import InputRefused
from futuremap.pipeline import open_project, run

BLOCK = "古新町"


def with_housing(project, lines):
    file = project / "project.toml"
    text = file.read_text(encoding="utf-8")
    block = f'\n[[municipality.housing]]\nzone = "{BLOCK}"\nreason = "合成の例"\n{lines}\n'
    file.write_text(text.replace("\n[reach]", f"{block}\n[reach]"), encoding="utf-8")
    return project


def test_flats_bring_their_people_to_their_block(project, outcome):
    made = run(
        open_project(with_housing(project, "year = 2027\ndwellings = 80\nhousehold_size = 2.5"))
    )
    zone = made.rates.zones.index(
        next(
            i
            for t in made.towns
            for i, n in zip(t.town.blocks.ids, t.town.blocks.names, strict=True)
            if n == BLOCK
        )
    )
    free, new = (o.projection.population.totals() for o in (outcome, made))
    # the town's own total is met all the same, so that the others give a little
    assert new[1, zone] - free[1, zone] == pytest.approx(200, rel=0.01)
    assert new[1].sum() == pytest.approx(free[1].sum())
    assert new[6, zone] > free[6, zone] + 100
    assert np.isfinite(new).all()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("year = 2027\ndwellings = 80", "FM449"),
        ("year = 2027\ndwellings = 80\nhousehold_size = 2.5\npersons = 3", "FM449"),
    ],
)
def test_too_little_or_too_much_is_refused(project, lines, code):
    with pytest.raises(InputRefused, match=code):
        run(open_project(with_housing(project, lines)))


def test_an_unknown_block_is_refused_with_its_line(project):
    made = with_housing(project, "year = 2027\npersons = 30")
    file = made / "project.toml"
    file.write_text(
        file.read_text(encoding="utf-8").replace(f'zone = "{BLOCK}"', 'zone = "なし町"'),
        encoding="utf-8",
    )
    with pytest.raises(InputRefused, match=r"FM440(.|\n)*project.toml:\d+"):
        run(open_project(made))
