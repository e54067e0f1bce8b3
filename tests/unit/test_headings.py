"""Headings of one row or two, titles with remarks, and the best column for each field."""

from __future__ import annotations

import pytest

from data.register import officers
from data.register.books import Sheet
from data.register.entries import COLUMNS
from data.register.headings import Header, find_header


def head(*rows: list[str], merged: tuple[tuple[int, int, int, int], ...] = ()) -> Header:
    """Return the heading of a sheet with one record under these rows."""
    width = max(map(len, rows))
    return find_header(Sheet("", [*rows, ["x"] * width], merged=merged), COLUMNS)


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("统一社会信用代码（18位）", "uscc"),
        ("*机构名称", "name"),
        ("1. 机构名称(全称)", "name"),
        ("经营状态（营业/停业）", "status"),
        ("办 学 地 址", "address"),
        ("法定代表人【负责人】：", "contact_name"),
        ("NAME", "name"),
    ],
)
def test_remarks_in_a_title_do_not_matter(title: str, field: str) -> None:
    assert dict(head([title]).columns) == {field: 0}


def test_the_best_title_wins_not_the_leftmost() -> None:
    header = head(["机构名称", "住所", "类型", "办学地址", "机构类别"])
    assert dict(header.columns) == {"name": 0, "address": 3, "kind": 4}
    assert header.unused == ("住所", "类型")


def test_columns_without_a_title_are_told_by_letter() -> None:
    assert head(["机构名称", "", "地址"]).unused == ("B列",)


MERGES = ((0, 2, 0, 3), (0, 4, 0, 5), (0, 0, 1, 0), (0, 1, 1, 1))


@pytest.mark.parametrize("merged", [MERGES, ()])
def test_titles_under_a_common_one_are_joined(merged: tuple[tuple[int, int, int, int], ...]) -> None:
    """The person's name does not land in the telephone; in a CSV the cells under a common title are blank."""
    header = head(
        ["机构名称", "地址", "证照信息", "", "联系方式", ""],
        ["", "", "信用代码", "许可证号", "负责人", "手机"],
        merged=merged,
    )
    assert (header.row, header.rows) == (2, 2)
    assert dict(header.columns) == {
        "name": 0,
        "address": 1,
        "uscc": 2,
        "permit_no": 3,
        "contact_name": 4,
        "contact_phone": 5,
    }
    assert header.titles["contact_phone"] == "联系方式手机"


def test_the_last_day_of_a_certificate_is_not_lost() -> None:
    """执法证 over 证号 and 有效期至: an expired certificate must not hold for ever."""
    cells = [
        ["工号", "姓名", "单位", "执法证", ""],
        ["", "", "", "证号", "有效期至"],
        ["01", "张", "局", "L1", "2020-01-01"],
    ]
    header = find_header(Sheet("", cells, merged=((0, 3, 0, 4),)), officers.COLUMNS)
    assert (header.columns["certificate_no"], header.columns["certificate_until"]) == (3, 4)


def test_a_title_over_everything_is_no_heading() -> None:
    """The table's own title, merged over all columns, stands above; one row is enough."""
    header = head(["某区台账", "", ""], ["机构名称", "类别", "地址"], merged=((0, 0, 0, 2),))
    assert (header.row, header.rows, len(header.columns)) == (2, 1, 3)


def test_a_first_record_is_no_second_heading() -> None:
    header = head(["机构名称", "类别", "地址"], ["托管", "托管", "一路1号"])
    assert (header.row, header.rows) == (1, 1)
