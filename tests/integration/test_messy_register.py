"""A register as bureaus keep it: three sheets, two heading rows, merged cells, remarks; nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from dashboard.register.exports import write_rejects
from data.register.institutions import import_register
from data.register.officers import import_officers, is_certified
from data.register.rejects import ImportResult
from data.schema import Institution, Officer
from data.store import Store
from data.terms import Kind, SiteStatus
from tests.conftest import NOW, TODAY

HEAD = [
    "序号",
    "机构名称（全称）",
    "住所",
    "办学地址",
    "证照信息",
    None,
    "联系方式",
    None,
    "办学状态",
    "备注",
]
BELOW = [None, None, None, None, "信用代码", "许可证号", "负责人", "手机", None, None]
GOOD = 20


def subject_sheet(book: Workbook) -> None:
    """Two heading rows under a title, groups, a state merged down, remarks, a total and who filled it in."""
    sheet = book.create_sheet("学科类")
    sheet.append(["某区学科类校外培训机构台账（2026年秋季）"])
    sheet.append(HEAD)
    sheet.append(BELOW)
    for column in "ABCDIJ":
        sheet.merge_cells(f"{column}2:{column}3")
    for merged in ("A1:J1", "E2:F2", "G2:H2"):
        sheet.merge_cells(merged)
    sheet.append(["一、和平街道（20家）"])
    sheet.merge_cells("A4:J4")
    for n in range(GOOD):
        phones = "13800000000 / 010-00000000 晚上打"
        row = [
            n + 1,
            f"学科{n}",
            "注册处1号",
            f"⽴德路{n + 1}号",
            "无",
            "办理中",
            "张某",
            phones,
            None,
            "约120人",
        ]
        sheet.append(row)
    sheet["I5"] = "正常办学"
    sheet.merge_cells("I5:I22")
    sheet["I23"] = "已注销"
    sheet.merge_cells("I23:I24")
    sheet.row_dimensions[10].hidden = True
    sheet.append([None, "小计", None, "20家"])
    sheet.append(["填表人：某某", None, "审核人：某某"])


def other_sheets(book: Workbook) -> None:
    """A cover, a list of drop-downs nobody sees, and two sheets whose names state the kind."""
    cover = book.create_sheet("封面", 0)
    cover.append(["某区校外培训机构台账"])
    cover.append(["二〇二六年十一月"])
    hidden = book.create_sheet("选项", 0)
    hidden.append(["名称", "地址", "类别"])
    hidden.sheet_state = "hidden"
    arts = book.create_sheet("非学科类（艺术、体育）")
    arts.append(["名称", "地址", "社会信用代码", "状态"])
    for n in range(GOOD):
        arts.append([f"艺术{n}", f"中山路{n + 1}号", 440103199001011234 if n == 0 else "/", "营业中"])
    care = book.create_sheet("托管机构")
    care.append(["机构名称", "经营场所", "经营状态（营业/停业）", "电话"])
    for n in range(GOOD):
        care.append([f"托管{n}", f"解放路{n + 1}号", "茶歇" if n == 1 else "关停", f"'0130000000{n:02}"])
    care["B4"] = "=VLOOKUP(A4,选项!A:B,2)"


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """Return the workbook."""
    book = Workbook()
    del book[book.sheetnames[0]]
    subject_sheet(book)
    other_sheets(book)
    path = tmp_path / "台账.xlsx"
    book.save(path)
    return path


def load(store: Store, path: Path) -> ImportResult:
    """Import a register."""
    with store.begin(actor="clerk", now=NOW) as session:
        return import_register(session, path, now=NOW)


def test_every_row_is_stored_or_comes_back(store: Store, messy: Path, tmp_path: Path) -> None:
    """60 rows: 57 stored as they are meant, 3 in a file that a clerk mends and imports again."""
    first = load(store, messy)
    assert (first.added, first.rejected_rows) == (3 * GOOD - 3, 3)
    assert [(told.sheet, told.row, told.code) for told in first.rejected] == [
        ("非学科类（艺术、体育）", 2, "cell_inexact"),
        ("托管机构", 3, "unknown_status"),
        ("托管机构", 4, "cell_formula"),
    ]
    with store.reading() as session:
        places = session.scalars(select(Institution).order_by(Institution.id)).all()
        kinds = dict(session.execute(select(Institution.kind, func.count()).group_by(Institution.kind)).all())
    assert kinds == {Kind.SUBJECT: 20, Kind.NON_SUBJECT: 19, Kind.CARE: 18}
    one = places[0]
    assert (one.name, one.address, one.contact_name) == ("学科0", "立德路1号", "张某")
    assert one.contact_phone == "13800000000 / 010-00000000 晚上打"
    assert (one.uscc, one.permit_no, one.status) == (None, None, SiteStatus.OPEN)
    closed = [place.name for place in places if place.status is SiteStatus.DEREGISTERED]
    assert closed == ["学科18", "学科19"]
    assert next(place for place in places if place.name == "托管5").contact_phone == "013000000005"

    returned = tmp_path / "退回.xlsx"
    write_rejects(first, returned)
    book = load_workbook(returned)
    assert book.sheetnames == ["非学科类（艺术、体育）", "托管机构"]
    assert book["托管机构"]["A1"].value == "退回原因"
    book["非学科类（艺术、体育）"]["D2"] = "无"
    book["托管机构"]["D2"] = "停业"
    book["托管机构"]["C3"] = "解放路3号"
    book.save(returned)
    again = load(store, returned)
    assert (again.added, again.rejected) == (3, [])
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Institution)) == 3 * GOOD


def test_what_was_not_read_is_named(store: Store, messy: Path) -> None:
    """Sheets, columns, hidden rows, and lines that are no records."""
    notes = {(note.code, note.fields["sheet"]): note.fields for note in load(store, messy).notes}
    assert {key[0] for key in notes if key[1] in ("封面", "选项")} == {
        "sheet_without_heading",
        "sheet_hidden",
    }
    assert notes["columns_unused", "学科类"]["columns"] == ["住所", "备注"]
    assert notes["rows_hidden", "学科类"]["rows"] == [10]
    assert notes["rows_no_record", "学科类"]["rows"] == [1, 4, 25, 26]


def test_an_expired_certificate_under_two_heading_rows_counts_for_nothing(
    store: Store, tmp_path: Path
) -> None:
    """The rule of two certified officers must see the last day."""
    book = Workbook()
    sheet = book.active
    sheet.append(["工号", "姓名", "单位", "执法证", None])
    sheet.append([None, None, None, "证号", "有效期至"])
    for merged in ("A1:A2", "B1:B2", "C1:C2", "D1:E1"):
        sheet.merge_cells(merged)
    sheet.append(["01", "甲", "教育局", "L1", "2020-01-01"])
    book.save(tmp_path / "o.xlsx")
    with store.begin(actor="clerk", now=NOW) as session:
        assert import_officers(session, tmp_path / "o.xlsx").added == 1
        officer = session.scalars(select(Officer)).one()
        assert officer.certificate_no == "L1"
        assert not is_certified(officer, TODAY)
