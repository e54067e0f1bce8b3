"""Damaged tables of every kind: read, or refused by name; never a panic, an abort or another error."""

from __future__ import annotations

import base64
import io
import tempfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from openpyxl import Workbook

from data.errors import SheetError
from data.register.books import read_book
from tests.harm import HARM, Harm, harmed

# A workbook of Excel 97 with three rows, packed: nothing among our libraries writes that kind.
XLS = (
    "c-rk)O=wd=5dL=aACfewsn7}~6s%f%u=OHH`>LQl8R`#2MW|^TP+HOw^iU64tpN`f1W$^WLN8vbUi?81dh;Mu^dJaI"
    "qQ@RoQ1sB|b#}6^rW&vTEh_tkot>H8Z+G)%cHhtQxmaQPPE!#-pc^if>;SwKK0zhm7*SBWZ7bEO{Zwp&e+mIV1=8!m"
    "!|*eoilK^k5fZoEPe=mqs2sx>lB3y7VhypI*N_%!4P7J!ZjdK}MqX7t%R!dwSl;5Ek68AwXNqMP^(}~_n6r{?J9HKw"
    "mMz>Cfg1N7b6&Hj0}XhpviRH;QSR%(uH4D=$luw}><(cD6t~_?Hj_(_6cDEX&ftrk06sfA^>M=Z*VZpU{%<S&zAFB!"
    "(hW?&KF$fAM+k3Sszr(umyle*P8C}&)E++cah$4csh*U87|W38Jnbf4^21aIz8)m|NRsT!WOtGsRHrrX?&yl$9p<bL"
    "ksLxD>oLy#D4pL6H$T1DH_&JGvuA=&^zymCQ7siV&MO9yBi!OzmTk<~%JKq_x`Fj3mT}5hs$2USw6b@S`&{JKR+?u!"
    "<E6E!Lf=e!et!S`=KOnW3+c1H#WV5QSJpII=sq+=eD#||yJ#2JuPHpRoLcBJ;tk8jpUw-vjOw-9`sP-LMFd%mu`FBa"
    ">WF1a>T9Lgq6%9u+ok&pW~=LVRw_%ey_zknuqCrSnq7{JSF<Iv=V|C}S&zG_E1h%S5rlz(fq{X6fq{X+uOaxUw)_mQ"
    "o>V>hEy1V1>nu_!na?EuEe>Fmey8ZgbPuvr=P+JV{;Y>bIAe)ba-8pl3MraBhhYrxI)-b`UwX?EmH%he#OUwaLbc9c"
    "s%4#jc>X04gw9a"
)
CELLS = [["名称", "地址", "数"], ["甲", "一路1号", 1], ["乙", "二路2号", 2.5]]


def _xlsx() -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in CELLS:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def _ods() -> bytes:
    rows = "".join(
        "<table:table-row>"
        + "".join(
            f"<table:table-cell office:value-type='string'><text:p>{c}</text:p></table:table-cell>"
            for c in row
        )
        + "</table:table-row>"
        for row in CELLS
    )
    space = "urn:oasis:names:tc:opendocument:xmlns:"
    body = (
        f"<office:document-content xmlns:office='{space}office:1.0' xmlns:table='{space}table:1.0' "
        f"xmlns:text='{space}text:1.0'><office:body><office:spreadsheet><table:table table:name='表一'>{rows}"
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", body)
        archive.writestr("META-INF/manifest.xml", "<m/>")
    return out.getvalue()


WHOLE = {
    ".xls": zlib.decompress(base64.b85decode(XLS)),
    ".et": zlib.decompress(base64.b85decode(XLS)),
    ".xlsx": _xlsx(),
    ".ods": _ods(),
    ".csv": "\n".join(",".join(map(str, row)) for row in CELLS).encode(),
}


@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_the_whole_file_is_read(tmp_path: Path, kind: str) -> None:
    """The samples hold what they should before they are harmed."""
    path = tmp_path / f"a{kind}"
    path.write_bytes(WHOLE[kind])
    assert read_book(path)[0].cells == [
        ["名称", "地址", "数"],
        ["甲", "一路1号", "1"],
        ["乙", "二路2号", "2.5"],
    ]


@pytest.mark.parametrize("kind", sorted(WHOLE))
@settings(max_examples=12, deadline=None)
@given(harm=HARM)
def test_a_harmed_file_is_read_or_refused(kind: str, harm: Harm) -> None:
    """Bytes changed anywhere and files cut anywhere end in rows or in a SheetError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{kind}"
        path.write_bytes(harmed(WHOLE[kind], harm))
        try:
            rows = [cells for sheet in read_book(path) for cells in sheet.cells]
        except SheetError as refusal:
            assert refusal.fields["file"] == path.name
        else:
            assert all(isinstance(cell, str) for row in rows for cell in row)
