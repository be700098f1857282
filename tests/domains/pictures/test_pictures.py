"""Single images as pairs: any folder plays, what is broken or too small is named, and the replay shows what the spy saw."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pydantic import ValidationError

from tests.data.odd_images import encoded, scenery
from tests.make import scene_pairs
from vision_zero.config.nano_defaults import NANO_GAME, NANO_SAMPLING
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.sources import SourcesConfig
from vision_zero.data import collection
from vision_zero.data.splits import SplitFilter
from vision_zero.data.table import PairTable
from vision_zero.domains.pictures.config import PicturesConfig
from vision_zero.domains.pictures.source import PictureSource
from vision_zero.domains.registry import base_of
from vision_zero.errors import PairsError
from vision_zero.game.engine import deal_all, play
from vision_zero.game.played_games import PlayedGames
from vision_zero.game.spy import WhoIsTheSpy
from vision_zero.pair_sets.build import build_pairs, source_of
from vision_zero.policy.loading import load_policy
from vision_zero.randomness import Seed
from vision_zero.report.replay import replay_page
from vision_zero.validation.expectations import judge

ROOT = Path(__file__).resolve().parents[3]


def config_of(folder: Path, **changes) -> SelfPlayConfig:
    images = {"location": str(folder), "width": 112, "height": 112}
    given = {
        "preset": "paper_v2",
        "pairs": {"mix": {"pictures": 1.0}, "pictures": images},
        "learning": {"games_per_iteration": 4},
        "evaluation": {"pairs": 4},
        "promotion": {"pairs": 2},
    }
    return SelfPlayConfig.model_validate({**given, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Eight scenes as files in a folder."""
    root = tmp_path_factory.mktemp("pictures")
    for number, pair in enumerate(scene_pairs(8)):
        pair.original.save(root / f"{number}.png")
    return root


def test_images_stay_as_they_are_or_are_scaled_down_in_their_own_shape(tmp_path):
    for name, size in (("large", (400, 200)), ("small", (60, 50))):
        scenery(*size).save(tmp_path / f"{name}.png")
    source = PictureSource(PicturesConfig(location=str(tmp_path), width=100, height=100))
    found = {base_of(pair): pair for pair in (source.sample(Seed(0).child(place)) for place in range(12))}
    assert {name: pair.original.size for name, pair in found.items()} == {"large.png": (100, 50), "small.png": (60, 50)}
    assert found["large.png"].original_facts["size"] == [400, 200]
    for pair in found.values():
        assert pair.modified.getcolors() == [(pair.original.width * pair.original.height, (255, 255, 255))]
        assert pair.changes == ()


def test_each_image_comes_once_before_any_comes_again(folder):
    source = source_of("pictures", SourcesConfig(pictures=PicturesConfig(location=str(folder))))
    order = Seed(5)
    drawn = [base_of(source.at(turn, order.child(turn), order)) for turn in range(16)]
    assert sorted(drawn[:8]) == sorted(drawn[8:]) == [f"{number}.png" for number in range(8)]


