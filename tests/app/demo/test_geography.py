from app.demo.geography import counties, county, nearest_county, prefectures, provinces, search_counties


def test_the_tables_are_whole() -> None:
    assert [len(provinces()), len(prefectures()), len(counties())] == [34, 375, 2891]
    mainland = [sum(row.mainland for row in rows()) for rows in (provinces, prefectures, counties)]
    assert mainland == [31, 372, 2852]
    assert len({row.adcode for row in counties()}) == 2891


def test_every_county_belongs_to_a_prefecture_and_a_province() -> None:
    assert {row.prefecture_adcode for row in counties()} <= {row.adcode for row in prefectures()}
    assert {row.province_adcode for row in prefectures()} <= {row.adcode for row in provinces()}


def test_full_names_say_nothing_twice() -> None:
    assert county("420106").full_name == "湖北省武汉市武昌区"
    assert county("110101").full_name == "北京市东城区"
    assert county("441900").full_name == "广东省东莞市"


def test_search_by_code_and_by_words() -> None:
    assert [row.adcode for row in search_counties("420106")] == ["420106"]
    assert search_counties("武汉 武昌")[0].adcode == "420106"
    # Several cities have a Drum Tower district.
    assert {row.name for row in search_counties("鼓楼区")} == {"鼓楼区"}
    assert search_counties("朝阳", limit=3)[0].name.startswith("朝阳")
    assert search_counties("  ") == ()
    assert search_counties("无此地") == ()


def test_nearest_county() -> None:
    assert nearest_county(30.571, 114.352).adcode == "420106"
    assert nearest_county(39.9, 116.41).adcode == "110101"
