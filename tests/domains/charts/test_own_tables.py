"""Tables as people have them: how they write numbers, part cells, number rows, and name units."""

from __future__ import annotations

import numpy as np
import pytest

from vision_zero.domains.charts.canvas import Canvas
from vision_zero.domains.charts.chart import Chart
from vision_zero.domains.charts.chartqa_csv import ParsedTable, parsed
from vision_zero.domains.charts.chartqa_tables import chart_of
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.charts.glyphs import unreadable
from vision_zero.domains.charts.number_formats import Column, name_and_unit, read_columns
from vision_zero.domains.charts.palette import color_name
from vision_zero.domains.charts.render import problems_on
from vision_zero.domains.charts.ticks import number, numbers
from vision_zero.domains.charts.typography import value_title
from vision_zero.errors import PairsError


def table(text: str) -> ParsedTable:
    return parsed(text, "own.csv", {})


def chart(text: str, seed: int = 0, **settings: object) -> Chart:
    return chart_of(ChartsConfig.model_validate(settings), table(text), "own.csv", np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("cell", "value", "unit"),
    [
        ("1,5", 1.5, ""), ("1,234", 1234, ""), ("1.234.567,8", 1234567.8, ""), ("1 234,5", 1234.5, ""), ("1'234.5", 1234.5, ""),
        ("12,34,567", 1234567, ""), ("1.2e-7", 1.2e-7, ""), ("1.2×10⁻⁷", 1.2e-7, ""), ("2e12", 2e12, ""), ("1e400", None, ""),
        ("1e-400", None, ""), ("12 kg", 12, "kg"), ("$1.2M", 1.2e6, "$"), ("€3,5 Mio.", 3.5e6, "€"), ("4.5bn", 4.5e9, ""),
        ("3 m", 3, "m"), ("~3", 3, ""), ("(1,234)", -1234, ""), ("−$5", -5, "$"), ("12*", 12, ""), ("≈ 4,5 %", 4.5, "%"),
        ("12 Jan", None, ""), ("1st", None, ""), ("2019/20", None, ""), ("5-10", None, ""), ("12:30", None, ""),
        ("n/a", None, ""), ("1½", 1.5, ""), ("¾", 0.75, ""), ("١٢٫٥", 12.5, ""), ("1.2万", 12000, ""), ("3억 원", 3e8, "원"),
        ("12 tCO2", 12, "tCO2"), ("45 m2", 45, "m2"), ("￥950", 950, "¥"), ("A$3", 3, "A$"), ("2 Mrd. €", 2e9, "€"),
        ("$(800)", -800, "$"), ("1.234,50-", -1234.5, ""), ("–5", -5, ""), ("12,-", 12, ""), ("1.299,- €", 1299, "€"),
        ("CHF 12.–", 12, "CHF"), ("12 (35%)", 12, ""), ("−0.5 (31.1)", -0.5, ""), ("12 (2019)", 12, ""), ("3.2 ± 0.1", 3.2, ""),
        ("3.2 +/- 0.1%", 3.2, ""), ("12²", 12, ""), ("12ᵃ", 12, ""), ("45 m²", 45, "m²"), ("15 est.", 15, ""),
        ("kr 1 200", 1200, "kr"),
        ("SEK 120", 120, "SEK"), ("Rp 1.200.000", 1200000, "Rp"), ("₹5 Cr", 5e7, "₹"), ("１，２３４", 1234, ""),
        ("5 percent", 5, "%"),
        ("5,5 Prozent", 5.5, "%"), ("5 (USD)", None, ""), ("5 (thousand)", None, ""), ("12–15", None, ""), ("<1%", None, ""),
    ],
)  # fmt: skip
def test_numbers_are_read_as_they_are_meant(cell: str, value: float | None, unit: str) -> None:
    (column,) = read_columns([[cell]])
    assert column.values == (value,)
    assert column.unit == (unit if value is not None else column.unit)


