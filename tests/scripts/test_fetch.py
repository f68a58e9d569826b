"""The download scripts against a server of our own that answers as the publishers do, or badly."""

import contextlib
import hashlib
import http.server
import io
import json
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import fetch_console  # noqa: E402
import fetch_estat  # noqa: E402
import fetch_ipss  # noqa: E402
import fetch_ksj  # noqa: E402
import fetching  # noqa: E402

SECRET = "s3cret+id/for&tests"  # noqa: S105 - made up
QUICK = ["--pause", "0.01", "--timeout", "5"]


def zipped(name, text):
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text.encode("cp932"))
    return body.getvalue()


def workbook():
    book, body = openpyxl.Workbook(), io.BytesIO()
    book.active.title = "3400_広島県"
    book.active.append(["男女計", "2020年", "2025年", "2030年"])
    book.create_sheet("34204_三原市")
    book.save(body)
    return body.getvalue()


TABLE = zipped(
    "tblT001082C34.txt",
    "KEY_CODE,HYOSYO,CITYNAME,NAME,HTKSYORI,HTKSAKI,GASSAN,T001082001\r\n"
    ",,,,,,,総数、年齢「不詳」含む\r\n34204,1,三原市,,0,,,90573\r\n",
)
MESHES = zipped("250m_mesh_2024_34.dbf", "not looked at here")
BOOK = workbook()


def page(first, last, following=None):
    result = {"TOTAL_NUMBER": 3, "FROM_NUMBER": first, "TO_NUMBER": last}
    if following:
        result["NEXT_KEY"] = following
    answer = {
        "RESULT": {"STATUS": 0, "ERROR_MSG": "正常に終了しました。"},
        "STATISTICAL_DATA": {
            "RESULT_INF": result,
            "DATA_INF": {"VALUE": [{"@area": "34204", "$": "90573"}]},
        },
    }
    return json.dumps({"GET_STATS_DATA": answer}, ensure_ascii=False).encode()


NO_DATA = json.dumps(
    {"GET_STATS_DATA": {"RESULT": {"STATUS": 100, "ERROR_MSG": "認証に失敗しました。"}}},
    ensure_ascii=False,
).encode()


