"""What the linter can find: its rules in both languages, and one finding with its place."""

from __future__ import annotations

from typing import NamedTuple

WORDS = {
    "zip": ("KMZ の構成が正しくない", "the KMZ is not put together as clients expect"),
    "limit": ("大きすぎて、最後まで調べていない", "too large to be checked to its end"),
    "xml": ("XML として読めない", "not well-formed XML"),
    "root": ("KML 2.2 の文書ではない", "not a KML 2.2 document"),
    "order": ("要素の順序か位置が KML 2.2 と違う", "an element stands where KML 2.2 has none"),
    "schema": ("KML 2.2 のスキーマに合わない", "not as the schema of KML 2.2 says"),
    "id": ("id が重なっている", "an id is used twice"),
    "style": ("styleUrl の先がない", "a styleUrl leads nowhere"),
    "target": ("更新の対象がない", "what an update changes does not exist"),
    "colour": ("色の書式が aabbggrr でない", "a colour is not aabbggrr"),
    "ring": ("輪が閉じていない、または点が足りない", "a ring is not closed or too short"),
    "turn": ("輪の向きが逆", "a ring runs the wrong way"),
    "coordinates": ("座標が数でない、または範囲の外", "coordinates are no numbers or out of range"),
    "number": ("数でない、または範囲の外", "no number, or out of range"),
    "box": ("範囲の北と南、東と西、上と下が逆", "a box whose north, east or top is not beyond"),
    "lod": ("Lod の最小が最大より小さくない", "a Lod whose minimum is not below its maximum"),
    "time": ("期間の始まりと終わりが正しくない", "a time span that is no time, or ends too early"),
    "remote": ("外部への参照がある", "refers to something outside the file"),
    "running": ("動く内容（script など）がある", "holds running content"),
    "link": ("ネットワークリンクの形が違う", "a network link that is not of the form we allow"),
    "file": ("参照先のファイルが KMZ にない", "a file that is referred to is not in the KMZ"),
    "refused": ("このクライアントが拒む要素", "an element that this client refuses"),
    "features": ("地物が多すぎる", "too many features"),
    "vertices": ("頂点が多すぎる", "too many vertices"),
    "shown": ("最初に見える状態が一つでない", "not exactly one state is shown at first"),
    "scale": ("高さの縮尺が状態で違うか、書かれていない", "height scales differ or are missing"),
    "placeholder": ("吹き出しに埋まらない欄がある", "a balloon has a place that nothing fills"),
    "mojibake": ("文字化けがある", "text that was read in a wrong encoding"),
}  # fmt: skip


class Finding(NamedTuple):
    """One fault of a file.

    Parameters
    ----------
    rule
        Short name of the rule; key of `WORDS`.
    file
        Name of the file; of a KMZ with several documents also that of the document.
    seen
        What was seen.
    line, column
        Where it was seen, from 1; None where the whole file is meant.
    feature
        Id of the feature, or its element where it has none.
    """

    rule: str
    file: str
    seen: str
    line: int | None = None
    column: int | None = None
    feature: str = ""

    def text(self, lang: str = "ja") -> str:
        """The finding in one line.

        Examples
        --------
        >>> Finding("id", "a.kmz", "now-1", 7, 3).text("en")
        'a.kmz:7:3: an id is used twice: now-1'
        """
        place = "" if self.line is None else f":{self.line}:{self.column}"
        feature = f" [{self.feature}]" if self.feature else ""
        words = WORDS[self.rule][0 if lang == "ja" else 1]
        return f"{self.file}{place}: {words}: {self.seen}{feature}"

    def __str__(self) -> str:
        return self.text("en")