def test_what_stands_at_few_numbers_is_a_note_and_no_unit() -> None:
    assert read_columns([["12", "15", "16", "17 p"]])[0] == Column((12.0, 15.0, 16.0, None), "")
    assert read_columns([["$12", "15", "16"]])[0] == Column((12.0, 15.0, 16.0), "$")


def test_one_decimal_comma_settles_the_table() -> None:
    assert [column.values for column in read_columns([["1,234", "2"], ["0,5", "4"]])] == [(1.234, 2.0), (0.5, 4.0)]
    assert read_columns([["1,234", "2.5"]])[0].values == (1234.0, 2.5)
    assert read_columns([["500 g", "1 kg", "3 kg"]])[0].values == (None, 1.0, 3.0)


def test_files_parted_otherwise_and_titled() -> None:
    for text in (
        "Sales by shop\nShop;Sales\nA;1,5\nB;2,25\n",
        "sep=;\nShop;Sales\nA;1,5\nB;2,25\n",
        "Shop\tSales\nA\t1,5\nB\t2,25\n",
    ):
        assert table(text).values == ((1.5, 2.25),)
        assert table(text).rows == ("A", "B")
    assert table("Sales by shop\nShop;Sales\nA;1,5\nB;2,25\n").title == "Sales by shop"


def test_ranks_and_codes_are_no_names() -> None:
    ranked = table("Rank,Code,Country,GDP\n1,NOR,Norway,5\n2,PER,Peru,3\n3,FRA,France,2\n")
    assert (ranked.rows, ranked.columns, ranked.row_title) == (("Norway", "Peru", "France"), ("GDP",), "Country")
    assert table("iso,Country,GDP\nNO,Norway,5\nPE,Peru,3\n").rows == ("Norway", "Peru")
    assert table("Year,GDP\n2015,5\n2016,3\n").rows == ("2015", "2016")
    assert table("Country,Yes,No\nNorway,5,1\nPeru,3,2\n").columns == ("Yes", "No")


@pytest.mark.parametrize(
    "text",
    [
        "#,Country,GDP\n1,Norway,5\n2=,Peru,3\n2=,France,3\n",
        "Place,Country,GDP\n1st,Norway,5\n2nd,Peru,3\n3rd,France,3\n",
        "ISO,Country,GDP\n578,Norway,5\n604,Peru,3\n250,France,3\n",
        "id,Country,GDP\na81f,Norway,5\nb72e,Peru,3\nc33d,France,3\n",
        "Economies, by size\nCountry,GDP\nNorway,5\nPeru,3\nFrance,3\n",
        "Country,GDP\rNorway,5\rPeru,3\rFrance,3\r",
        "'Country','GDP'\n'Norway','5'\n'Peru','3'\n'France','3'\n",
        "Country,GDP,GDP\nNorway,5,6\nPeru,3,7\nFrance,3,7\n",
        "Country,GDP,GDP \nNorway,5,6\nPeru,3,7\nFrance,3,7\n",
        "| Country | GDP |\n|:---|---:|\n| Norway | **5** |\n| Peru | 3 |\n| France | 3 |\n",
        "Country[a],GDP[1]\nNorway[note 2],5[3]\n<b>Peru</b>,3<br>\nFrance,3\n",
    ],
)
def test_names_and_numbers_are_found_in_tables_of_many_forms(text: str) -> None:
    found = table(text)
    assert (found.rows, found.columns, found.values) == (("Norway", "Peru", "France"), ("GDP",), ((5.0, 3.0, 3.0),))
    assert found.title in ("", "Economies, by size")


def test_columns_that_differ_in_how_their_unit_is_written_are_named_twice() -> None:
    found = table("Country,Share (%),Share in %,Share [kg]\nNorway,5,6,7\nPeru,3,7,8\n")
    assert (found.columns, found.units) == (("Share", "Share"), ("%", "kg"))
    assert found.left_out == ("columns named twice: 1",)


