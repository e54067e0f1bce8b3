"""Chinese addresses: what each way of writing means, and the traps that were met in registers."""

import pytest

from geo.address.admin import current_district
from geo.address.numerals import normalise, spell
from geo.address.offset import find_offset, read_offset
from geo.address.parser import building_key, door_key, parse_address, recuts, room_key


def parts(text):
    address = parse_address(text)
    return {k: v for k in address.__slots__ if k != "text" and (v := getattr(address, k))}


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("黄浦区 徐家汇 路６１８号３楼", "黄浦区徐家汇路618号3楼"),
        ("太原街十二号", "太原街12号"),
        ("太原街一二三号二楼", "太原街123号2楼"),
        ("解放路一百二十号", "解放路120号"),
        ("解放路二百零五号", "解放路205号"),
        ("中山东二路三号", "中山东二路3号"),
        ("士英街二段37号", "士英街二段37号"),
        ("一号路5号", "一号路5号"),
        ("新兴街12～18号", "新兴街12-18号"),
    ],
)
def test_normal_form(text, normal):
    assert normalise(text) == normal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "辽宁省沈阳市和平区太原南街二段37号3单元201室",
            {
                "province": "辽宁省",
                "city": "沈阳市",
                "district": "和平区",
                "road": "太原南街二段",
                "number": "37",
                "unit": "3",
                "room": "201",
            },
        ),
        ("南车站 路600弄2楼", {"road": "南车站路", "lane": "600", "floor": "2"}),
        ("复兴中路498弄12号3楼", {"road": "复兴中路", "lane": "498", "number": "12", "floor": "3"}),
        ("沪闵路7866弄5号楼801", {"road": "沪闵路", "lane": "7866", "building": "5", "room": "801"}),
        (
            "沈阳和平区阳光小区3号楼2单元301",
            {"district": "沈阳和平区", "place": "阳光小区", "building": "3", "unit": "2", "room": "301"},
        ),
        ("西藏中路268", {"road": "西藏中路", "number": "268"}),
        ("龙华东路526底商", {"road": "龙华东路", "number": "526", "tail": ("底商",)}),
        ("广东路20号1楼东侧", {"road": "广东路", "number": "20", "floor": "1", "tail": ("东侧",)}),
        ("九江路333号2-3层", {"road": "九江路", "number": "333", "floor": "2-3"}),
        ("丽园路490号地下一层", {"road": "丽园路", "number": "490", "floor": "地下1"}),
        ("南京东路街道福州路100号", {"street": "南京东路街道", "road": "福州路", "number": "100"}),
        (
            "南京东路299号宏伊国际广场(近河南中路)6楼610室",
            {
                "road": "南京东路",
                "number": "299",
                "floor": "6",
                "room": "610",
                "tail": ("宏伊国际广场", "近河南中路"),
            },
        ),
        ("上海市卢湾高级中学", {"city": "上海市", "place": "卢湾高级中学"}),
        ("中山路100号楼上", {"road": "中山路", "number": "100", "tail": ("楼上",)}),
        ("", {}),
    ],
)
def test_parts(text, expected):
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "road"),
    [
        ("红旗大街12号", "红旗大街"),
        ("和平大街3号", "和平大街"),
        ("市南路12号", "市南路"),
        ("县前街136号", "县前街"),
        ("马路街12号", "马路街"),
        ("文化路三巷5号", "文化路三巷"),
        ("沈阳经济开发区一号路5号", "一号路"),
        ("文庙路柳江街17号", "柳江街"),
        ("顺昌路路口永年路103号", "永年路"),
        ("东门市场路3号", "东门市场路"),
    ],
)
def test_road_names_keep_their_own_words(text, road):
    assert parse_address(text).road == road


def test_a_range_and_a_sub_number_are_different_things():
    assert parts("新兴街12-18号") == {"road": "新兴街", "number": "12", "number_to": "18"}
    assert parts("新兴街12-3号") == {"road": "新兴街", "number": "12", "sub_number": "3"}
    assert parts("新兴街10-2-108号")["sub_number"] == "2-108"
    assert parts("大街路甲55号")["sub_number"] == "甲"
    assert parts("阳光小区10-2-108") == {"place": "阳光小区", "building": "10", "unit": "2", "room": "108"}


