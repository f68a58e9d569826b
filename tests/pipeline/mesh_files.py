"""合成データ: mesh statistics of 歌志内市 in e-Stat's layout, from people put on its meshes."""

import numpy as np

from futuremap.base.meshes import on_mesh

from .official import OPEN, by_block

BROAD = (0, 3, 13, 15)  # first of the five-year groups of 0, 15, 65, 75 and over
SPANS = (("０～１４歳", 0, 1), ("１５～６４歳", 1, 2), ("６５歳以上", 2, 4), ("７５歳以上", 3, 4))
LEADING = ["KEY_CODE", "HTKSYORI", "HTKSAKI", "GASSAN"]


def placed(blocks, year, level="250m", seed=7):
    """Whole people by mesh, block, sex and broad age, unevenly over the ground of each block."""
    walk = on_mesh(blocks, level).crosswalk
    share = walk.weights.toarray()
    draw = np.random.default_rng(seed)
    share = share * draw.gamma(0.4, size=share.shape)
    share /= share.sum(axis=0)
    people = by_block(year)
    assert people.shape[2] == OPEN + 1
    broad = np.add.reduceat(people, BROAD, axis=2)
    order = [blocks.ids.index(zone) for zone in blocks.ids]
    cells = np.zeros((len(walk.targets), len(order), 2, len(BROAD)), dtype=int)
    for b in order:
        for sex in range(2):
            for group, count in enumerate(broad[b, sex]):
                cells[:, b, sex, group] = draw.multinomial(count, share[:, b])
    return walk.targets, cells


def columns(people):
    """The cells of one mesh ``(2, 4)`` in the order of the headings."""
    both = people.sum(axis=0)
    found = [both.sum(), *people.sum(axis=1)]
    for _, start, stop in SPANS:
        found += [both[start:stop].sum(), *people[:, start:stop].sum(axis=1)]
    return [int(value) for value in found]


def write(path, codes, people, *, merged=()):
    """A table of the meshes that have people; `merged` are pairs (suppressed, holder)."""
    sexes = ("総数", "男", "女")
    named = ["　人口（総数）", "　人口（総数）　男", "　人口（総数）　女"]
    named += [f"　{span}人口　{sex}" for span, _, _ in SPANS for sex in sexes]
    ids = [f"T001102{n:03d}" for n in range(1, len(named) + 1)]
    table = [[*LEADING, *ids], ["", "", "", "", *named]]
    held = dict(merged)
    holders = {holder: hidden for hidden, holder in held.items()}
    position = {code: row for row, code in enumerate(codes)}
    for code, own in zip(codes, people, strict=True):
        if not own.sum():
            continue
        if code in held:
            cells = columns(own)
            table.append([code, 2, held[code], "", *cells[:3], *["*"] * (len(cells) - 3)])
        elif code in holders:
            both = own + people[position[holders[code]]]
            cells = [*columns(own)[:3], *columns(both)[3:]]
            table.append([code, 1, "", holders[code], *cells])
        else:
            table.append([code, 0, "", "", *columns(own)])
    text = "\r\n".join(",".join(map(str, cells)) for cells in table) + "\r\n"
    path.write_bytes(text.encode("cp932"))
    return path
