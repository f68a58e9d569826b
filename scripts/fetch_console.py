"""What the download scripts say and are told: arguments, limits, progress, and errors as text."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

EXIT_USAGE, EXIT_REFUSED, EXIT_DISK = 2, 3, 5  # as futuremap's own commands
PREFECTURES = [f"{number:02d}" for number in range(1, 48)]


class FetchError(Exception):
    """A download that did not succeed, as a person should read it.

    Parameters
    ----------
    ja, en
        What is wrong and what to do about it.
    place
        Address (without secrets) or file that it is about.
    code
        Exit code of the script.
    """

    def __init__(self, ja: str, en: str, *, place: str, code: int = EXIT_REFUSED) -> None:
        self.ja, self.en, self.place, self.code = ja, en, place, code
        super().__init__(f"{en}: {place}")


@dataclass(frozen=True)
class Limits:
    """How patient and how generous a download is.

    Parameters
    ----------
    timeout
        Seconds without a byte after which a try is given up.
    tries
        How often it is tried in all.
    pause
        Seconds before the second try; doubled for each further one.
    max_bytes
        Size from which a file is refused.
    """

    timeout: float = 60.0
    tries: int = 4
    pause: float = 2.0
    max_bytes: int = 512 * 2**20


class Progress:
    """How far a download has come, on stderr, once a second at most.

    Parameters
    ----------
    name
        Of the file.
    total
        Its size if the server stated it. [bytes]
    """

    def __init__(self, name: str, total: int | None) -> None:
        self.name = name
        self.whole = "" if total is None else f" / {total / 2**20:.1f}"
        self.live = sys.stderr.isatty()
        self.said = time.monotonic()

    def show(self, size: int) -> None:
        """Say how much there is now. [bytes]"""
        now = time.monotonic()
        if now - self.said >= 1:
            self.said = now
            text = f"{self.name}: {size / 2**20:.1f}{self.whole} MiB"
            print(text, end="\r" if self.live else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line, so that what follows stands below."""
        if self.live:
            print(file=sys.stderr)


def log(text: str) -> None:
    """Say something on stderr."""
    print(text, file=sys.stderr, flush=True)


def parser(description: str, *, base_url: str) -> argparse.ArgumentParser:
    """The arguments that all download scripts share."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--out", type=Path, default=Path("downloads"), help="保存先 / folder")
    made.add_argument("--base-url", default=base_url, help="サーバー / server (for tests)")
    made.add_argument("--sha256", default="", help="期待するチェックサム / expected checksum")
    made.add_argument("--timeout", type=float, default=60.0, help="秒 / seconds")
    made.add_argument("--tries", type=int, default=4, help="試す回数 / tries")
    made.add_argument("--pause", type=float, default=2.0, help="再試行までの秒 / seconds between")
    made.add_argument("--max-mib", type=float, default=512.0, help="大きさの上限 / size limit")
    made.add_argument("--force", action="store_true", help="取り直す / get it again")
    return made


def limits_of(arguments: argparse.Namespace) -> Limits:
    """The limits that were asked for."""
    most = int(arguments.max_mib * 2**20)
    return Limits(arguments.timeout, max(arguments.tries, 1), arguments.pause, most)


def prefectures(written: Iterable[str]) -> list[str]:
    """Codes of prefectures in two digits.

    Raises
    ------
    FetchError
        If one of them is no prefecture.

    Examples
    --------
    >>> prefectures(["1", "34"])
    ['01', '34']
    """
    codes = [code.zfill(2) for code in written]
    for code in codes:
        if code not in PREFECTURES:
            raise FetchError(
                "都道府県コード（01～47）ではありません",
                "it is no code of a prefecture (01 to 47)",
                place=code,
                code=EXIT_USAGE,
            )
    return codes


def run(main: Callable[[], None]) -> NoReturn:
    """Run a script; what goes wrong is one message with its place, never a traceback."""
    try:
        main()
    except FetchError as error:
        log(f"エラー / error: {error.place}\n  {error.ja}\n  {error.en}")
        sys.exit(error.code)
    except KeyboardInterrupt:
        log("中断しました / interrupted")
        sys.exit(130)
    sys.exit(0)