def test_missing_number_word_is_cut_and_said():
    address = parse_address("徐家汇路6183层")
    assert (address.number, address.floor, address.cut) == ("618", "3", "6183")
    assert [(a.number, a.floor) for a in recuts(address)] == [("618", "3"), ("61", "83")]
    room = parse_address("徐家汇路618201室")
    assert [(a.number, a.room) for a in recuts(room)] == [("618", "201"), ("61", "8201")]
    whole = parse_address("徐家汇路618号3层")
    assert recuts(whole) == (whole,)


@pytest.mark.parametrize("text", ["徐家汇路12楼", "徐家汇路201室", "徐家汇路1201室"])
def test_short_runs_are_never_cut(text):
    address = parse_address(text)
    assert address.number is None
    assert address.cut is None


def test_keys_of_door_and_room():
    same = ["上海市黄浦区徐家汇路618号3楼305室", "徐家汇 路６１８号305室", "徐家汇路618号三楼305室"]
    assert {room_key(parse_address(t)) for t in same} == {"徐家汇路618号/305室"}
    assert {door_key(parse_address(t)) for t in same} == {"徐家汇路618号"}
    assert door_key(parse_address("太仓路181弄")) != door_key(parse_address("太仓路181号"))
    assert door_key(parse_address("徐家汇路")) is None
    assert room_key(parse_address("徐家汇路618号")) is None
    assert room_key(parse_address("徐家汇路618号2楼")) == "徐家汇路618号/2层"
    assert door_key(parse_address("阳光小区3号楼")) == "阳光小区#3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("阳光花园A3座1201", {"place": "阳光花园", "building": "A3", "room": "1201"}),
        ("阳光小区3号楼底商2号", {"place": "阳光小区", "building": "3", "room": "2"}),
        ("中山路123＃2楼", {"road": "中山路", "number": "123", "floor": "2"}),
        ("中山路100号附5号", {"road": "中山路", "number": "100", "sub_number": "5"}),
        ("中山路100号-1", {"road": "中山路", "number": "100", "sub_number": "1"}),
        (
            "新华街道光明社区幸福路3号",
            {"street": "新华街道", "lead": ("光明社区",), "road": "幸福路", "number": "3"},
        ),
        ("方浜中路123号", {"road": "方浜中路", "number": "123"}),
        ("中山路与解放路交叉口", {"lead": ("中山路",), "road": "解放路", "tail": ("交叉口",)}),
        ("原卢湾区淮海中路100号", {"district": "原卢湾区", "road": "淮海中路", "number": "100"}),
    ],
)
def test_variants_of_real_lists(text, expected):
    assert parts(text) == expected


def test_what_is_one_building():
    one = [
        "徐家汇路618号",
        "徐家汇路618号底商",
        "徐家汇路618号3号门市",
        "徐家汇路618号3楼305室",
        "徐家汇路618-2号",
    ]
    assert {building_key(parse_address(t)) for t in one} == {"徐家汇路618号"}
    assert building_key(parse_address("复兴中路498弄12号3楼")) == "复兴中路498弄12号"
    assert building_key(parse_address("阳光小区3号楼2单元301")) == "阳光小区#3"
    assert building_key(parse_address("大街路甲55号")) != building_key(parse_address("大街路55号"))
    assert building_key(parse_address("徐家汇路")) is None
    assert door_key(parse_address("徐家汇路618-2号")) == "徐家汇路618号之2"


def test_floors_below_ground_have_one_key():
    keys = {
        room_key(parse_address(f"丽园路490号{floor}")) for floor in ("地下一层", "负一楼", "B1层", "b1层")
    }
    assert keys == {"丽园路490号/B1层"}


def test_old_districts_are_read_by_what_they_are_called_today():
    assert current_district("卢湾区") == "黄浦区"
    assert current_district("原南市区") == "黄浦区"
    assert current_district("上海市卢湾区") == "黄浦区"
    assert current_district("和平区") == "和平区"
    assert current_district("旧城区", former={"旧城区": "清澜区"}) == "清澜区"


def test_a_letter_before_the_dash_stays_and_tells_doors_apart():
    lettered, plain = parse_address("新兴街12甲-3号门市"), parse_address("新兴街12-3号门市")
    assert lettered.sub_number == "甲-3" and door_key(lettered) != door_key(plain)


