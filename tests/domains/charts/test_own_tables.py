"""Tables as people have them: how they write numbers, part cells, number rows, and name units."""

from __future__ import annotations

import numpy as np
import pytest

from vision_zero.domains.charts.canvas import Canvas
from vision_zero.domains.charts.chart import Chart
from vision_zero.domains.charts.chartqa_csv import ParsedTable, name_and_unit, parsed
from vision_zero.domains.charts.chartqa_tables import chart_of
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.charts.number_formats import Column, read_columns
from vision_zero.domains.charts.phrases import color_name
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
    ],
)
def test_names_and_numbers_are_found_in_tables_of_many_forms(text: str) -> None:
    found = table(text)
    assert (found.rows, found.columns, found.values) == (("Norway", "Peru", "France"), ("GDP",), ((5.0, 3.0, 3.0),))
    assert found.title in ("", "Economies, by size")


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
