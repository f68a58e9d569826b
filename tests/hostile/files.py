"""Files made to harm whoever opens them: a builder takes a folder and the port of a trap."""

import gzip
import os
import stat
import struct
import tarfile
import zipfile

from tests.catalogue import clean

MIB = 2**20
VRT = """<VRTDataset rasterXSize="9" rasterYSize="9"><SRS>EPSG:6668</SRS>
<GeoTransform>138.25, 0.01, 0, 34.81, 0, -0.01</GeoTransform><VRTRasterBand dataType="Byte" band="1">
<SimpleSource><SourceFilename relativeToVRT="0">/vsicurl/http://127.0.0.1:{port}/a.tif</SourceFilename>
<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"""
OGR_VRT = """<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>
/vsicurl/http://127.0.0.1:{port}/a.geojson</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"""
WMS = """<GDAL_WMS><Service name="TMS"><ServerUrl>http://127.0.0.1:{port}/${{z}}</ServerUrl></Service>
<DataWindow><SizeX>9</SizeX><SizeY>9</SizeY></DataWindow></GDAL_WMS>"""
LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(12))
    + "]>"
)
XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:{port}/e">]>'
CASES = {}


def case(name, reader, *codes):
    """Register a builder: the reader it is for, and the codes of which one must be told."""

    def keep(build):
        CASES[name] = reader, codes, build
        return build

    return keep


def disguised(body, name):
    """A virtual file under the name of another format."""

    def build(folder, port):
        path = folder / name
        path.write_text(body.format(port=port), encoding="utf-8")
        return path

    return build


for _reader, _name in (
    ("register", "a.csv"), ("mapped", "b.csv"), ("public_facilities", "c.csv"),
    ("estat_mesh", "a.txt"), ("register_xlsx", "a.xlsx"), ("ipss", "b.xlsx"), ("raster", "a.tif"),
    ("vector_gpkg", "a.gpkg"), ("vector_shp", "a.shp"), ("vector_zip", "a.zip"),
    ("vector", "a.geojson"), ("outline", "b.geojson"), ("ksj_mesh", "c.geojson"),
    ("life_table", "d.csv"), ("outline_gpkg", "d.gpkg"), ("outline_zip", "e.zip"),
):  # fmt: skip
    for _kind, _body in (("vrt", VRT), ("ogr", OGR_VRT), ("wms", WMS)):
        CASES[f"{_kind} as {_name} for {_reader}"] = (
            _reader, ("FM102", "FM105", "FM481", "FM311", "FM336", "FM337", "FM459", "FM558"),
            disguised(_body, _name),
        )  # fmt: skip


def repack(folder, name, change, ending):
    """A clean zip or workbook with its parts changed."""
    with zipfile.ZipFile(clean.clean(name, folder)) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    path = folder / f"hostile{ending}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, body in change(parts).items():
            archive.writestr(entry, body)
    return path


def sheet_of(parts):
    """Name of the first sheet."""
    return next(entry for entry in parts if entry.startswith("xl/worksheets/sheet"))


def in_sheet(change):
    """A workbook whose sheet is another text."""

    def build(folder, port):
        def parts_of(parts):
            name = sheet_of(parts)
            return parts | {name: change(parts[name].decode("utf-8"), port).encode()}

        return repack(folder, "register_xlsx", parts_of, ".xlsx")

    return build


def zeros(archive, name, size):
    """A part of many zeros, written without holding them."""
    with archive.open(name, "w") as part:
        for _ in range(size // MIB):
            part.write(bytes(MIB))


# ---- bombs ------------------------------------------------------------------------------------


@case("a sheet of 400 MiB", "register_xlsx", "FM104")
def _(folder, _port):
    path = folder / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        zeros(archive, "xl/worksheets/sheet1.xml", 400 * MIB)
    return path


@case("a workbook of 20,000 parts", "register_xlsx", "FM104")
def _(folder, _port):
    more = {f"xl/media/{i}": b"" for i in range(20_000)}
    return repack(folder, "register_xlsx", lambda parts: parts | more, ".xlsx")


@case("parts that overlap", "register_xlsx", "FM331", "FM104")
def _(folder, _port):
    # every entry of the directory points at the same packed bytes
    path = folder / "overlap.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", (os.urandom(1000) + bytes(99_000)) * 100)
        first = archive.infolist()[0]
        for i in range(900):
            twin = zipfile.ZipInfo(f"{i}")
            for field in ("compress_size", "file_size", "CRC", "header_offset", "compress_type"):
                setattr(twin, field, getattr(first, field))
            archive.filelist.append(twin)
    return path