def test_a_district_and_the_one_it_swallowed_leave_the_road_alone():
    both = parse_address("上海市黄浦区卢湾区徐家汇路618弄5号")
    assert (both.district, both.road, both.lead) == ("黄浦区", "徐家汇路", ("卢湾区",))
    assert door_key(both) == door_key(parse_address("徐家汇路618弄5号"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("东风东路761号之二2楼", {"road": "东风东路", "number": "761", "sub_number": "2", "floor": "2"}),
        (
            "天河路228号之一广晟大厦",
            {"road": "天河路", "number": "228", "sub_number": "1", "tail": ("广晟大厦",)},
        ),
        ("国道304线12km", {"road": "国道", "tail": ("304线12km",)}),
        ("河北街12组", {"road": "河北街", "tail": ("12组",)}),
        ("青堆子村三组15号", {"place": "青堆子村3组", "number": "15"}),
        ("黄河大街一千二百号", {"road": "黄河大街", "number": "1200"}),
        ("黄河大街廿一号", {"road": "黄河大街", "number": "21"}),
        ("东四十条甲22号", {"place": "东四十条", "number": "22", "sub_number": "甲"}),
        ("人民南路四段19号附1-2号", {"road": "人民南路四段", "number": "19", "sub_number": "1-2"}),
        ("建国东路143弄1支弄5号", {"road": "建国东路", "lane": "143", "building": "1支弄", "number": "5"}),
        ("浑南中路66号1-12-3", {"road": "浑南中路", "number": "66", "room": "1-12-3"}),
        (
            "经三路与红专路交叉口向东50米路北",
            {
                "lead": ("经三路",),
                "road": "红专路",
                "tail": ("交叉口向东50米路北",),
                "offset": "向东50米",
            },
        ),
        ("中华路（68号）3楼", {"road": "中华路", "number": "68", "floor": "3"}),
        ("【中华路】68号", {"road": "中华路", "number": "68"}),
        ("第一百货(中华路)68号", {"lead": ("第一百货",), "road": "中华路", "number": "68"}),
        ("福州路(近中华路)68号", {"road": "福州路", "number": "68", "tail": ("近中华路",)}),
        ("福州路(中华路)68号", {"road": "福州路", "number": "68", "tail": ("中华路",)}),
        ("🏠清澜区中华路68号", {"district": "清澜区", "road": "中华路", "number": "68"}),
        ("★ 1、清澜区中华路68号", {"district": "清澜区", "road": "中华路", "number": "68"}),
        ("中华路68号二、三层", {"road": "中华路", "number": "68", "floor": "2、3"}),
        ("中华路68号2/3楼", {"road": "中华路", "number": "68", "floor": "2/3"}),
        ("中山南2路999弄5号", {"road": "中山南2路", "lane": "999", "number": "5"}),
        ("长海路与中原路交叉路口", {"lead": ("长海路",), "road": "中原路", "tail": ("交叉路口",)}),
        ("松山路与竹路支路交叉口", {"lead": ("松山路",), "road": "竹路支路", "tail": ("交叉口",)}),
        ("松山镇2777弄56号", {"street": "松山镇", "lane": "2777", "number": "56"}),
        ("松山路梅岭五村48号", {"lead": ("松山路",), "place": "梅岭五村", "number": "48"}),
        ("松山路交汇处梅园村944号", {"lead": ("松山路",), "place": "梅园村", "number": "944"}),
        ("梅岭11村36号楼", {"place": "梅岭11村", "building": "36"}),
        ("梅岭六村2-1", {"place": "梅岭六村", "number": "2", "sub_number": "1"}),
        ("松山路120弄梅岭五村8号", {"road": "松山路", "lane": "120", "tail": ("梅岭五村8号",)}),
        ("一号路北约50米", {"road": "一号路", "tail": ("北约50米",), "offset": "北约50米"}),
    ],
)
def test_ways_of_writing_of_other_cities(text, expected):
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("东风东路761号之二", "东风东路761之2号"),
        ("中华路00068号", "中华路68号"),
        ("中华\u200b路68号\ufeff", "中华路68号"),
        ("\x00中华路68号", "中华路68号"),
        ("中华路18号-20号", "中华路18-20号"),
        ("中华路101号至115号", "中华路101-115号"),
        ("中华路68号、70号", "中华路68、70号"),
        ("青堆子村三组15号", "青堆子村3组15号"),
        ("中山南2路9号", "中山南二路9号"),
        ("梅岭11村9号", "松山路梅岭十一村9号"),
    ],
)
def test_one_door_written_two_ways(one, other):
    assert door_key(parse_address(one)) == door_key(parse_address(other)) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("东风东路761号之一", "东风东路761号之二"),
        ("人民南路19号附1-2号", "人民南路19号附1-3号"),
        ("建国东路143弄1支弄5号", "建国东路143弄2支弄5号"),
        ("青堆子村三组15号", "青堆子村四组15号"),
    ],
)
def test_two_doors_written_alike(one, other):
    assert door_key(parse_address(one)) != door_key(parse_address(other))


