"""合成データ: files in the true layout of e-Stat's tables, made up of small whole numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .variants import FIXTURES

CLIP = FIXTURES.parent / "clips" / "estat" / "tblT001102Q5240_clip.txt"
LEADING = ["KEY_CODE", "HYOSYO", "CITYNAME", "NAME", "HTKSYORI", "HTKSAKI", "GASSAN"]
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
GROUPS = 16  # 0-4 … 70-74, 75 and over


def wide(number: int) -> str:
    return str(number).translate(WIDE)


def labels(year: int = 2020) -> list[str]:
    """Labels of the 60 columns, with U+FF5E as CP932 gives it; 2015 puts a blank before ages."""
    blank = "　" if year == 2015 else ""
    spans = [f"{wide(age)}～{wide(age + 4)}歳" for age in range(0, 75, 5)]
    spans += ["１５歳未満", "１５～６４歳", "６５歳以上", "７５歳以上"]
    named = []
    for sex, total in (("総数", "総数"), ("男", "男の総数"), ("女", "女の総数")):
        named += [f"{total}、年齢「不詳」含む", *(f"{blank}{sex}{span}" for span in spans)]
    return named


def block(ages: Sequence[int], unknown: int = 0) -> list[int]:
    """The 20 numbers of one sex."""
    closed, opened = list(ages[:15]), ages[15]
    young, middle, old = sum(closed[:3]), sum(closed[3:13]), sum(closed[13:]) + opened
    return [sum(ages) + unknown, *closed, young, middle, old, opened]


def numbers(male: Sequence[int], female: Sequence[int], unknown: Sequence[int] = (0, 0)):
    """The 60 numbers of an area."""
    men, women = block(male, unknown[0]), block(female, unknown[1])
    return [m + w for m, w in zip(men, women, strict=True)] + men + women


def withheld(values: Sequence[int]) -> list[object]:
    """Totals stay, ages become X."""
    return [value if place % 20 == 0 else "X" for place, value in enumerate(values)]


def add(*areas: Sequence[int]) -> list[int]:
    return [sum(cells) for cells in zip(*areas, strict=True)]


def row(key: str, level: str, name: str, values: Sequence[object], **merged: str) -> list[object]:
    shown = ["-" if value == 0 else value for value in values]
    notes = [merged.get("treatment", "0"), merged.get("partner", ""), merged.get("members", "")]
    return [key, level, "夕張市", name, *notes, *shown]


def write(
    path: Path,
    rows: Sequence[Sequence[object]],
    *,
    named: Sequence[str] | None = None,
    encoding: str = "cp932",
    end: str = "\r\n",
) -> Path:
    named = labels() if named is None else named
    codes = [f"T001082{place:03d}" for place in range(1, len(named) + 1)]
    table = [[*LEADING, *codes], [""] * len(LEADING) + list(named), *rows]
    text = end.join(",".join(map(str, cells)) for cells in table) + end
    path.write_bytes(text.encode(encoding))
    return path


def changed(source: Path, target: Path, changes: Mapping[bytes, bytes]) -> Path:
    """A copy with some bytes, which must be there, put in place of others, once each."""
    body = source.read_bytes()
    for old, new in changes.items():
        assert old in body, old
        body = body.replace(old, new, 1)
    target.write_bytes(body)
    return target