@case("a part that states a small size", "register_xlsx", "FM331", "FM104")
def _(folder, _port):
    path = folder / "liar.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        zeros(archive, "xl/worksheets/sheet1.xml", 300 * MIB)
        archive.infolist()[0].file_size = 100
    return path


@case("a gzip of 600 MiB", "register", "FM104")
def _(folder, _port):
    path = folder / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as out:
        for _ in range(600):
            out.write(bytes(MIB))
    return path


@case("a gzip of 600 MiB for e-Stat", "estat_small_area", "FM104")
def _(folder, port):
    return CASES["a gzip of 600 MiB"][2](folder, port)


@case("a zip of e-Stat of 300 MiB", "estat_mesh", "FM104")
def _(folder, _port):
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        zeros(archive, "a.txt", 300 * MIB)
    return path


@case("a shapefile of 300 MiB in a zip", "vector_zip", "FM104")
def _(folder, _port):
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        zeros(archive, "a.shp", 300 * MIB)
    return path


@case(
    "a table of 900 MiB in a zip",
    "ksj_mesh_shp",
    "FM578",
)
def _(folder, _port):
    path = folder / "bomb.zip"
    fields = [(b"MESH_ID", 10), (b"SHICODE", 5), (b"PTN_2025", 255)]
    head = struct.pack("<BBBBIHH20x", 3, 120, 1, 1, 900 * MIB // 271, 32 + 32 * 3 + 1, 271)
    for name, width in fields:
        head += struct.pack("<11sc4xBB14x", name, b"C", width, 0)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.dbf", "w") as part,
    ):
        part.write(head + b"\r")
        for _ in range(900):
            part.write(b" " * MIB)
    return path


# ---- tables without end -----------------------------------------------------------------------


@case("a cell at XFD1048576", "register_xlsx", "FM104")
def _(folder, port):
    row = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return in_sheet(lambda text, _: text.replace("</sheetData>", row))(folder, port)


@case("a cell at A1048576", "register_xlsx", "FM301", "FM303", "FM414")
def _(folder, port):
    row = '<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>'
    return in_sheet(lambda text, _: text.replace("</sheetData>", row))(folder, port)


@case("a cell at ZZZ9", "register_xlsx", "FM331", "FM104")
def _(folder, port):
    row = '<row r="9"><c r="ZZZ9"><v>1</v></c></row></sheetData>'
    return in_sheet(lambda text, _: text.replace("</sheetData>", row))(folder, port)


@case("a row numbered 2 billion", "register_xlsx", "FM331", "FM104")
def _(folder, port):
    row = '<row r="2000000000"><c r="A2000000000"><v>1</v></c></row></sheetData>'
    return in_sheet(lambda text, _: text.replace("</sheetData>", row))(folder, port)


@case("a sheet nested 200,000 deep", "register_xlsx", "FM331", "FM578")
def _(folder, port):
    deep = "<row>" * 200_000 + "</row>" * 200_000
    return in_sheet(lambda text, _: text.replace("</sheetData>", deep + "</sheetData>"))(
        folder, port
    )


@case("3,000,000 cells", "register", "FM104")
def _(folder, _port):
    path = folder / "a.csv"
    path.write_bytes(b",".join([b"1"] * 900) * 1 + b"\n" + (b"," * 899 + b"\n") * 3_400)
    return path


@case("5,000,000 columns", "mapped", "FM104")
def _(folder, _port):
    path = folder / "a.csv"
    path.write_bytes(b"," * 5_000_000)
    return path


@case("a cell of 30 MB", "register", "FM339")
def _(folder, _port):
    path = folder / "a.csv"
    path.write_bytes(b'"' + b"x" * 30_000_000 + b'"\n1\n')
    return path


@case("a quote left open over 60 MB", "facilities", "FM339")
def _(folder, _port):
    path = folder / "a.csv"
    path.write_bytes(b'a,b\n"' + b"1,2\n" * 15_000_000)
    return path


@case("a table of e-Stat with 3,000,000 columns", "estat_mesh", "FM104", "FM481", "FM202", "FM311")
def _(folder, _port):
    path = folder / "a.txt"
    path.write_bytes(b"KEY_CODE" + b",T" * 3_000_000 + b"\n" + b"," * 3_000_000 + b"\n1\n")
    return path


