"""The command line for pairs: every domain, given scenes, galleries, the benchmark, and one line where something is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from tests.make import plain_pair, scene_pairs
from vision_zero.cli.app import cli
from vision_zero.data.image_pair import Change
from vision_zero.domains.scenes.clevr import from_clevr
from vision_zero.domains.scenes.render import render
from vision_zero.errors import VisionZeroError
from vision_zero.performance.pair_generation import measure_sources
from vision_zero.report.render_pairs import GAP, HEIGHT, MOST_BYTES, OUTLINE, WIDTH, draw_sheet, read_folder, sheet_bytes


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def drawn(*arguments: object) -> str:
    result = run("render", *arguments)
    assert result.exit_code == 0, result.exception
    return result.output


def refused(*arguments: object) -> str:
    result = run("render", *arguments)
    assert result.exit_code != 0
    text = str(result.exception) if isinstance(result.exception, VisionZeroError) else result.output.strip().splitlines()[-1]
    assert "\n" not in text
    return text


@pytest.mark.slow
@pytest.mark.parametrize("domain", ["scenes", "charts", "photos"])
def test_every_domain_is_drawn_and_can_be_imported_again(domain: str, tmp_path: Path) -> None:
    made, again = tmp_path / "made", tmp_path / "again"
    drawn("--domain", domain, "--count", 2, "--size", "112x112", "--seed", 3, "--out", made)
    pairs = read_folder(made)
    assert {path.name for path in made.iterdir()} == {
        "pairs.parquet",
        "gallery.html",
        *(f"{pair.pair_id}_{side}.png" for pair in pairs for side in ("original", "modified")),
    }
    assert {pair.domain for pair in pairs} == {domain}
    assert {pair.original.size for pair in pairs} == {(112, 112)}
    page = (made / "gallery.html").read_text()
    assert all(change.kind for pair in pairs for change in pair.changes)
    assert page.count("<section") == 2
    (made / "pairs.parquet").unlink()
    assert "2 pairs in" in drawn("--domain", "imported", "--from", made, "--count", 9, "--out", again)
    assert {pair.original.tobytes() for pair in read_folder(again)} == {pair.original.tobytes() for pair in pairs}


def test_files_of_an_earlier_run_are_left_and_counted(tmp_path: Path) -> None:
    made = ("--count", 2, "--size", "48x32", "--out", tmp_path)
    assert "before" not in drawn(*made)
    assert "before" not in drawn(*made)
    assert f"4 PNG files that were in {tmp_path} before belong to none of these pairs" in drawn(*made, "--seed", 1)
    assert len(list(tmp_path.glob("*.png"))) == 8


def test_edits_can_be_chosen_one_by_one(tmp_path: Path) -> None:
    drawn("--edit", "move", "--changes", 3, "--count", 1, "--size", "160x120", "--out", tmp_path)
    (pair,) = read_folder(tmp_path)
    assert [change.kind for change in pair.changes] == ["move"] * 3
    assert pair.changes[0].sentence() == f"{pair.changes[0].before} was moved"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--edit", "explode"), "scenes cannot be made with these settings: edits: "),
        (("--domain", "charts", "--size", "20x20"), "charts cannot be made with these settings: "),
        (("--domain", "imported"), "give the location of the pairs to import with --from"),
        (("--from", "somewhere"), "scenes are procedural: leave out --from"),
        (("--domain", "photos", "--from", "/nowhere/at/all"), "/nowhere/at/all"),
        (("--size", "wide"), "is not a size like 320x240"),
        (("--seed", 2_000_000_000), "seed 2000000000 is reserved for suites"),
        (("--scene", "/nowhere.json"), "/nowhere.json is not a readable JSON file"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    assert words in refused(*arguments, "--out", tmp_path / "out")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    small = ("--count", 1, "--size", "112x112")
    assert "file/pairs cannot be written" in refused(*small, "--out", tmp_path / "file" / "pairs")
    told = refused(*small, "--out", tmp_path / "out", "--sheet", tmp_path / "file" / "sheet.png")
    assert told.startswith(f"{tmp_path / 'file'} cannot be written: ")


def test_given_scenes_are_drawn_as_they_say(tmp_path: Path) -> None:
    facts = [pair.original_facts for pair in scene_pairs(2)]
    broken = {**facts[0], "objects": [{"shape": "cone"}]}
    file = tmp_path / "scenes.json"
    file.write_text(json.dumps({"info": {}, "scenes": [{**facts[0], "image_filename": "../../first.png"}, broken, facts[1], 7]}))
    result = run("render", "--scene", file, "--size", "112x112", "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "2 scenes in" in result.output
    assert result.stderr.count("left out ") == 2
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["first.png", f"{scene_pairs(2)[1].pair_id}_original.png"]
    image = Image.open(tmp_path / "out" / "first.png")
    assert image.tobytes() == render(from_clevr(facts[0]), 112, 112).image.tobytes() == scene_pairs(2)[0].original.tobytes()


def test_scenes_of_one_name_are_all_kept(tmp_path: Path) -> None:
    facts = [pair.original_facts for pair in scene_pairs(3)]
    names = ["train/000.png", "val/000.png", "a.b.1", "a.b.2", "A.B.1.PNG", "train-000.jpg", "..", "C:\\x\\000.png"]
    scenes = [{**facts[number % 3], "image_filename": name} for number, name in enumerate(names)]
    (tmp_path / "scenes.json").write_text(json.dumps({"scenes": scenes}))
    result = run("render", "--scene", tmp_path / "scenes.json", "--size", "48x36", "--out", tmp_path / "out")
    assert "8 scenes in" in result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        ["train-000.png", "val-000.png", "a.b.1.png", "a.b.2.png", "A.B.1-2.png", "train-000-2.png", "scene.png", "C:-x-000.png"]
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"scenes": 3}', '{"scenes": [{}]}', "7"])
def test_files_without_scenes_are_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "scenes.json").write_text(text)
    assert "scenes.json" in refused("--scene", tmp_path / "scenes.json", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_gallery_image_outlines_what_changed() -> None:
    sheet = draw_sheet(scene_pairs(3))
    colors = {color for _, color in sheet.getcolors(2**24) or []}
    assert OUTLINE in colors
    assert len(sheet_bytes(sheet)) <= MOST_BYTES


def test_outlines_leave_what_changed_free() -> None:
    pair = plain_pair("label", size=(WIDTH, HEIGHT))
    pair = replace(pair, changes=tuple(Change("relabel", "label A", "label B", box) for box in ((50, 60, 70, 66), (0, 0, 9, 9))))
    sheet = np.asarray(draw_sheet([pair]))
    for side, image in enumerate((pair.original, pair.modified)):
        left = GAP + side * (WIDTH + GAP // 2)
        shown, whole = sheet[GAP : GAP + HEIGHT, left : left + WIDTH], np.asarray(image)
        for part in (np.s_[60:66, 50:70], np.s_[2:7, 2:7]):
            assert np.array_equal(shown[part], whole[part])
        outlined = (shown == OUTLINE).all(axis=2)
        assert outlined[56, 46:74].all()
        assert outlined[0, :13].all()


@pytest.mark.slow
def test_a_large_gallery_image_gets_a_palette() -> None:
    assert len(sheet_bytes(Image.effect_noise((900, 700), 90).convert("RGB"))) < 900 * 700


@pytest.mark.cli
def test_the_benchmark_measures_what_it_says() -> None:
    found = measure_sources(["charts"], [(112, 112)], pairs=8, processes=1)
    (result,) = found["results"]
    assert (result["domain"], result["size"]) == ("charts", "112x112")
    assert result["pairs_per_s"] > 0.5
    assert 0 < result["cpu_s_per_image"] < 1
    assert 20 < result["peak_mb_at_half"] <= result["peak_mb"] < 2000
    assert json.loads(json.dumps(found)) == found
