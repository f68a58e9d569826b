"""Dwellings, meshes, levels and rivals in a project file: what does not go together, located."""

import pytest

from .test_formats import AGES, BLOCKS, YEARS, read

SMALL = YEARS.format(format="estat_small_area", more="")
CENSUS = YEARS.format(format="census", more="")
REGISTER = YEARS.format(format="register", more="")
DWELLING = '[municipality.dwelling]\nfile = "d.tif"\nformat = "{}"\ncredit = "census"\n'
MARGINS = '[municipality.mesh_margins]\nfiles = ["m.txt"]\nyear = 2020\ncredit = "estat_mesh"\n'
LEVEL = '[municipality.reconcile]\nfile = "c.csv"\nyear = 2020\ncredit = "census"\n'
RIVAL = '[[municipality.rival]]\nname = "{}"\nfile = "r"\nformat = "{}"\ncredit = "census"\n'
CONTROL = '[municipality.control]\nfile = "c.csv"\ncredit = "ipss2018"\n'
OLDEST = '[municipality.oldest]\nfile = "l.csv"\ncredit = "census"\n'
AT = "municipality.0."


def test_everything_that_can_be_said(tmp_path):
    raster = DWELLING.format("raster") + "classes = { 7 = 1.0, 70 = 0.5 }\n"
    rivals = RIVAL.format("社人研", "ipss_workbook") + RIVAL.format("国", "ksj_mesh")
    project, problems = read(tmp_path, SMALL, BLOCKS, raster, MARGINS, rivals, OLDEST, CONTROL)
    assert problems == []
    town = project.municipality[0]
    assert town.dwelling.weights() == {7: 1.0, 70: 0.5}
    named = [file for file, _ in town.files()]
    assert {"d.tif", "m.txt", "r", "l.csv"} <= set(named)


def test_a_raster_without_classes_holds_weights_itself(tmp_path):
    project, _ = read(tmp_path, SMALL, BLOCKS, DWELLING.format("raster"))
    assert project.municipality[0].dwelling.weights() is None


@pytest.mark.parametrize(
    ("tables", "wanted"),
    [
        ([SMALL, BLOCKS, DWELLING.format("points") + "classes = { 7 = 1.0 }\n"],
         ("FM004", AT + "dwelling.classes")),
        ([SMALL, BLOCKS, DWELLING.format("raster") + 'weight = "戸"\n'],
         ("FM004", AT + "dwelling.weight")),
        ([SMALL, BLOCKS, DWELLING.format("points") + 'latitude = "緯"\n'],
         ("FM011", AT + "dwelling.longitude")),
        ([SMALL, BLOCKS, DWELLING.format("raster") + "classes = { 7 = -1.0 }\n"],
         ("FM004", AT + "dwelling.classes.7")),
        ([SMALL, BLOCKS, DWELLING.format("landuse")], ("FM004", AT + "dwelling.format")),
        ([CENSUS, DWELLING.format("raster")], ("FM004", AT + "dwelling")),
        ([SMALL, BLOCKS, LEVEL], ("FM004", AT + "reconcile")),
        ([REGISTER, LEVEL + 'rule = "some"\n'], ("FM004", AT + "reconcile.rule")),
        ([REGISTER, OLDEST], ("FM004", AT + "oldest")),
        ([SMALL, BLOCKS, MARGINS.replace('["m.txt"]', "[]")], ("FM004", AT + "mesh_margins.files")),
        ([SMALL, BLOCKS, MARGINS.replace("estat_mesh", "who")],
         ("FM008", AT + "mesh_margins.credit")),
        ([SMALL, BLOCKS, RIVAL.format("a", "ksj_mesh") * 2], ("FM004", AT + "rival.1.name")),
        ([SMALL, BLOCKS, RIVAL.format("a", "ipss_workbook") + 'layer = "x"\n'],
         ("FM004", AT + "rival.0.layer")),
        ([SMALL, BLOCKS, RIVAL.format("a", "ipss")], ("FM004", AT + "rival.0.format")),
        ([SMALL, BLOCKS, CONTROL + 'layer = "x"\n'], ("FM004", AT + "control.layer")),
        ([SMALL, BLOCKS, AGES + 'format = "mapped"\n'], ("FM011", AT + "ages.mapping")),
        ([SMALL, BLOCKS, AGES + '[municipality.ages.mapping]\nzone_name = "市"\n'],
         ("FM004", AT + "ages.mapping")),
        ([SMALL, BLOCKS, DWELLING.format("raster") + "clases = { 7 = 1.0 }\n"],
         ("FM002", AT + "dwelling.clases")),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said_in_its_place(tmp_path, tables, wanted):
    _, problems = read(tmp_path, *tables)
    assert wanted in problems