@pytest.mark.parametrize(
    "text", ["无", "不详", "同上", "见许可证", "号", "路", "大岗子村", "聂家窝堡屯", "阳光小区", "幸福社区"]
)
def test_what_names_no_door(text):
    assert door_key(parse_address(text)) is None


def test_a_text_that_is_no_address_is_cut_and_read_at_once():
    endless = "云河区" + "和平路" * 40_000 + "12号"
    assert len(parse_address(endless).text) <= 400


def test_floors_of_a_list_have_one_key():
    written = ("丽园路490号2、3楼", "丽园路490号二/三层", "丽园路490号2-3层")
    assert {room_key(parse_address(text)) for text in written} == {"丽园路490号/2-3层"}


@pytest.mark.parametrize("text", ["2、3层", "1号线", "-1层", "三和路5号", "十、五路"])
def test_a_number_at_the_front_is_no_count_of_a_list(text):
    assert normalise(text) == text


def test_digits_of_a_name_are_spelt():
    names = ["中山南2路", "田林11村", "曹杨20村", "10路", "中山南二路", "松山路68号"]
    assert [spell(name) for name in names] == [
        "中山南二路",
        "田林十一村",
        "曹杨二十村",
        "10路",
        "中山南二路",
        "松山路68号",
    ]


@pytest.mark.parametrize(
    ("text", "written", "metres"),
    [
        ("松山路与竹林路交叉口东500米(路北)", "东500米", (500.0, 0.0)),
        ("交叉口往西北约100米", "往西北约100米", (-70.7, 70.7)),
        ("地铁站南侧30米", "南侧30米", (0.0, -30.0)),
        ("地铁站15号口北行80余米", "北行80余米", (0.0, 80.0)),
        ("一号路北90000米", "北90000米", (0.0, 0.0)),
        ("向东100米再向北50米", None, None),
        ("松山路50米", None, None),
        ("东30米高的塔", None, None),
    ],
)
def test_distance_remarks(text, written, metres):
    assert find_offset(text) == written
    if written is not None:
        assert read_offset(written) == pytest.approx(metres, abs=0.1)


@pytest.mark.parametrize(
    ("text", "place", "key"),
    [
        ("恒隆广场A座1204", "恒隆广场", "恒隆广场#A/1204室"),
        ("云汀商厦B座5楼", "云汀商厦", "云汀商厦#B/5层"),
        ("A座1204", None, None),
    ],
)
def test_a_tower_before_a_room_is_no_house_number(text: str, place: str | None, key: str | None) -> None:
    address = parse_address(text)
    assert (address.place, address.number, address.building) == (place, None, text[text.index("座") - 1])
    assert room_key(address) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("工业大道南821号", "工业大道南821号"),
        ("广州大道中1号之二", "广州大道中1号之2"),
        ("中山路东15号", "中山路东15号"),
        ("中山路东侧15号", "中山路15号"),
        ("人民南路2段1号", "人民南路二段1号"),
        ("人民南路二段1号", "人民南路二段1号"),
        ("幸福路①15号", "幸福路15号"),
        ("⽴德路１5号", "立德路15号"),
        ("和平路C-15地块", None),
        ("和平路3号地块", None),
        ("和平路12-3地块", None),
        ("高新区D15、D16栋", None),
    ],
)
def test_directions_are_the_roads_and_plots_are_no_doors(text, key):
    """A suffix lost puts the door on another road; a plot's number on a road is none of its doors."""
    assert door_key(parse_address(text)) == key