def test_a_second_header_and_a_line_of_units_are_no_rows() -> None:
    found = table(",2019,,2020,\nShop,m,f,m,f\nA,1,2,3,4\nB,2,3,4,5\n")
    assert found.columns == ("2019 m", "2019 f", "2020 m", "2020 f")
    found = table("Shop,Weight,Area\n,kg,km²\nA,1,2\nB,2,3\n")
    assert (found.rows, found.units, found.left_out) == (("A", "B"), ("kg", "km²"), ())


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("Weight (kg)", "Weight", "kg"),
        ("PM2.5 (µg/m³)", "PM2.5", "µg/m³"),
        ("GDP (USD bn)", "GDP", "USD bn"),
        ("Revenue in million U.S. dollars", "Revenue", "million U.S. dollars"),
        ("Cost, $", "Cost", "$"),
        ("Preis / €", "Preis", "€"),
        ("Noise [dB]", "Noise", "dB"),
        ("BIP (Mrd. €)", "BIP", "Mrd. €"),
        ("GDP (₹ crore)", "GDP", "₹ crore"),
        ("GDP(亿元)", "GDP", "亿元"),
        ("人口（万人）", "人口", "万人"),
        ("売上高（億円）", "売上高", "億円"),
        ("Area (sq mi)", "Area", "sq mi"),
        ("Low °C", "Low", "°C"),
        ("High °C (°F)", "High", "°C"),
        ("Share (percent)", "Share", "%"),
        ("Percent", "Percent", "%"),
        ("Sales (net)", "Sales (net)", ""),
        ("Index (2015=100)", "Index (2015=100)", ""),
        ("Deaths in a year", "Deaths in a year", ""),
    ],
)
def test_units_of_headers_are_units_of_columns(header: str, name: str, unit: str) -> None:
    assert name_and_unit(header) == (name, unit)


@pytest.mark.parametrize(
    ("text", "rows", "total"),
    [
        ("Region,Val\nAfrica,140\nAsia,210\nEurope,75\nWorld,425\n", ("Africa", "Asia", "Europe"), "World"),
        ("Region,M,F\nEU,6,12\nA,1,2\nB,2,4\nC,3,6\n", ("A", "B", "C"), "EU"),
        ("Name,Val\nA,1\nB,2\nAverage,1.5\n", ("A", "B"), "Average"),
        ("Name,Val\nA,1\nB,2\nTotal général,3\n", ("A", "B"), "Total général"),
        ("Name,Val\nA,1\nB,2\nGrand Total:,3\n", ("A", "B"), "Grand Total:"),
        ("Name,Val\nA,1\nB,2\nTotal sales,3\n", ("A", "B"), "Total sales"),
        ("Name,Val\nAll countries,3\nA,1\nB,2\n", ("A", "B"), "All countries"),
        ("Name;Val\nA;1\nB;2\nSumme gesamt;3\n", ("A", "B"), "Summe gesamt"),
        ("Name,Val\nA,1\nB,2\nEU average,1.5\n", ("A", "B"), "EU average"),
        ("Name,Val\nA,1\nB,2\n合計,3\n", ("A", "B"), "合計"),
    ],
)
def test_a_row_of_the_others_is_no_part_whatever_its_name(text: str, rows: tuple[str, ...], total: str) -> None:
    found = parsed(text, "own.csv", {})
    assert (found.rows, found.left_out) == (rows, (f"totals, which are no parts: {total}",))


def test_a_half_of_shares_is_a_part() -> None:
    assert parsed("Name,Val\nA,50%\nB,25%\nC,25%\nD,0%\n", "own.csv", {}).rows == ("A", "B", "C", "D")


def test_totals_are_left_out_and_counted() -> None:
    found = table("Shop,Apples,Pears,Total\nA,1,2,3\nB,4,5,9\nTotal,5,7,12\nTotal energies,1,1,2\n")
    assert (found.rows, found.columns) == (("A", "B", "Total energies"), ("Apples", "Pears"))
    assert found.left_out == ("totals, which are no parts: Total, Total",)


