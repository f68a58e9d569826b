"""Sheets of record: what was assumed, what the run measured of itself, and whose data they are."""

from __future__ import annotations

from collections.abc import Sequence

from futuremap.core.credits import Credit
from futuremap.core.fields import field
from futuremap.core.layer import Text
from futuremap.export.brief import Brief, Fact
from futuremap.export.workbook.sheet import (
    PALE,
    TEXT_FORMAT,
    Book,
    Column,
    Sheet,
    format_of,
    number_format,
)

ASSUMPTIONS, DIAGNOSTICS, CREDITS = "前提", "診断", "出典"
MEASURE = number_format(6)
PERCENT = number_format(1)


def write_assumptions(book: Book, brief: Brief) -> None:
    """How the numbers were made, with which settings, from which files."""
    sheet = book.sheet(ASSUMPTIONS, landscape=False)
    sheet.widths((40, 46, 24, 12))
    sheet.heading(Text("数字の作り方", "How the numbers are made"))
    for sentence in brief.method:
        sheet.words(f"・{sentence.ja}")
        sheet.words(sentence.en, colour=PALE, size=9)
    sheet.skip()
    sheet.heading(Text("読んだファイル", "Files that were read"))
    sheet.table(
        [
            Column(Text("ファイル", "File"), [fact.name.ja for fact in brief.inputs], wrapped=True),
            Column(
                Text("出典", "Credit"), [str(fact.value) for fact in brief.inputs], wrapped=True
            ),
            Column(
                Text("利用条件", "Licence"), [fact.about for fact in brief.inputs], wrapped=True
            ),
        ],
    )
    sheet.skip()
    sheet.heading(Text("設定（project.toml）", "Settings (project.toml)"))
    sheet.table(_facts(brief.settings))


def write_diagnostics(book: Book, brief: Brief) -> None:
    """What was imputed, how far controls moved it, how far past projections erred, what to mind."""
    sheet = book.sheet(DIAGNOSTICS)
    sheet.widths((16, 44, 26, 11, 16, 16, 40, 11, 11, 11))
    if brief.measures:
        sheet.heading(Text("照合", "Checks"))
        sheet.table(_facts(brief.measures, number=MEASURE))
        sheet.skip()
    _write_controls(sheet, brief)
    _write_imputed(sheet, brief)
    _write_errors(sheet, brief)
    _write_warnings(sheet, brief)


def write_credits(book: Book, credits: Sequence[Credit]) -> None:  # noqa: A002 - the noun
    """Whose data they are, and on what terms."""
    sheet = book.sheet(CREDITS, landscape=False)
    sheet.heading(Text("出典", "Credits"))
    made_up = ["合成データ" if credit.synthetic else "" for credit in credits]
    columns = [
        Column(
            Text("出典", "Credit"), [credit.text_ja for credit in credits], width=56, wrapped=True
        ),
        Column(
            Text("利用条件", "Licence"),
            [credit.licence for credit in credits],
            width=24,
            wrapped=True,
        ),
        Column(
            Text("英文", "In English"),
            [credit.text_en for credit in credits],
            width=50,
            wrapped=True,
        ),
        Column(
            Text("公開場所", "Where"), [credit.url for credit in credits], width=36, wrapped=True
        ),
    ]
    if any(made_up):
        columns.append(Column(Text("備考", "Remark"), made_up))
    sheet.table(columns, main=True)


def _facts(facts: Sequence[Fact], *, number: str = "General") -> list[Column]:
    words = [fact.value if isinstance(fact.value, str) else "" for fact in facts]
    numbers = [None if isinstance(fact.value, str) else float(fact.value) for fact in facts]
    columns = [
        Column(Text("項目", "Item"), [_name(fact) for fact in facts], wrapped=True),
        Column(Text("対象", "Of"), [fact.about for fact in facts]),
        Column(Text("内容", "Words"), words, wrapped=True),
        Column(Text("値", "Value"), numbers, number),
    ]
    kept = (
        True,
        any(fact.about for fact in facts),
        any(words),
        any(n is not None for n in numbers),
    )
    return [column for column, has in zip(columns, kept, strict=True) if has]