@case("a file of 300 MiB that is empty", "register", "FM104")
def _(folder, _port):
    path = folder / "a.csv"
    with path.open("wb") as out:
        out.truncate(300 * MIB)
    return path


@case("a link to a device", "register", "FM101")
def _(folder, _port):
    path = folder / "a.csv"
    path.symlink_to("/dev/zero")
    return path


@case("a pipe that nobody writes to", "vector", "FM101")
def _(folder, _port):
    path = folder / "a.geojson"
    os.mkfifo(path)
    return path


# ---- entities ---------------------------------------------------------------------------------


def declared(doctype, name=None, encoding="utf-8"):
    """A workbook one part of which declares something."""

    def build(folder, port):
        def change(parts):
            chosen = name or sheet_of(parts)
            text = parts[chosen].decode("utf-8").partition("?>")
            body = text[2] if text[1] else text[0]
            made = f'<?xml version="1.0" encoding="{encoding}"?>{doctype.replace("{port}", str(port))}{body}'
            return parts | {chosen: made.encode(encoding)}

        return repack(folder, "register_xlsx", change, ".xlsx")

    return build


for _title, _doctype in (("a billion laughs", LAUGHS), ("an entity from an address", XXE)):
    for _part in (None, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"):
        for _encoding in ("utf-8", "utf-16"):
            CASES[f"{_title} in {_part or 'the sheet'}, {_encoding}"] = (
                "register_xlsx", ("FM332",), declared(_doctype, _part, _encoding),
            )  # fmt: skip


@case("a document type in a mapped workbook", "mapped_xlsx", "FM332")
def _(folder, _port):
    def change(parts):
        name = "xl/workbook.xml"
        return parts | {name: LAUGHS.encode() + parts[name]}

    return repack(folder, "mapped_xlsx", change, ".xlsx")


# ---- archives in archives, and paths ----------------------------------------------------------


@case("a workbook in a workbook", "register_xlsx", "FM333")
def _(folder, _port):
    inner = clean.clean("register_xlsx", folder).read_bytes()
    return repack(folder, "register_xlsx", lambda parts: parts | {"xl/a.bin": inner}, ".xlsx")


@case("a gzip in a gzip", "register", "FM333")
def _(folder, _port):
    path = folder / "a.csv.gz"
    path.write_bytes(gzip.compress(gzip.compress(clean.clean("register", folder).read_bytes())))
    return path


@case("a tar in a gzip", "mapped", "FM333")
def _(folder, _port):
    path = folder / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(clean.clean("mapped", folder), arcname="../../a.csv")
    return path


@case("a zip in a zip", "vector_zip", "FM333")
def _(folder, _port):
    inner = clean.clean("vector_zip", folder).read_bytes()
    return repack(folder, "vector_zip", lambda parts: parts | {"inner.zip": inner}, ".zip")


@case("a zip in a zip for e-Stat", "estat_mesh", "FM333")
def _(folder, _port):
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.zip", clean.clean("vector_zip", folder).read_bytes())
    return path


for _title, _prefix in (("up", "../../"), ("root", "/"), ("drive", "C:\\"), ("back", "..\\..\\")):

    @case(f"a path that leads out: {_title}", "vector_zip", "FM334")
    def _(folder, _port, prefix=_prefix):
        def change(parts):
            return {prefix + name: body for name, body in parts.items()}

        return repack(folder, "vector_zip", change, ".zip")


@case("a path that leads out of a zip of e-Stat", "estat_mesh", "FM334")
def _(folder, _port):
    path = folder / "out.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../a.txt", clean.clean("estat_mesh", folder).read_bytes())
    return path


@case("a path that leads out of a zip of meshes", "ksj_mesh_shp", "FM334")
def _(folder, _port):
    path, source = folder / "out.zip", clean.clean("ksj_mesh_shp", folder)
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted(folder.glob(f"{source.stem}.*")):
            if part.suffix in {".shp", ".shx", ".dbf", ".prj"}:
                archive.write(part, f"../../{part.name}")
    return path


@case("a zip of meshes in a zip", "ksj_mesh_shp", "FM333", "FM549")
def _(folder, _port):
    path = folder / "out.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.zip", clean.clean("vector_zip", folder).read_bytes())
    return path


@case("a link in a zip", "vector_zip", "FM334")
def _(folder, _port):
    path = folder / "link.zip"
    link = zipfile.ZipInfo("a.shp")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    return path