class Server(http.server.ThreadingHTTPServer):
    """Answers with what a test has put down for a path; notes what it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = {}, []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        answers = self.server.answers.get(urlsplit(self.path).path, [(404, {}, b"")])
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        stated = {"Content-Length": str(len(body)), **headers}
        for name, value in stated.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a client that has seen enough
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv(fetch_estat.APP_ID, raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def call(server, tmp_path, monkeypatch, capsys):
    """Run a script in this process: exit code, stderr, files left behind."""

    def run(script, *arguments):
        options = ["--base-url", server.url, "--out", str(tmp_path), *QUICK]
        monkeypatch.setattr(sys, "argv", ["fetch", *options, *arguments])
        with pytest.raises(SystemExit) as stop:
            fetch_console.run(script.main)
        files = sorted(path.name for path in tmp_path.iterdir())
        return stop.value.code, capsys.readouterr().err, files

    return run


GIS = "/gis/statmap-search/data"
API = "/rest/3.0/app/json/getStatsData"
KSJ = "/ksj/gml/data/m250r6/m250r6-24/250m_mesh_2024_34_SHP.zip"
IPSS = "/pp-shicyoson/j/shicyoson23/3kekka/Municipalities/34.xlsx"
GET_TABLE = (fetch_estat, "gis", "T001082", "34")


def ok(body, **headers):
    return [(200, headers, body)]


@pytest.mark.parametrize(
    ("path", "body", "arguments", "name", "credit"),
    [
        (GIS, TABLE, GET_TABLE, "T001082_34.zip", "総務省統計局"),
        (
            GIS, TABLE, (fetch_estat, "boundary", "A002005212020", "34204"),
            "A002005212020_34204.zip", "総務省統計局",
        ),
        (KSJ, MESHES, (fetch_ksj, "mesh250-2024", "34"), "250m_mesh_2024_34_SHP.zip", "国土数値情報"),
        (IPSS, BOOK, (fetch_ipss, "34"), "ipss2023_34.xlsx", "国立社会保障・人口問題研究所"),
    ],
)  # fmt: skip
def test_a_file_comes_with_its_source(path, body, arguments, name, credit, call, server, tmp_path):
    server.answers[path] = ok(body)
    code, said, files = call(*arguments)
    assert code == 0, said
    assert files == [name, f"{name}.source.json"]
    assert (tmp_path / name).read_bytes() == body
    note = json.loads((tmp_path / f"{name}.source.json").read_text(encoding="utf-8"))
    assert note["sha256"] == hashlib.sha256(body).hexdigest()
    assert note["bytes"] == len(body)
    assert note["url"].startswith(server.url + path)
    assert credit in note["credit"]
    assert note["licence"]
    assert note["page"].startswith("https://")
    assert note["fetched"].endswith("+00:00")
    assert name in said


def test_the_queries_are_those_of_the_publisher(call, server):
    server.answers[GIS] = ok(TABLE)
    call(*GET_TABLE)
    call(fetch_estat, "boundary", "A002005212020", "34204")
    first, second = (parse_qs(urlsplit(path).query) for path in server.asked)
    assert first == {"statsId": ["T001082"], "code": ["34"], "downloadType": ["2"]}
    assert second["dlserveyId"] == ["A002005212020"]
    assert (second["format"], second["datum"]) == (["shape"], ["2011"])


def test_what_is_here_is_not_fetched_again_unless_forced_or_damaged(call, server, tmp_path):
    server.answers[GIS] = ok(TABLE)
    call(*GET_TABLE)
    assert call(*GET_TABLE)[0] == 0
    assert len(server.asked) == 1
    assert call(*GET_TABLE, "--force")[0] == 0
    (tmp_path / "T001082_34.zip").write_bytes(b"damaged")
    assert call(*GET_TABLE)[0] == 0
    assert len(server.asked) == 3
    assert (tmp_path / "T001082_34.zip").read_bytes() == TABLE


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_in_trouble_is_asked_again(status, call, server):
    server.answers[GIS] = [(status, {"Retry-After": "0"}, b""), *ok(TABLE)]
    code, said, files = call(*GET_TABLE)
    assert (code, len(server.asked), len(files)) == (0, 2, 2)
    assert f"HTTP {status}" in said


def test_a_body_that_is_cut_off_is_fetched_again(call, server, tmp_path):
    cut = (200, {"Content-Length": str(len(TABLE) + 10)}, TABLE)
    server.answers[GIS] = [cut, *ok(TABLE)]
    assert call(*GET_TABLE)[0] == 0
    assert len(server.asked) == 2
    assert (tmp_path / "T001082_34.zip").read_bytes() == TABLE


def refused(answer, said, *, files=(), tries=None, server=None):
    code, text, left = answer
    assert code == fetch_console.EXIT_REFUSED
    assert left == list(files)
    assert "Traceback" not in text
    for word in said:
        assert word in text
    if tries is not None:
        assert len(server.asked) == tries


def test_cut_off_every_time_leaves_nothing(call, server):
    server.answers[GIS] = [(200, {"Content-Length": str(len(TABLE) + 10)}, TABLE)]
    answer = call(*GET_TABLE, "--tries", "3")
    refused(answer, ["途中で切れました", "cut off", server.url], tries=3, server=server)


def test_cut_off_without_a_stated_length_is_noticed_by_the_archive(call, server):
    server.answers[GIS] = [(200, {"Content-Length": None}, TABLE[:-30])]
    refused(call(*GET_TABLE), ["zip"])


def test_a_missing_file_is_not_asked_for_twice(call, server):
    refused(call(*GET_TABLE), ["HTTP 404", "T001082"], tries=1, server=server)


def test_an_error_page_in_place_of_a_zip(call, server):
    server.answers[GIS] = ok(b"<!DOCTYPE html><html>error</html>")
    refused(call(*GET_TABLE), ["HTML", "zip", server.url])


def test_a_wrong_checksum_leaves_the_earlier_file(call, server, tmp_path):
    server.answers[GIS] = ok(TABLE)
    right = hashlib.sha256(TABLE).hexdigest()
    assert call(*GET_TABLE, "--sha256", right.upper())[0] == 0
    server.answers[GIS] = ok(MESHES)
    answer = call(*GET_TABLE, "--sha256", right, "--force")
    files = ["T001082_34.zip", "T001082_34.zip.source.json"]
    refused(answer, ["チェックサム", "checksum", right], files=files)
    assert (tmp_path / files[0]).read_bytes() == TABLE
    assert json.loads((tmp_path / files[1]).read_text(encoding="utf-8"))["sha256"] == right


@pytest.mark.parametrize("stated", [str(5 * 2**20), None])
def test_a_file_that_is_too_large(stated, call, server):
    body = TABLE + bytes(5 * 2**20 - len(TABLE))
    server.answers[GIS] = [(200, {"Content-Length": stated}, body)]
    refused(call(*GET_TABLE, "--max-mib", "1"), ["1 MiB", "--max-mib"], tries=1, server=server)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/"])
def test_a_redirect_to_another_scheme_is_refused(target, call, server):
    server.answers[GIS] = [(302, {"Location": target}, b"")]
    refused(call(*GET_TABLE), ["転送", target.split(":", 1)[0]], tries=1, server=server)


def test_a_redirect_on_the_same_server_is_followed(call, server):
    server.answers[GIS] = [(302, {"Location": "/elsewhere.zip"}, b"")]
    server.answers["/elsewhere.zip"] = ok(TABLE)
    assert call(*GET_TABLE)[0] == 0


def test_from_https_it_never_goes_back_to_http():
    wanted = fetching.Wanted("https://a.jp/x", Path("x"), fetch_estat.ORIGIN)
    handler = fetching._SameSchemeOnly(wanted)
    request = fetching.urllib.request.Request("https://a.jp/x")
    with pytest.raises(fetch_console.FetchError):
        handler.redirect_request(request, io.BytesIO(), 302, "", {}, "http://a.jp/x")


def test_nobody_listens(call):
    code, said, files = call(fetch_ipss, "34", "--base-url", "http://127.0.0.1:9", "--tries", "2")
    assert (code, files) == (3, [])
    assert "127.0.0.1:9" in said


@pytest.mark.parametrize("base", ["file:///tmp", "ftp://x", "e-stat.go.jp", ""])
def test_only_http_addresses_are_opened(base, call):
    code, said, files = call(fetch_ipss, "34", "--base-url", base)
    assert (code, files) == (2, [])
    assert "--base-url" in said


@pytest.mark.parametrize(
    "arguments",
    [
        (fetch_ipss, "48"),
        (fetch_ksj, "mesh250-2024", "00"),
        (fetch_ksj, "mesh251", "34"),
        (fetch_estat, "gis", "T001082"),
        (fetch_estat, "gis", "T001082", "../34"),
        (fetch_estat, "gis", "T/1", "34"),
    ],
)
def test_arguments_that_make_no_sense(arguments, call, server):
    code, said, files = call(*arguments)
    assert (code, files) == (2, [])
    assert said
    assert not server.asked


def test_a_disk_that_cannot_be_written(call, server, tmp_path):
    server.answers[GIS] = ok(TABLE)
    (tmp_path / "file").touch()
    code, said, _ = call(*GET_TABLE, "--out", str(tmp_path / "file" / "below"))
    assert code == fetch_console.EXIT_DISK
    assert "below" in said


def test_a_table_of_the_api_comes_page_by_page(call, server, tmp_path, monkeypatch):
    monkeypatch.setenv(fetch_estat.APP_ID, SECRET)
    server.answers[API] = [*ok(page(1, 2, following=3)), *ok(page(3, 3))]
    code, said, files = call(fetch_estat, "api", "0003445162", "cdArea=34204")
    assert code == 0
    names = ["0003445162_001.json", "0003445162_002.json"]
    assert files == sorted([*names, *(f"{name}.source.json" for name in names)])
    queries = [parse_qs(urlsplit(path).query) for path in server.asked]
    assert [query["startPosition"] for query in queries] == [["1"], ["3"]]
    assert all(query["appId"] == [SECRET] and query["cdArea"] == ["34204"] for query in queries)
    written = said + "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert SECRET not in written
    assert "s3cret" not in written
    assert "appId=***" in written
    assert fetch_estat.NOTICE in said


def test_without_an_application_id_nothing_is_asked(call, server):
    code, said, files = call(fetch_estat, "api", "0003445162")
    assert (code, files, server.asked) == (2, [], [])
    assert "ESTAT_APP_ID" in said


@pytest.mark.parametrize(
    "body", [NO_DATA, b"{}", b"[1]", b'{"GET_STATS_DATA": 1}', page(1, 2, following=1), b"{" * 9]
)
def test_an_answer_of_the_api_without_data_is_not_kept(body, call, server, monkeypatch):
    monkeypatch.setenv(fetch_estat.APP_ID, SECRET)
    server.answers[API] = ok(body)
    answer = call(fetch_estat, "api", "0003445162")
    refused(answer, ["e-Stat", "0003445162"])
    assert "s3cret" not in answer[1]


def test_the_application_id_stays_where_it_was_sent(call, server, monkeypatch):
    monkeypatch.setenv(fetch_estat.APP_ID, SECRET)
    code, said, _ = call(fetch_estat, "api", "1", "--base-url", "http://api.e-stat.go.jp")
    assert (code, server.asked) == (2, [])
    server.answers[API] = [(302, {"Location": f"http://localhost:{server.server_port}/"}, b"")]
    refused(call(fetch_estat, "api", "1"), ["転送"], tries=1, server=server)
    server.answers[API] = [(500, {}, b"")]
    answer = call(fetch_estat, "api", "1", "--tries", "2")
    refused(answer, ["HTTP 500", "appId=***"])
    assert "s3cret" not in said + answer[1]


def test_choices_of_the_api_are_checked(call, server, monkeypatch):
    monkeypatch.setenv(fetch_estat.APP_ID, SECRET)
    assert call(fetch_estat, "api", "1", "appId=other")[0] == 2
    assert not server.asked


def test_as_a_program_it_ends_with_a_message_and_no_traceback(server, tmp_path):
    server.answers[IPSS] = ok(BOOK)
    command = [sys.executable, str(SCRIPTS / "fetch_ipss.py"), "--out", str(tmp_path), *QUICK]
    command += ["--base-url", server.url]
    good, bad = (
        subprocess.run([*command, code], check=False, capture_output=True, text=True)
        for code in ("34", "35")
    )
    assert (good.returncode, good.stdout) == (0, ""), good.stderr
    assert bad.returncode == 3
    assert "HTTP 404" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_every_layer_has_a_place_for_the_prefecture_and_a_credit():
    for layer in fetch_ksj.LAYERS.values():
        assert "{pref}" in layer.path
        assert layer.path.endswith(".zip")
        assert layer.title in fetch_ksj.origin(layer).credit


def test_progress_is_said_once_a_second_at_most(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(fetch_console.time, "monotonic", lambda: now[0])
    progress = fetch_console.Progress("a.zip", 4 * 2**20)
    for second in (0.5, 1.2, 1.5, 2.5):
        now[0] = second
        progress.show(int(second * 2**20))
    progress.end()
    assert capsys.readouterr().err.splitlines() == ["a.zip: 1.2 / 4.0 MiB", "a.zip: 2.5 / 4.0 MiB"]