def test_of_more_images_than_are_compared_each_pair_draws_one_at_random(folder, monkeypatch):
    source = source_of("pictures", SourcesConfig(pictures=PicturesConfig(location=str(folder))))
    assert f"Up to {collection.COMPARED:,} images are each used" in (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    monkeypatch.setattr(collection, "COMPARED", 7)
    order = Seed(5)
    seeds = [order.child(turn) for turn in range(8)]
    assert [base_of(source.at(turn, seeds[turn], order)) for turn in range(8)] == [base_of(source.sample(seed)) for seed in seeds]


def test_a_data_set_with_an_image_column_is_a_source_of_images(tmp_path):
    (tmp_path / "data").mkdir()
    cells = [encoded(scenery(60, 50 + number), "PNG") for number in range(3)]
    pq.write_table(pa.table({"photo": cells, "caption": ["a", "b", "c"]}), tmp_path / "data" / "train.parquet")
    source = PictureSource(PicturesConfig(location=str(tmp_path), column="photo", width=100, height=100))
    order = Seed(5)
    drawn = [source.at(turn, order.child(turn), order) for turn in range(3)]
    assert {base_of(pair) for pair in drawn} == {f"data/train.parquet:{row}" for row in range(3)}
    assert {pair.original.size for pair in drawn} == {(60, 50), (60, 51), (60, 52)}


def test_what_is_wrong_with_a_data_set_is_told_in_the_domains_own_terms(tmp_path):
    (tmp_path / "a.csv").write_text("image\nphoto.png\n")
    source = PictureSource(PicturesConfig(location=str(tmp_path)))
    assert source.check() == {"a.csv:0": f"photo.png: no such file in {tmp_path}"}
    (tmp_path / "b.csv").write_text("image,caption\nphoto.png,so\n")
    with pytest.raises(PairsError, match=r"no column photo, but image \(in every file; a\.csv has image; b\.csv has"):
        PictureSource(PicturesConfig(location=str(tmp_path), column="photo", layout="table"))
    for text in ("", "image\n"):
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(PairsError, match=r"the data set in .*a\.csv has no rows"):
            PictureSource(PicturesConfig(location=str(tmp_path / "a.csv")))


def test_what_is_broken_or_too_small_is_skipped_and_named(tmp_path):
    scenery().save(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes(encoded(scenery(seed=1))[:300])
    Image.new("RGB", (900, 12), "red").save(tmp_path / "line.png")
    source = PictureSource(PicturesConfig(location=str(tmp_path)))
    assert {base_of(source.sample(Seed(place))) for place in range(20)} == {"good.png"}
    report = source.report()
    assert (report.found, report.failures, set(report.skipped)) == (3, 2, {"cut.png", "line.png"})
    assert report.skipped["line.png"] == ("its shorter side has 6 pixels once it is scaled from 900x12, at least 32 are needed")


def test_an_archive_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no archive" * 200)
    with pytest.raises(PairsError, match=r"holds no images.*a\.tar: not a readable tar archive"):
        PictureSource(PicturesConfig(location=str(tmp_path)))
    scenery().save(tmp_path / "good.png")
    report = PictureSource(PicturesConfig(location=str(tmp_path))).report()
    assert (report.found, report.incomplete, list(report.skipped)) == (2, 1, ["a.tar"])


def test_copies_belong_to_one_split_whatever_their_names_and_formats(tmp_path):
    for number in range(12):
        image = scenery(160, 120, seed=number)
        image.save(tmp_path / f"{number}.png")
        image.resize((120, 90)).convert("RGB").save(tmp_path / f"copy_{number}.jpg", quality=70)
    whole = SourcesConfig(pictures=PicturesConfig(location=str(tmp_path)))
    source = source_of("pictures", whole)
    seen = {
        split: {base_of(one) for one in (view.at(turn, Seed(turn), Seed(9)) for turn in range(24))}
        for split, view in ((split, source.of(SplitFilter(split, 0.3))) for split in ("train", "held_out"))
    }
    assert seen["train"] | seen["held_out"] == {path.name for path in tmp_path.iterdir()}
    for number in range(12):
        assert len([split for split in seen if seen[split] & {f"{number}.png", f"copy_{number}.jpg"}]) == 1


@pytest.mark.slow
def test_images_are_validated_as_images(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "again.png").write_bytes((folder / "0.png").read_bytes())
    Image.new("RGB", (112, 112), (250, 250, 250)).save(tmp_path / "empty.png")
    Image.new("RGB", (112, 112), (30, 90, 30)).save(tmp_path / "plain.png")
    source = PictureSource(PicturesConfig(location=str(tmp_path)))
    pairs = [source.at(turn, Seed(turn), Seed(4)) for turn in range(22)]
    verdict = judge(
        PairTable.from_pairs(enumerate(pairs), "train"),
        config_of(tmp_path).pairs.model_copy(
            update={"quality": config_of(tmp_path).pairs.quality.model_copy(update={"max_quarantined": 1.0})}
        ),
    )
    assert (verdict.checked, verdict.domains[0].again) == (22, 9), "in the second round each comes again, and that is no fault"
    by_file = {base_of(pair): [] for pair in pairs}
    names = {pair.pair_id: base_of(pair) for pair in pairs}
    for entry in verdict.quarantined:
        by_file[names[entry.pair_id]].append(entry.reasons)
    assert len(by_file["empty.png"]) == len(by_file["plain.png"]) == 2
    shown, plain = "pictures: something is shown, in 0.40% of the image at least", "pictures: more than one plain colour"
    assert all(any(reason.startswith(shown) for reason in reasons) for reasons in by_file["empty.png"])
    assert all(any(reason.startswith(plain) for reason in reasons) for reasons in by_file["plain.png"])
    assert [reasons[0] for name in ("0.png", "again.png") for reasons in by_file[name]] == ["shows no other pair again"]
    assert not [rule for rule in verdict.expectations if "probe" in rule.rule], "anybody can tell an empty image"


def test_the_rules_say_that_the_spys_image_is_empty(folder):
    with pytest.raises(ValidationError, match=r"set game\.spy_image blank, or start from preset paper_v2"):
        config_of(folder, preset=None)
    assert config_of(folder, preset=None, game={"spy_image": "blank"}).game.spy_image == "blank"
    assert config_of(folder).game.spy_image == "blank"


@pytest.mark.slow
def test_nano_plays_on_images_alone_and_the_replay_shows_what_the_spy_saw(folder):
    config = config_of(folder)
    table = build_pairs("pictures", config, 0, 1)
    held_out = table.of_split("held_out")
    assert (len(table.of_split("train")), len(held_out)) == (5, 4 + 2)
    train, kept = ({base_of(pair) for pair in part.pairs()} for part in (table.of_split("train"), held_out))
    assert not train & kept
    verdict = judge(table, config.pairs)
    assert (verdict.passed, verdict.sources[0].things) == (len(table), "pictures")
    pairs = list(table.of_split("train").pairs())[:2]
    rules = NANO_GAME.model_copy(update={"spy_image": "blank"})
    game = WhoIsTheSpy(rules)
    policy = load_policy(PolicyConfig(base="nano", sampling=NANO_SAMPLING), None)
    tables = play(game, deal_all(game, pairs, Seed(1)), policy, Seed(1))
    for dealt in tables:
        assert len(dealt.spy_image.getcolors()) == 1
        assert len(dealt.original.getcolors(20_000)) > 100
    transcripts = [dealt.transcript for dealt in tables]
    clues = [move for game_ in transcripts for move in game_.clue_moves if move.seat != game_.spy]
    assert sum(move.unreadable is None for move in clues) >= len(clues) - 1, "it keeps the protocol on its own scenes"
    shown, by_id = PlayedGames.of(transcripts, table, config.rewards, 2, rules.spy_image).shown()
    page = replay_page("Replay", shown, by_id, config.rewards)
    assert page.count("the spy&#39;s image") + page.count("the spy's image") == 2 * len(shown) == 4
    assert "the modified image" not in page


def test_a_replay_of_scenes_shows_the_empty_image_and_judges_the_spys_clues_by_it():
    pair = scene_pairs(1)[0]
    table = PairTable.from_pairs([(0, pair)], "train")
    from vision_zero.game.played_games import as_seen

    (blank,) = as_seen(table, "blank").pairs()
    (same,) = as_seen(table, "identical").pairs()
    (stored,) = table.pairs()
    assert as_seen(table, "modified") is table
    assert (blank.changes, len(blank.modified.getcolors()), blank.modified_facts["objects"]) == ((), 1, [])
    assert (same.changes, same.modified.tobytes(), same.modified_facts) == ((), stored.original.tobytes(), stored.original_facts)