def test_each_chart_has_one_unit_and_shows_it() -> None:
    text = "Country,Share,Weight (kg)\nNorway,12%,700\nPeru,40%,300\nFrance,30%,100\n"
    drawn = {(made.unit, made.series[0].values) for made in (chart(text, seed) for seed in range(6))}
    assert drawn == {("%", (12.0, 40.0, 30.0)), ("kg", (700.0, 300.0, 100.0))}
    made = chart("Country,Weight (kg)\nNorway,700\nPeru,300\n")
    assert (made.title, value_title(made), made.position_name) == ("Weight", "kg", "Country")


def test_columns_that_are_too_low_beside_others_have_charts_of_their_own() -> None:
    text = "City,Lat,Lon,Population\nParis,48.9,2.4,2102650\nLyon,45.8,4.8,522250\nNice,43.7,7.3,342669\n"
    drawn = {tuple(series.name for series in chart(text, seed).series) for seed in range(8)}
    assert drawn == {("Lat", "Lon"), ("Population",)}
    assert len(chart("Name,A,B\nx,1,0\ny,2,0\n", 0).series) == 1
    assert len(chart("Land,2010,2020\nAruba,1,2\nAngola,900,990\n", 0).series) == 2


@pytest.mark.parametrize(
    ("text", "rows", "columns", "values", "title"),
    [
        (
            "Entity,Code,Year,Life expectancy (years)\nFrance,FRA,2019,82.8\nFrance,FRA,2020,82.2\nPeru,PER,2019,76.2\n"
            "Peru,PER,2020,73.7\n",
            ("2019", "2020"), ("France", "Peru"), ((82.8, 82.2), (76.2, 73.7)), "Life expectancy",
        ),
        (
            "Entity,Code,Year,Births,Deaths\nFrance,FRA,2019,714,613\nFrance,FRA,2020,697,669\n",
            ("2019", "2020"), ("Births", "Deaths"), ((714.0, 697.0), (613.0, 669.0)), "France",
        ),
        (
            "Region,Product,Sales\nNorth,Pears,3\nNorth,Plums,2\nNorth,Figs,4\nSouth,Pears,7\nSouth,Plums,6\nSouth,Figs,5\n",
            ("Pears", "Plums", "Figs"), ("North", "South"), ((3.0, 2.0, 4.0), (7.0, 6.0, 5.0)), "Sales",
        ),
    ],
)  # fmt: skip
def test_a_line_for_each_number_becomes_rows_and_columns(
    text: str, rows: tuple[str, ...], columns: tuple[str, ...], values: tuple[tuple[float, ...], ...], title: str
) -> None:
    found = table(text)
    assert (found.rows, found.columns, found.values, found.title) == (rows, columns, values, title)
    assert found.left_out == ()


def test_names_that_occur_twice_by_chance_are_not_spread() -> None:
    found = table("City,State,Pop\nSpringfield,IL,116\nSpringfield,MA,155\nPortland,OR,650\nPortland,ME,68\nSalem,OR,175\n")
    assert (found.rows, found.columns) == (("Springfield", "Portland", "Salem"), ("Pop",))
    assert table("Year,Winner,Points\n2018,France,5\n2019,Peru,7\n2020,France,8\n").rows == ("2018", "2019", "2020")


@pytest.mark.parametrize(
    "names",
    [
        ("2020/09", "2020/10", "2020/11"),
        ("Jul 2020", "Aug 2020", "Sep 2020"),
        ("2024-01-02", "2024-01-03", "2024-02-01"),
        ("28/01/2024", "01/02/2024", "15/02/2024"),
        ("01/28/2024", "02/01/2024", "02/15/2024"),
        ("28.01.2024", "01.02.2024", "15.02.2024"),
        ("Dec-20", "Jan-21", "Feb-21"),
        ("FY2019", "FY2020", "FY2021"),
        ("Q4 2021", "Q1 2022", "Q2 2022"),
        ("4Q21", "1Q22", "2Q22"),
        ("2019/20", "2020/21", "2021/22"),
        ("5 Mai 2020", "6. Juni 2020", "1. Juli 2020"),
        ("January 5, 2021", "January 6, 2021", "February 1, 2021"),
    ],
)
def test_times_of_all_forms_run_forwards(names: tuple[str, str, str]) -> None:
    first, second, third = names
    for order in ((third, second, first), (second, first, third)):
        text = "When,Share\n" + "".join(f'"{name}",{names.index(name) + 1}\n' for name in order)
        made = chart(text, types={"lines": 1})
        assert (made.categories, made.series[0].values) == (names, (1.0, 2.0, 3.0))


