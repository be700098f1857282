"""Nothing is lost in silence: what a source skipped is in the verdict, on its page, in the console, and counts as a loss."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.data.odd_images import BROKEN, encoded, scenery
from tests.domains.imported.test_imported_files import changed, folder, sound
from tests.report.test_render_pairs import refused, run
from vision_zero.config.build_pairs import BuildPairsConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.sources import SourcesConfig
from vision_zero.data.source_report import SourceReport, kind_of, merged
from vision_zero.data.table import PairTable, joined
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.imported.source import ImportedSource
from vision_zero.errors import PairsError
from vision_zero.pair_sets.build import build_pairs
from vision_zero.pair_sets.parts import make_pairs
from vision_zero.randomness import Seed
from vision_zero.report.pages import render_page
from vision_zero.validation.expectations import judge


def narrower(root: Path, narrow: int, total: int = 20) -> str:
    """Pairs of which some modified images are two pixels narrower."""
    pairs: dict[str, tuple[bytes | None, bytes | None]] = {}
    for number in range(total):
        scene = scenery(seed=number)
        after = changed(scene)
        pairs[f"{number:02d}"] = (encoded(scene), encoded(after.crop((1, 0, 159, 120)) if number < narrow else after))
    return folder(root, pairs)


@pytest.mark.slow
def test_pairs_that_nearly_have_one_size_are_a_loss(tmp_path: Path) -> None:
    root = narrower(tmp_path / "in", 15)
    config = BuildPairsConfig.model_validate({"domain": "imported", "train": 20, "held_out": 0, "imported": {"location": root}})
    with pytest.raises(PairsError) as raised:
        judge(make_pairs(config, tmp_path / "made"), config)
    told = str(raised.value)
    assert told.startswith("75% of 20 pairs failed validation or could not be read, more than the 10% allowed")
    assert f"15 of 20 pairs in {root} were skipped" in told
    assert "“its images have nearly the same size” (15, such as 00)" in told


def test_where_nothing_can_be_made_the_reasons_are_told(tmp_path: Path) -> None:
    root = narrower(tmp_path / "in", 3, total=3)
    config = BuildPairsConfig.model_validate({"domain": "imported", "train": 2, "held_out": 1, "imported": {"location": root}})
    with pytest.raises(PairsError, match=r"no pair could be made; imported: .*: 3 pairs in 6 files, 0 used, 3 skipped; skipped"):
        make_pairs(config, tmp_path / "made")


@pytest.mark.slow
def test_pairs_that_nearly_have_one_size_can_be_made_to_fit_and_are_counted(tmp_path: Path) -> None:
    root = narrower(tmp_path / "in", 15)
    settings = {"location": root, "sizes": "crop"}
    quality = {"probe_pairs": 0, "specimens": 0}
    config = BuildPairsConfig.model_validate(
        {"domain": "imported", "train": 20, "held_out": 0, "imported": settings, "quality": quality}
    )
    verdict = judge(make_pairs(config, tmp_path / "made"), config)
    assert (verdict.checked, verdict.passed) == (20, 20)
    (report,) = verdict.sources
    assert (report.files, report.found, report.used, len(report.adjusted), report.skipped) == (40, 20, 20, 15, {})
    assert report.adjusted["03"] == "cropped to one size: from 160x120 and 158x120 to 158x120"
    cropped = next(ImportedSource(ImportedConfig(location=root, sizes="crop")).each(Seed(0)))
    assert cropped.modified.tobytes() == changed(scenery()).crop((1, 0, 159, 120)).tobytes()
    assert [change.box for change in cropped.changes] == [(19, 30, 59, 50)]


def test_both_images_are_resized_where_an_editor_resized_one(tmp_path: Path) -> None:
    scene = scenery(320, 240)
    smaller = changed(scene).resize((316, 236), Image.Resampling.LANCZOS)
    source = ImportedSource(ImportedConfig(location=folder(tmp_path, {"1": (encoded(scene), encoded(smaller))}), sizes="resize"))
    (pair,) = source.each(Seed(0))
    assert pair.original.tobytes() == scene.resize((316, 236), Image.Resampling.LANCZOS).tobytes()
    assert pair.modified.tobytes() == smaller.tobytes()
    assert source.report().adjusted == {"1": "resized to one size: from 320x240 and 316x236 to 316x236"}


def test_a_pair_that_is_skipped_counts_as_skipped_alone(tmp_path: Path) -> None:
    scene = scenery()
    root = folder(tmp_path, {"1": (encoded(scene), encoded(scene.crop((1, 0, 159, 120)))), "2": sound()})
    source = ImportedSource(ImportedConfig(location=root, sizes="crop"))
    assert source.check() == {"1": "its images are the same"}
    assert source.report().adjusted == {}


@pytest.mark.slow
def test_a_verdict_tells_what_its_sources_skipped(tmp_path: Path) -> None:
    original, _ = sound()
    heic = b"\x00\x00\x00\x18ftypheic" + bytes(40)
    files: dict[str, tuple[bytes | None, bytes | None]] = {f"good{number}": sound(number) for number in range(6)}
    files |= {"cut short": (original, BROKEN["cut short"]), "half": (original, None)}
    root = folder(tmp_path, files)
    for name, data in {"a_original.heic": heic, "a_modified.heic": heic}.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "b_original.jfif").write_bytes(encoded(scenery(seed=9), "JPEG"))
    (tmp_path / "b_modified").write_bytes(encoded(changed(scenery(seed=9))))
    config = SelfPlayConfig.model_validate(
        {
            "pairs": {
                "mix": {"imported": 1},
                "imported": {"location": root},
                "quality": {"max_quarantined": 0.5, "probe_pairs": 0, "max_changed_area": 1.0},
            },
            "learning": {"games_per_iteration": 8},
            "evaluation": {"pairs": 4},
        }
    )
    table = joined([build_pairs("imported", config, 0, 2)])
    table.write(tmp_path / "pairs.parquet")
    verdict = judge(PairTable.read(tmp_path / "pairs.parquet"), config.pairs)
    (report,) = verdict.sources
    assert (report.found, report.used, report.incomplete, report.looks, report.failures) == (10, 7, 1, 9, 2)
    assert report.lost_share == pytest.approx(0.3)
    assert set(report.skipped) == {"cut short", "half", "a"}
    assert "HEIC is not read: convert it to JPEG or PNG" in report.skipped["a"]
    assert report.reasons() == {"not a readable image": ["a", "cut short"], "it has no modified image": ["half"]}
    page = render_page("verdict.html.j2", verdict=verdict)
    assert "skipped 2: not a readable image" in page
    assert "half: it has no modified image" in page
    with pytest.raises(PairsError, match=r"30% of \d+ pairs failed validation or could not be read, more than the 10%"):
        judge(table, SourcesConfig(imported=config.pairs.imported, quality={"max_changed_area": 1.0, "probe_pairs": 0}))


@pytest.mark.slow
def test_render_tells_what_was_skipped(tmp_path: Path) -> None:
    root = narrower(tmp_path / "in", 15)
    found = run("render", "--domain", "imported", "--from", root, "--count", 20, "--out", tmp_path / "out")
    assert found.exit_code == 0
    assert f"imported: {root}: 20 pairs in 40 files, 5 used, 15 skipped" in found.stderr
    assert "skipped 15: its images have nearly the same size (for example 00: " in found.stderr
    assert "skipped 15: its images have nearly the same size" in (tmp_path / "out" / "gallery.html").read_text()
    all_of_them = run(
        "render", "--domain", "imported", "--from", root, "--sizes", "crop", "--count", 20, "--out", tmp_path / "all"
    )
    assert "adjusted 15: cropped to one size" in all_of_them.stderr
    assert "20 pairs in" in all_of_them.stdout
    none = refused("--domain", "imported", "--from", narrower(tmp_path / "none", 20), "--out", tmp_path / "nothing")
    assert none.startswith("there are no pairs to draw; imported: ")
    assert "skipped 20: its images have nearly the same size" in none


def test_render_takes_the_columns_and_the_images_folder(tmp_path: Path) -> None:
    images = folder(tmp_path / "pictures", {"1": sound()})
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "edits.csv").write_text("this,that\n1_original.png,1_modified.png\n")
    columns = ("--original-column", "this", "--modified-column", "that", "--pictures", images, "--layout", "table")
    told = run("render", "--domain", "imported", "--from", tmp_path / "t", *columns, "--out", tmp_path / "out")
    assert "1 pairs in" in told.stdout
    assert told.stderr == ""
    assert "scenes have no choice of how files are read" in refused("--original-column", "this", "--out", tmp_path / "no")


def test_reports_of_processes_are_joined_and_reasons_are_counted_by_kind() -> None:
    one, other = (
        SourceReport(
            domain="imported",
            location="here",
            things="pairs",
            found=10,
            looks=5,
            failures=1,
            skipped={name: f"the original: {side}x{side} pixels are more than the 50,000,000 allowed"},
        )
        for name, side in (("a", 9000), ("b", 10000))
    )
    (both,) = merged([one, other])
    assert both.lost_share == 0.2
    assert both.reasons() == {"…x… pixels are more than the … allowed": ["a", "b"]}
    assert kind_of("results/0/x.png: no such file in /data") == "no such file in /data"
    assert kind_of("its images have different sizes: 160x120 and 80x60") == "its images have different sizes"


def test_names_of_any_form_are_no_part_of_a_kind_of_reason() -> None:
    broken = "not a readable image (OSError: cut short at 1.5)"
    names = ("a.png", "Screenshot 2024 at 10.00.png", "photo 7", "a: b.png", "C:\\sets\\a b.png", "x/a\nb.png", "été 日本 (1)")
    report = SourceReport(
        domain="photos", location="here", things="photos", skipped={name: f"{name}: {broken}" for name in names}
    )
    assert report.reasons() == {"not a readable image": [*names]}
    assert kind_of("C:\\sets\\a b.png: no such file in /data") == "no such file in /data"
    assert kind_of("IMG 7.jpg of /data: there is no such folder: check it") == "there is no such folder"
    assert kind_of("x.png: 2 files in /data have that name, such as a/x.png") == "… files in /data have that name"
