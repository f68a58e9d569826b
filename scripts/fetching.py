"""Download one official file whole or not at all, with its source written down beside it.

Shared by fetch_estat.py, fetch_ksj.py and fetch_ipss.py. A file appears under its name only when
all of it is there and it is what was asked for; beside it stands ``NAME.source.json`` with
credit, licence, address, checksum and date, so that the credit can't get lost on the way into a
project. What goes wrong is said in Japanese and English with the address and the way out of it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from fetch_console import EXIT_DISK, EXIT_USAGE, FetchError, Limits, Progress, log

CHUNK = 2**16  # bytes
AGENT = "futuremap-fetch"
SCHEMES = ("http", "https")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}  # HTTP answers that may be better next time
LONGEST_WAIT = 60.0  # seconds between two tries
ZIP = b"PK\x03\x04"


class TransientError(Exception):
    """Something that another try may mend; says what, and how long the server wants us to wait."""

    def __init__(self, what: str, wait: float = 0.0) -> None:
        self.what, self.wait = what, wait
        super().__init__(what)


class Origin(NamedTuple):
    """Whose data a file holds.

    credit
        The line (出典) that every use must carry.
    licence
        Licence or terms of use.
    page
        Where the publisher describes the data and their terms.
    """

    credit: str
    licence: str
    page: str


class Wanted(NamedTuple):
    """One file to get.

    url
        Its address, which may hold a secret.
    target
        Where to put it.
    origin
        Whose it is.
    kind
        "zip" (as .xlsx is too), "json" or "any": what its first bytes must show.
    sha256
        The checksum it must have; empty if none is known.
    secret
        Text of the address that is never shown nor written.
    """

    url: str
    target: Path
    origin: Origin
    kind: str = "any"
    sha256: str = ""
    secret: str = ""

    def shown(self, url: str = "") -> str:
        """An address as it may be shown: the secret is starred out."""
        return hide(url or self.url, self.secret)


def hide(text: str, secret: str) -> str:
    """The text with a secret starred out, also as it stands in an address.

    Examples
    --------
    >>> hide("https://a.jp/x?appId=1%2B2&y=1", "1+2")
    'https://a.jp/x?appId=***&y=1'
    """
    for form in {secret, urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret)}:
        if form:
            text = text.replace(form, "***")
    return text


class _SameSchemeOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects of the server, but never into a file, another protocol or plain HTTP."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        upgraded = (old.scheme, new.scheme) == ("http", "https")
        moved = bool(self.wanted.secret) and new.netloc != old.netloc
        if (new.scheme != old.scheme and not upgraded) or moved:
            fp.close()
            raise _refused_redirect(self.wanted, f"{new.scheme}://{new.netloc}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
    ) -> Any:
        # urllib looks at the scheme before redirect_request does and answers with a bare error
        scheme = urllib.parse.urlsplit(headers.get("location", "")).scheme
        if scheme and scheme not in SCHEMES:
            fp.close()
            raise _refused_redirect(self.wanted, f"{scheme}:")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _refused_redirect(wanted: Wanted, where: str) -> FetchError:
    return FetchError(
        f"別の場所（{where}）へ転送されたため、やめました。公式のページで URL を確かめてください",
        f"the server sends us elsewhere ({where}), which is refused; check the address",
        place=wanted.shown(),
    )


def fetch(wanted: Wanted, *, limits: Limits, force: bool = False) -> Path:
    """Get one file; what is there already with its checksum is left as it is.

    Parameters
    ----------
    wanted
        The file.
    limits
        Patience and size.
    force
        Whether to get it again although it is there.

    Returns
    -------
    Path
        The file; beside it stands its ``.source.json``.

    Raises
    ------
    FetchError
        If it can't be had, is not what was asked for, or can't be written. An earlier file is
        then left as it was.
    """
    _check_address(wanted)
    if not force and _is_here(wanted):
        log(f"すでにあります / already here: {wanted.target}")
        return wanted.target
    part = wanted.target.with_name(f".{wanted.target.name}.part")
    try:
        wanted.target.parent.mkdir(parents=True, exist_ok=True)
        digest = _with_retries(wanted, part, limits)
        _check_kind(part, wanted)
        _check_sum(digest, wanted)
        _write_source(wanted, digest, part.stat().st_size)
        part.replace(wanted.target)
    except OSError as error:
        raise FetchError(
            f"書き込めません（{error.strerror}）。空き容量と権限を確かめてください",
            f"it cannot be written ({error.strerror}); check free space and permissions",
            place=str(wanted.target),
            code=EXIT_DISK,
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    log(f"取得しました / done: {wanted.target}  sha256 {digest}")
    return wanted.target


def source_file(target: Path) -> Path:
    """Where the source of a downloaded file is written down."""
    return target.with_name(f"{target.name}.source.json")


def _check_address(wanted: Wanted) -> None:
    parts = urllib.parse.urlsplit(wanted.url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise FetchError(
            "http か https の URL だけを取得できます。--base-url を直してください",
            "only http and https addresses can be fetched; mend --base-url",
            place=wanted.shown(),
            code=EXIT_USAGE,
        )
    if wanted.secret and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise FetchError(
            "アプリケーション ID を暗号化せずに送ることはできません。https の URL にしてください",
            "the application id is not sent in the clear; use an https address",
            place=wanted.shown(),
            code=EXIT_USAGE,
        )


def _is_here(wanted: Wanted) -> bool:
    try:
        noted = json.loads(source_file(wanted.target).read_text(encoding="utf-8"))["sha256"]
        found = hashlib.sha256(wanted.target.read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(found == noted and wanted.sha256 in {"", found})


def _with_retries(wanted: Wanted, part: Path, limits: Limits) -> str:
    what = ""
    for attempt in range(1, limits.tries + 1):
        try:
            return _download(wanted, part, limits)
        except TransientError as trouble:
            what = trouble.what
            if attempt < limits.tries:
                wait = min(max(trouble.wait, limits.pause * 2 ** (attempt - 1)), LONGEST_WAIT)
                log(f"{attempt}/{limits.tries}: {what}; {wait:g} 秒後に再試行 / trying again")
                time.sleep(wait)
    raise FetchError(
        f"{limits.tries} 回試しましたが取得できません（{what}）。時間をおいて実行し直してください",
        f"not to be had in {limits.tries} tries ({what}); run it again later",
        place=wanted.shown(),
    )


def _download(wanted: Wanted, part: Path, limits: Limits) -> str:
    request = urllib.request.Request(  # noqa: S310 - the scheme has been checked
        wanted.url, headers={"User-Agent": AGENT, "Accept-Encoding": "identity"}
    )
    opener = _opener(wanted)
    try:
        with opener.open(request, timeout=limits.timeout) as answer:
            return _save(answer, wanted, part, limits)
    except urllib.error.HTTPError as error:
        error.close()
        raise _http_trouble(error, wanted) from error
    except http.client.HTTPException as error:
        raise TransientError(type(error).__name__) from error
    except urllib.error.URLError as error:
        raise TransientError(hide(str(error.reason), wanted.secret)) from error
    except (TimeoutError, ConnectionError, ssl.SSLError) as error:
        raise TransientError(type(error).__name__) from error


def _opener(wanted: Wanted) -> urllib.request.OpenerDirector:
    # put together by hand: build_opener would add handlers for file: and ftp: addresses
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _SameSchemeOnly(wanted),
    ):
        opener.add_handler(handler)
    return opener


def _http_trouble(error: urllib.error.HTTPError, wanted: Wanted) -> Exception:
    if error.code in TRY_AGAIN:
        asked = error.headers.get("Retry-After", "")
        return TransientError(f"HTTP {error.code}", float(asked) if asked.isdigit() else 0.0)
    return FetchError(
        f"サーバーが HTTP {error.code} を返しました。コードと年（版）の指定を確かめてください",
        f"the server answered HTTP {error.code}; check the codes and the edition asked for",
        place=wanted.shown(),
    )


def _save(answer: Any, wanted: Wanted, part: Path, limits: Limits) -> str:
    stated = answer.headers.get("Content-Length", "")
    total = int(stated) if stated.isdigit() else None
    if total is not None and total > limits.max_bytes:
        raise _too_large(wanted, limits)
    digest, size, progress = hashlib.sha256(), 0, Progress(wanted.target.name, total)
    with part.open("wb") as out:
        for chunk in _chunks(answer):
            size += len(chunk)
            if size > limits.max_bytes:
                raise _too_large(wanted, limits)
            digest.update(chunk)
            out.write(chunk)
            progress.show(size)
        out.flush()
        os.fsync(out.fileno())
    progress.end()
    if total is not None and size != total:
        raise TransientError(f"途中で切れました / cut off: {size:,} / {total:,} bytes")
    return digest.hexdigest()


def _chunks(answer: Any) -> Iterator[bytes]:
    while chunk := answer.read(CHUNK):
        yield chunk


def _too_large(wanted: Wanted, limits: Limits) -> FetchError:
    most = f"{limits.max_bytes / 2**20:g} MiB"
    return FetchError(
        f"大きすぎます（上限 {most}）。正しいファイルなら --max-mib で上限を上げてください",
        f"it is too large (limit {most}); if it is the right file, raise --max-mib",
        place=wanted.shown(),
    )


def _check_kind(part: Path, wanted: Wanted) -> None:
    with part.open("rb") as file:
        head = file.read(512)
    if wanted.kind == "zip":
        good = head.startswith(ZIP) and zipfile.is_zipfile(part)
    elif wanted.kind == "json":
        good = head.lstrip()[:1] in {b"{", b"["}
    else:
        good = bool(head)
    if not good:
        seen = "HTML" if head.lstrip()[:1] == b"<" else f"{part.stat().st_size:,} bytes"
        raise FetchError(
            f"{wanted.kind} ではないもの（{seen}）が返りました。コードと版の指定を確かめてください",
            f"what came back is no {wanted.kind} file ({seen}); check codes and edition",
            place=wanted.shown(),
        )


def _check_sum(digest: str, wanted: Wanted) -> None:
    if wanted.sha256.lower() not in {"", digest}:
        raise FetchError(
            f"チェックサムが {digest} で、期待した {wanted.sha256} と違います。"
            "公式の版が変わっていないか確かめてください",
            f"its checksum is {digest}, not {wanted.sha256}; has the edition changed?",
            place=wanted.shown(),
        )


def _write_source(wanted: Wanted, digest: str, size: int) -> None:
    # before the file itself: there is never a file without its credit
    note = {
        "file": wanted.target.name,
        "url": wanted.shown(),
        "credit": wanted.origin.credit,
        "licence": wanted.origin.licence,
        "page": wanted.origin.page,
        "sha256": digest,
        "bytes": size,
        "fetched": dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
    }
    path = source_file(wanted.target)
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(note, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    part.replace(path)