def test_large_tables_are_cut_instead_of_drawn_as_heat_maps() -> None:
    text = "Shop,A,B,C,D\n" + "".join(f"s{row},{row + 1},{2 * row + 3},{row + 9},{3 * row}\n" for row in range(9))
    assert {chart(text, seed).type for seed in range(8)} == {"grouped_bars"}
    assert len(chart(text).categories) == 6
    assert chart(text, types={"heat_map": 1}).type == "heat_map"


@pytest.mark.usefixtures("no_installed_fonts")
@pytest.mark.parametrize("name", ["中国", "한국", "भारत", "🍎"])
def test_characters_without_letters_are_no_charts(name: str) -> None:
    with pytest.raises(PairsError, match="no letters of the charts' fonts"):
        chart(f"Country,GDP\n{name},5\nPeru,3\n")
    sheet = Canvas(200, 100, "#ffffff")
    sheet.text(name, 100, 50, 12, "#000000")
    assert any("has no letters for" in problem for problem in problems_on(sheet))


def test_control_characters_are_not_drawn_as_boxes() -> None:
    assert table("Country,GDP\nChad\x07,5\nPeru,3\n\x1a").rows == ("Chad", "Peru")
    assert unreadable("Chad\x07") == "\x07"


def test_characters_of_the_font_are_drawn() -> None:
    assert chart("Land,GDP\nÖsterreich,5\nΕλλάδα,3\nРоссия,1\n").categories[0] == "Österreich"


def test_very_small_and_large_numbers_are_written_with_powers() -> None:
    assert (number(1.2e-7), number(2.5e12), number(0.0005)) == ("1.2e−7", "2.5e12", "0.0005")
    assert numbers([0.0, 5e-8, 1e-7]) == ["0", "5e−8", "1e−7"]
    assert chart("Name,Size\nA,1.2e-7\nB,5e-7\n").series[0].values == (1.2e-7, 5e-7)


def test_purples_are_not_called_blue() -> None:
    assert {color_name(color) for color in ("#800080", "#6a3d9a", "#7570b3", "#4b0082", "#440154", "#9467bd")} == {"purple"}
    assert [color_name(color) for color in ("#0000ff", "#4472c4", "#0f283e", "#264478")] == ["blue", "blue", "navy", "navy"]


@pytest.mark.parametrize(
    ("name", "colors"),
    [
        ("blue", ("#4e79a7", "#4682b4", "#377eb8", "#436983", "#6a8fb3", "#1f77b4")),
        ("light blue", ("#aec7e8", "#a6cee3", "#8da0cb", "#87ceeb")),
        ("purple", ("#b07aa1", "#984ea3", "#6a5acd", "#9a607f")),
        ("gray", ("#666666", "#696969", "#7f7f7f", "#758d99")),
        ("light gray", ("#a5a5a5", "#a3aab2", "#d3d3d3")),
        ("orange", ("#d95f02", "#d55e00", "#ffa500", "#fc8d62")),
        ("brown", ("#9c755f", "#8c564b", "#a6761d", "#a0522d")),
        ("yellow", ("#d8c300", "#ffd700", "#ffffb3")),
        ("green", ("#70ad47", "#59a14f", "#2ca02c")),
        ("pink", ("#ffc0cb", "#f7b6d2", "#ff9da7", "#e377c2")),
    ],
)
def test_colours_of_common_palettes_have_the_names_that_people_give_them(name: str, colors: tuple[str, ...]) -> None:
    assert {color: color_name(color) for color in colors} == dict.fromkeys(colors, name)
