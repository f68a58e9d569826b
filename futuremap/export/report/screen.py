"""The report as one HTML file: real tables, figures as SVG, nothing loaded from elsewhere."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence

from matplotlib.figure import Figure

from futuremap.core.layer import Text
from futuremap.export.page import POLICY
from futuremap.export.report.blocks import WIDTH, Block, Drawing, Frame, Grid, Section, Words
from futuremap.export.report.style import FAMILY
from futuremap.export.text import clean

MM_PER_INCH = 25.4
DPI = 200  # of what is drawn as pixels
FONTS = "Hiragino Sans, Yu Gothic UI, Meiryo, Noto Sans CJK JP, sans-serif"
STYLE = f"""
body {{ margin: 0 auto; max-width: 190mm; padding: 1rem; color: #1b1b1b; background: #fff;
  font-family: {FONTS}; line-height: 1.6; }}
section {{ margin-bottom: 3rem; }} section + section {{ break-before: page; }}
h1 {{ font-size: 1.5rem; margin: .5rem 0 0; }} h2 {{ font-size: 1.2rem; margin: .5rem 0 0; }}
.en {{ color: #444; font-size: .8rem; margin: 0 0 .5rem; }}
.alarm {{ border: 2px solid #8c1020; color: #8c1020; padding: .3rem .7rem; }}
.scroll {{ overflow-x: auto; }} figure {{ margin: .5rem 0; }}
svg {{ display: block; width: 100%; height: auto; }}
table {{ border-collapse: collapse; font-size: .8rem; font-variant-numeric: tabular-nums; }}
th, td {{ border: 1px solid #bbb; padding: .15rem .5rem; text-align: right; }}
th {{ background: #eee; font-weight: 600; }} .w {{ text-align: left; min-width: 6rem; }}
p {{ margin: .2rem 0; }}
@page {{ size: A4; margin: 11mm; }}
@media print {{ body {{ max-width: none; padding: 0; font-size: 8.5pt; line-height: 1.4; }}
  section {{ margin: 0; }} table {{ font-size: 7pt; }} td, th {{ padding: .05rem .3rem; }}
  tr, figure {{ break-inside: avoid; }} th {{ print-color-adjust: exact; }} }}
"""
# `XML` head and document type of a drawing; HTML wants neither, nor an address of the name space
BEFORE_SVG = re.compile(r"^.*?(?=<svg)", re.DOTALL)
NAMESPACE = re.compile(r' xmlns="[^"]*"')
METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)


def render(sections: Sequence[Section], *, title: Text, mark: str) -> str:
    """The page as HTML."""
    parts = []
    for number, section in enumerate(sections):
        level = 1 if number == 0 else 2
        blocks = "\n".join(
            _block(block, f"s{number}b{b}") for b, block in enumerate(section.blocks)
        )
        parts.append(
            f"<section>\n<h{level}>{_safe(section.title.ja)}</h{level}>\n"
            f'<p class="en" lang="en">{_safe(section.title.en)}</p>\n{blocks}\n</section>'
        )
    named = f"［{mark}］{title.ja}" if mark else title.ja
    head = (
        '<!DOCTYPE html>\n<html lang="ja">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}; img-src data:">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_safe(named)}</title>\n<style>{STYLE}</style>\n</head>\n"
    )
    return f"{head}<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"


def _safe(text: str) -> str:
    return html.escape(clean(text))


def _block(block: Block, key: str) -> str:
    if isinstance(block, Drawing):
        return _figure(block, key)
    if isinstance(block, Grid):
        return _table(block)
    return _words(block)


def _words(block: Words) -> str:
    kind = ' class="alarm"' if block.alarm else ""
    return "\n".join(f"<p{kind}>{_safe(line)}</p>" for line in block.lines)


def _table(block: Grid) -> str:
    words = [' class="w"' if i < block.texts else "" for i in range(len(block.headings))]
    heads = "".join(
        f'<th scope="col"{w}>{_safe(text)}</th>'
        for w, text in zip(words, block.headings, strict=True)
    )
    rows = "".join(
        f"<tr>{''.join(f'<td{w}>{_safe(c)}</td>' for w, c in zip(words, row, strict=True))}</tr>"
        for row in block.rows
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _figure(block: Drawing, key: str) -> str:
    figure = Figure(figsize=(WIDTH / MM_PER_INCH, block.height / MM_PER_INCH))
    block.draw(Frame(figure))
    made = io.StringIO()
    figure.savefig(made, format="svg", dpi=DPI, metadata={"Date": None, "Creator": None})
    text = METADATA.sub("", BEFORE_SVG.sub("", made.getvalue()))
    text = NAMESPACE.sub("", text, count=1).replace(f"'{FAMILY}'", FONTS)
    # several drawings share one page: their ids must not meet
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{key}-", text)
    label = f'role="img" aria-label="{_safe(block.said)}"'
    return f"<figure>{text.replace('<svg', f'<svg {label}', 1)}</figure>"
