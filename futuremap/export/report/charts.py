"""Charts of the report: people by year with their interval, pyramids, the three broad ages."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from futuremap.core.fields import field
from futuremap.core.population import SEXES
from futuremap.export.brief import Brief
from futuremap.export.chart import spread
from futuremap.export.report.style import FEMALE, INK, MALE, PALE, RULE, whole_numbers

NAME_GAP = 0.05  # between names beside lines, as a share of the axis
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")


def draw_people(axes: Axes, brief: Brief) -> None:
    """People by year, a line a municipality, with the interval as a band."""
    table = brief.municipal
    bounds = table.intervals().get("population")
    people = table.frame("population").to_numpy()
    top = max(float(people.max()), float(np.nanmax(bounds[1])) if bounds else 0.0) * 1.05
    places = spread(people[-1].tolist(), gap=NAME_GAP * top, low=0.0, high=top)
    for z, zone in enumerate(table.zones):
        colour = LINES[z % len(LINES)]
        style = "-" if z < len(LINES) else "--"
        axes.plot(table.years, people[:, z], style, color=colour, marker="o", markersize=3.5,
                  linewidth=1.6)  # fmt: skip
        axes.annotate(
            brief.names[zone].ja, (table.years[-1], people[-1, z]), xytext=(1.02, places[z] / top),
            textcoords="axes fraction", va="center", fontsize=8, parse_math=False,
        )  # fmt: skip
        if bounds is not None:
            low, high = (np.where(np.isnan(b[:, z]), people[:, z], b[:, z]) for b in bounds)
            axes.fill_between(table.years, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_ylim(0, top)
    axes.set_xticks(table.years)
    axes.yaxis.set_major_formatter(whole_numbers())
    axes.grid(axis="y", color=RULE, linewidth=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    shown = "（帯は80％区間）" if bounds is not None else ""
    axes.set_title(f"人口（人）{shown}", loc="left", fontsize=9)


def draw_pyramid(
    axes: Axes, brief: Brief, zone: str, *, year: int, outline: int | None, small: bool = False
) -> None:
    """People of a municipality by sex and age in a year, another year's as an outline."""
    people = brief.people
    z = people.zones.index(zone)
    ages = np.arange(len(people.ages))
    shown = [year] if outline is None else [year, outline]
    most = max(float(people.persons[people.years.index(y), z].max()) for y in brief.years)
    for which in shown:
        counted = people.persons[people.years.index(which), z]
        for s, (sex, colour) in enumerate(zip(SEXES, (MALE, FEMALE), strict=True)):
            values = counted[s] * (-1 if sex == "male" else 1)
            if which == year:
                axes.barh(ages, values, height=0.85, color=colour, linewidth=0)
            else:
                axes.stairs(values, np.arange(len(ages) + 1) - 0.5, orientation="horizontal",
                            color=INK, linewidth=0.9, baseline=None)  # fmt: skip
    axes.axvline(0, color=INK, linewidth=0.5)
    axes.set_xlim(-most * 1.08, most * 1.08)
    axes.set_ylim(-0.6, len(ages) - 0.4)
    every = 3 if small else 1
    axes.set_yticks(
        ages[::every], [label.replace("歳", "") for label in people.ages.labels()][::every]
    )
    axes.tick_params(axis="both", labelsize=6 if small else 7, length=2)
    axes.locator_params(axis="x", nbins=4 if small else 6)
    axes.xaxis.set_major_formatter(whole_numbers())
    axes.spines[["top", "right", "left"]].set_visible(False)
    state = "現況" if year == brief.years[0] else "将来"
    line = "" if outline is None else f"・線は{outline}年"
    name = brief.names[zone].ja
    axes.set_title(f"{name} {state}（{year}年{line}）", loc="left", fontsize=7.5 if small else 9)
    if not small:
        axes.text(0.02, 0.97, "男", transform=axes.transAxes, color=MALE, va="top", fontsize=9)
        axes.text(0.98, 0.97, "女", transform=axes.transAxes, color=FEMALE, va="top", ha="right",
                  fontsize=9)  # fmt: skip
        axes.set_xlabel("人", fontsize=7.5, color=PALE)


def draw_ages(axes: Axes, brief: Brief, zone: str) -> None:
    """The three broad ages of a municipality by year, stacked."""
    table = brief.municipal
    z = table.zones.index(zone)
    base = np.zeros(len(table.years))
    parts = (
        ("population_65_over", "#b5651d"),
        ("population_15_64", "#9ecae1"),
        ("population_0_14", "#31a354"),
    )
    for name, colour in parts:
        values = table.frame(name).to_numpy()[:, z]
        axes.bar(table.years, values, bottom=base, width=3.4, color=colour, linewidth=0,
                 label=field(name).name_ja)  # fmt: skip
        base = base + values
    axes.set_xticks(table.years)
    axes.yaxis.set_major_formatter(whole_numbers())
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=RULE, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.set_title(f"{brief.names[zone].ja} 年齢3区分（人）", loc="left", fontsize=9)
    axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(0, -0.1), ncols=3)
