"""The mapping of a population table: which of its columns is what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class TableMapping:
    """Which column of a table is what; headings are compared without regard to width.

    Parameters
    ----------
    zone_code, zone_name
        Headings of the code and of the name of an area; one of them is needed. Codes become
        the zone ids where there are both.
    date
        Heading of a date or year, in the Western or the Japanese way.
    year
        The year of all rows where no column says it; with `date`, rows of other years are
        problems.
    sex, age, value
        Headings of sexes, ages and persons that stand in rows. Without them, sexes and ages
        are looked for in the headings.
    labels
        Heading to what it means, such as ("man1", "男 0～4歳"); an empty text leaves the
        column out. For headings that cannot be understood, and for wider groups that repeat
        people.
    header_rows
        Rows that the headings take, with merged cells carried to the right and down. From
        two rows the heading of a column is joined by a blank: "男 0～4歳".
    header_line
        First line of the headings, from 1, where it is not found by itself.
    sheet
        Sheet of a workbook; the first visible one if None.
    skip
        Names of rows to leave out beside 計, 合計 and the like.
    carry_down
        Whether an empty area cell means the area above it, as merged cells do.
    ages
        "as_found", or "five_year" to add single years up to groups of five.
    dash_is_zero
        Whether "-" means nobody; otherwise it is a problem.
    whole
        Whether persons must be whole numbers.
    municipality
        Code from which a leading zero that was lost in `zone_code` is put back.
    """

    zone_code: str = ""
    zone_name: str = ""
    date: str = ""
    year: int | None = None
    sex: str = ""
    age: str = ""
    value: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    header_rows: int = 1
    header_line: int | None = None
    sheet: str | None = None
    skip: tuple[str, ...] = ()
    carry_down: bool = False
    ages: Literal["as_found", "five_year"] = "as_found"
    dash_is_zero: bool = False
    whole: bool = True
    municipality: str = ""

    @property
    def roles(self) -> dict[str, str]:
        """Heading to our name, of the columns that are not counts by sex and age."""
        named = {
            self.zone_code: "code", self.zone_name: "name", self.date: "date",
            self.sex: "sex", self.age: "age", self.value: "value",
        }  # fmt: skip
        return {heading: name for heading, name in named.items() if heading}
