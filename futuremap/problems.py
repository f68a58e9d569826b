"""Located, bilingual problems: what is wrong, where it stands, why it matters, how to mend it.

Readers add problems to a :class:`Report` and go on, so that one run lists them all.
The texts of every code stand in ``problem_codes.toml`` beside this module.
"""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from futuremap.errors import InputRefused

Severity = Literal["error", "warning"]
# more of one kind are counted, not listed, on the terminal
SHOWN_PER_CODE = {"error": 20, "warning": 3}
CSV_COLUMNS = (
    "code", "severity", "file", "sheet", "line", "column", "value", "expected",
    "title_ja", "why_ja", "fix_ja", "title_en", "why_en", "fix_en",
)  # fmt: skip


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    """Texts of every problem code, keyed by code.

    Examples
    --------
    >>> catalogue()["FM302"]["severity"]
    'error'
    """
    text = (files("futuremap") / "problem_codes.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@dataclass(frozen=True)
class Problem:
    """One finding with its place in the input."""

    code: str
    file: str = ""
    sheet: str = ""
    line: int | None = None
    column: str = ""
    value: str = ""
    detail: tuple[tuple[str, str], ...] = ()

    @property
    def severity(self) -> Severity:
        """Whether the run is refused ("error") or goes on ("warning")."""
        severity: Severity = catalogue()[self.code]["severity"]
        return severity

    def text(self, part: Literal["title", "expected", "why", "fix"], lang: str = "ja") -> str:
        """One part of the message in Japanese ("ja") or English ("en")."""
        template: str = catalogue()[self.code].get(f"{part}_{lang}", "")
        place = {"value": self.value, "column": self.column, "file": self.file}
        return template.format_map(_Named(place | dict(self.detail)))

    def place(self) -> str:
        """Where the problem stands, as ``file[sheet]:line column``.

        Examples
        --------
        >>> Problem("FM302", file="a.xlsx", sheet="Sheet1", line=4, column="male").place()
        'a.xlsx[Sheet1]:4 列「male」'
        """
        place = self.file
        if self.sheet:
            place += f"[{self.sheet}]"
        if self.line is not None:
            place += f":{self.line}"
        return f"{place} 列「{self.column}」".strip() if self.column else place

    def lines(self) -> list[str]:
        """The message as it stands on a terminal, Japanese before English."""
        shown = [
            f"{self.severity}[{self.code}] {self.text('title')} / {self.text('title', 'en')}",
        ]
        if self.place():
            shown.append(f"  --> {self.place()}")
        if self.value or self.text("expected"):
            shown.append(
                f"   | 値/value: {self.value or '（空）'}   "
                f"期待/expected: {self.text('expected')} / {self.text('expected', 'en')}",
            )
        for lang, why, fix in (("ja", "なぜ", "直し方"), ("en", "why", "fix")):
            shown.append(f"   = {why}: {self.text('why', lang)}  {fix}: {self.text('fix', lang)}")
        return shown


class _Named(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


@dataclass
class Report:
    """Problems found so far; the readers' shared note pad."""

    problems: list[Problem] = field(default_factory=list)
    _known: set[Problem] = field(default_factory=set, repr=False)

    def add(
        self,
        code: str,
        *,
        file: str = "",
        sheet: str = "",
        line: int | None = None,
        column: str = "",
        value: object = "",
        **detail: object,
    ) -> None:
        """Note one problem; unknown codes are a bug of ours (KeyError)."""
        _ = catalogue()[code]
        texts = tuple(sorted((key, str(entry)) for key, entry in detail.items()))
        shown = "" if value is None else str(value)[:200]
        problem = Problem(code, file, sheet, line, column, shown, texts)
        if problem not in self._known:  # the same finding twice is one finding
            self._known.add(problem)
            self.problems.append(problem)

    @property
    def errors(self) -> list[Problem]:
        """The problems for which a run is refused."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """The problems with which a run goes on."""
        return [problem for problem in self.problems if problem.severity == "warning"]

    def raise_if_errors(self) -> None:
        """Refuse the input once anything in it is wrong.

        Raises
        ------
        InputRefused
            If there is at least one error; it carries this report.
        """
        if self.errors:
            raise InputRefused(self)

    def summary(self) -> str:
        """Count of errors and warnings in one line."""
        return (
            f"問題 {len(self.errors)} 件・注意 {len(self.warnings)} 件 / "
            f"{len(self.errors)} error(s), {len(self.warnings)} warning(s)"
        )

    def lines(self) -> Iterator[str]:
        """All problems for a terminal, sorted by place; many of a kind are cut and counted."""
        seen: dict[str, int] = {}
        for problem in self.sorted():
            seen[problem.code] = seen.get(problem.code, 0) + 1
            if seen[problem.code] <= SHOWN_PER_CODE[problem.severity]:
                yield from problem.lines()
        for code, count in seen.items():
            more = count - SHOWN_PER_CODE[catalogue()[code]["severity"]]
            if more > 0:
                yield f"{code}: ほか {more} 件 / {more} more"
        yield self.summary()

    def sorted(self) -> list[Problem]:
        """Errors before warnings, then by file, sheet and line."""
        return sorted(
            self.problems,
            key=lambda p: (p.severity, p.file, p.sheet, p.line or 0, p.code, p.column),
        )

    def to_csv(self) -> str:
        """All problems as CSV text, one row each, safe to open in a spreadsheet."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(CSV_COLUMNS)
        for p in self.sorted():
            row = [p.code, p.severity, p.file, p.sheet, p.line or "", p.column, p.value]
            row.append(f"{p.text('expected')} / {p.text('expected', 'en')}")
            for lang in ("ja", "en"):
                row += [p.text("title", lang), p.text("why", lang), p.text("fix", lang)]
            writer.writerow([_inert(cell) for cell in row])
        return out.getvalue()


def _inert(cell: object) -> object:
    # a leading =, +, -, @ would be run as a formula by a spreadsheet
    text = str(cell)
    return "'" + text if text[:1] in tuple("=+-@\t\r＝＋－＠") else cell