def _name(fact: Fact) -> str:
    return fact.name.ja if fact.name.ja == fact.name.en else f"{fact.name.ja} / {fact.name.en}"


def _write_controls(sheet: Sheet, brief: Brief) -> None:
    table = brief.controls
    sheet.heading(Text("総数への調整", "Adjustment to the control totals"))
    rows = [(zone, name) for zone in table.zones for name in table.indicators]
    formats = [format_of(field(name)) for _, name in rows]
    columns = [
        Column(Text("コード", "Id"), [zone for zone, _ in rows]),
        Column(
            Text("市区町村", "Municipality"),
            [brief.names[zone].ja if zone in brief.names else zone for zone, _ in rows],
        ),
        Column(Text("項目", "Item"), [field(name).label() for _, name in rows]),
    ]
    for year in table.years:
        values = [
            float(field(name).export(table.column(name, year)[table.zones.index(zone)]))
            for zone, name in rows
        ]
        columns.append(Column(Text(f"{year}年", str(year)), values, formats))
    sheet.table(columns)
    sheet.skip()


def _write_imputed(sheet: Sheet, brief: Brief) -> None:
    """The areas whose people were not all counted: imputed, merged or made up."""
    rows = [
        (str(zone), str(name), float(share))
        for theme in brief.areas
        if theme[0].kind != "mesh" and "imputed_share" in theme[0].features
        for zone, name, share in theme[0]
        .features[["name", "imputed_share"]]
        .itertuples(index=True, name=None)
        if share > 0
    ]
    sheet.heading(Text("補完・合算・合成による人口がある区域", "Areas with people not as counted"))
    if not rows:
        sheet.words("ありません。/ None.")
    else:
        sheet.table(
            [
                Column(Text("コード", "Id"), [zone for zone, _, _ in rows]),
                Column(Text("名称", "Name"), [name for _, name, _ in rows]),
                Column(
                    Text("基準年の割合（％）", "Share (%)"), [share for *_, share in rows], PERCENT
                ),
            ],
        )
    sheet.skip()


def _write_errors(sheet: Sheet, brief: Brief) -> None:
    sheet.heading(
        Text(
            "過去の推計の誤差（80％区間のもと）",
            "Errors of past projections (behind the intervals)",
        )
    )
    sheet.table(
        [
            Column(Text("何年先", "Years ahead"), [e.years for e in brief.errors], "0"),
            Column(
                Text("人口（以上）", "People, at least"), [e.size for e in brief.errors], "#,##0"
            ),
            Column(Text("下限（％）", "Low (%)"), [100 * e.low for e in brief.errors], PERCENT),
            Column(Text("上限（％）", "High (%)"), [100 * e.high for e in brief.errors], PERCENT),
            Column(
                Text("測った区域の数（0は引き延ばし）", "Areas measured (0: drawn out)"),
                [e.areas for e in brief.errors],
                "#,##0",
            ),
        ],
    )
    sheet.skip()


def _write_warnings(sheet: Sheet, brief: Brief) -> None:
    sheet.heading(Text("入力についての注意", "Warnings about the input"))
    found = brief.warnings
    if not found:
        sheet.words("ありません。/ None.")
        return
    sheet.table(
        [
            Column(Text("番号", "Code"), [p.code for p in found]),
            Column(Text("内容", "What"), [p.text("title") for p in found], wrapped=True),
            Column(Text("ファイル", "File"), [p.file for p in found], wrapped=True),
            Column(Text("行", "Line"), [p.line for p in found], "0"),
            Column(Text("列", "Column"), [p.column for p in found], wrapped=True),
            Column(Text("値", "Value"), [p.value for p in found], TEXT_FORMAT, wrapped=True),
            Column(Text("直し方", "Fix"), [p.text("fix") for p in found], wrapped=True),
        ],
    )
