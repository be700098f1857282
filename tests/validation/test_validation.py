"""What validation knows of each domain: logs that lie, texts that cannot be read, repeats, lopsided edits, and shortcuts."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tests.data.odd_images import scenery
from tests.make import plain_pair, scene_pairs
from vision_zero.config.sources import QualityConfig, SourcesConfig
from vision_zero.data.image_pair import Change, ImagePair
from vision_zero.data.table import PairTable
from vision_zero.domains.charts.config import ChartEdit, ChartsConfig
from vision_zero.domains.charts.source import ChartSource
from vision_zero.domains.photos.config import PhotosConfig
from vision_zero.domains.photos.source import PhotoSource
from vision_zero.domains.registry import domain_of
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.randomness import Seed
from vision_zero.report.pages import render_page
from vision_zero.validation.artifact_probe import LEAST_PAIRS, Probe, ProbeResult
from vision_zero.validation.dedup import HashIndex, find_duplicates
from vision_zero.validation.expectations import judge, judge_together
from vision_zero.validation.verdict import DomainVerdict, Expectation, Verdict

CHART_EDITS: tuple[ChartEdit, ...] = (
    "swap_values",
    "change_values",
    "swap_series",
    "relabel",
    "recolor",
    "reorder",
    "change_axis",
)


def chart(edit: ChartEdit = "swap_values", place: int = 0) -> ImagePair:
    return ChartSource(ChartsConfig(width=300, height=240, edits={edit: 1})).sample(Seed(2).child(edit, place))


def photo() -> ImagePair:
    return PhotoSource(PhotosConfig(width=112, height=112)).sample(Seed(2))


def log_fault(pair: ImagePair) -> str:
    """What is wrong with its change log; empty where nothing is."""
    return domain_of(pair.domain).measure(pair, QualityConfig())["log_fault"] or ""


def verdict_of(pairs: list[ImagePair], **quality: Any) -> Verdict:
    config = SourcesConfig(quality=QualityConfig(**{"max_quarantined": 1.0, "probe_pairs": 0, **quality}))
    return judge(PairTable.from_pairs(enumerate(pairs), "train"), config)


def reasons(pair: ImagePair, **quality: Any) -> str:
    """Why the pair is quarantined; empty if it is not."""
    found = {entry.pair_id: "; ".join(entry.reasons) for entry in verdict_of([pair], **quality).quarantined}
    return found.get(pair.pair_id, "")


@pytest.mark.slow
@pytest.mark.parametrize("edit", CHART_EDITS)
def test_the_log_of_a_chart_must_say_what_its_table_says(edit: ChartEdit) -> None:
    for place in range(2):
        pair = chart(edit, place)
        assert log_fault(pair) == ""
        assert "does not show: " in log_fault(replace(pair, modified_facts=pair.original_facts))
        first = pair.changes[0]
        lie = replace(pair, changes=(replace(first, after="something else"), *pair.changes[1:]))
        assert "does not show: " in log_fault(lie)


def test_a_chart_that_differs_elsewhere_too_is_found() -> None:
    pair = chart()
    assert "the title of the chart differs too" in log_fault(
        replace(pair, modified_facts={**pair.modified_facts, "title": "Another title"})
    )
    assert "facts cannot be read" in log_fault(replace(pair, modified_facts={}))
    assert "one edit of a chart is expected" in log_fault(replace(pair, changes=()))


@pytest.mark.slow
@pytest.mark.parametrize("edit", ["recolor_reshape", "move", "resize", "add", "remove"])
def test_the_log_of_a_scene_must_say_what_the_scene_says(edit: str) -> None:
    from vision_zero.domains.scenes.source import SceneSource

    config = ScenesConfig.model_validate({"width": 160, "height": 120, "min_objects": 3, "edits": {edit: 1}})
    pair = SceneSource(config).sample(Seed(4).child(edit))
    assert log_fault(pair) == ""
    assert "scene differs where the log says nothing" in log_fault(replace(pair, changes=pair.changes[1:]))
    assert "does not show: large red rubber sphere" in log_fault(
        replace(pair, changes=(*pair.changes, Change(edit, "large red rubber sphere", "", (0, 0, 5, 5))))
    )


@pytest.mark.slow
def test_the_log_of_a_photo_must_say_what_was_made() -> None:
    pair = photo()
    assert log_fault(pair) == ""
    assert "list of edits differs" in log_fault(replace(pair, changes=pair.changes[1:]))


@pytest.mark.slow
def test_each_domains_faults_are_quarantined_with_the_reason() -> None:
    good = chart()
    assert reasons(good) == ""
    assert "charts: the tables differ as the log says" in reasons(replace(good, modified_facts=good.original_facts))
    assert "charts: every text can be read" in reasons(
        replace(good, original_facts={**good.original_facts, "title": "A title that is far too long " * 9})
    )
    image = photo()
    assert reasons(image) == ""
    everywhere = Image.blend(image.modified, Image.new("RGB", image.modified.size, "white"), 0.6)
    assert "photos: changed area" in reasons(replace(image, modified=everywhere))
    found = reasons(replace(image, modified=image.original))
    assert "photos: changed area" in found
    assert "changed area here: 0.00%" in found
    stained = image.modified.copy()
    ImageDraw.Draw(stained).rectangle((0, 0, 11, 11), fill=(255, 0, 255))
    elsewhere = replace(image, modified=stained, changes=tuple(replace(c, box=(40, 40, 112, 112)) for c in image.changes))
    assert "photos: at most 0.1% changed elsewhere" in reasons(elsewhere)
    hidden = replace(good, changes=tuple(replace(change, box=(0, 0, 1, 1)) for change in good.changes))
    assert "every logged change can be seen in its box" in reasons(hidden)


@given(st.integers(0, 2**256 - 1), st.sets(st.integers(0, 255), max_size=12), st.integers(0, 12))
def test_near_hashes_are_found_and_others_are_not(value: int, flipped: set[int], distance: int) -> None:
    index = HashIndex(distance)
    index.add(value, "it")
    other = value
    for bit in flipped:
        other ^= 1 << bit
    assert ("it" in set(index.near(other))) == (len(flipped) <= distance)


def row(name: str, original: str, modified: str, split: str = "train", domain: str = "scenes", base: str = "") -> dict[str, str]:
    hashes = {"original_hash": original * 64, "modified_hash": modified * 64}
    return {"pair_id": name, "domain": domain, "split": split, "base": base, **hashes}


def test_what_counts_as_a_repeat() -> None:
    rows = [
        row("first", "1", "2"),
        row("same", "1", "2"),
        row("other edit", "1", "3"),
        row("held out", "4", "5", "held_out", "photos", "a.jpg"),
        row("its image", "4", "6"),
        row("its edit", "7", "5"),
        row("its photo", "8", "9", "train", "photos", "a.jpg"),
        row("imported", "a", "b", "train", "imported", "set 1"),
        row("imported again", "a", "b", "train", "imported", "set 1"),
        row("copy in the set", "a", "b", "train", "imported", "set 2"),
    ]
    found = find_duplicates(pd.DataFrame(rows), distance=0)
    named = [entry["pair_id"] for entry in rows]
    repeated = {name: other for name, other in zip(named, found.duplicate_of, strict=True) if other}
    leaked = {name: other for name, other in zip(named, found.leaks_from, strict=True) if other}
    assert repeated == {"same": "first", "copy in the set": "imported"}
    assert leaked == dict.fromkeys(("its image", "its edit", "its photo"), "held out")
    assert [name for name, again in zip(named, found.again, strict=True) if again] == ["imported again"]


def test_kinds_of_edits_that_hardly_come_are_named() -> None:
    asked = {"recolor": 1.0, "move": 1.0, "add": 0.0}

    def balance(**edits: int) -> Expectation:
        found = DomainVerdict(domain="scenes", checked=60, passed=60, edits=edits)
        return judge_together(found, asked, QualityConfig())[0]

    assert balance(recolor=40, move=20).holds
    assert balance(recolor=10).holds, "too few to say"
    assert not balance(recolor=58, move=2).holds
    assert balance(recolor=58, move=2).found == "2 times move, about 30 were asked for"


def accuracy(pairs: list[ImagePair]) -> float:
    probe = Probe(most=len(pairs))
    for pair in pairs:
        probe.add(pair, "")
    found = probe.examine()
    assert found is not None
    assert found.low <= found.accuracy <= found.high
    assert found.pairs == len(pairs)
    return found.accuracy


@pytest.mark.slow
def test_the_probe_finds_traces_of_editing_and_nothing_where_there_are_none() -> None:
    def compressed(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=85)
        return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")

    plain = plain_pair()
    pairs = [replace(plain, original=scenery(64, 48, seed), modified=scenery(64, 48, 900 + seed)) for seed in range(60)]
    assert accuracy(pairs) < 0.65
    assert accuracy([replace(pair, modified=compressed(pair.modified)) for pair in pairs]) > 0.9


def test_what_may_be_chance_is_no_shortcut() -> None:
    assert not ProbeResult(accuracy=0.62, low=0.49, high=0.75, pairs=60).finds_shortcut(0.6)
    assert ProbeResult(accuracy=0.62, low=0.56, high=0.68, pairs=250).finds_shortcut(0.6)
    assert not ProbeResult(accuracy=0.59, low=0.55, high=0.63, pairs=600).finds_shortcut(0.6)


def test_few_pairs_are_not_probed() -> None:
    probe = Probe(most=100)
    for number in range(LEAST_PAIRS - 1):
        probe.add(plain_pair(str(number)), "")
    assert probe.examine() is None


@pytest.mark.slow
def test_shortcuts_and_images_are_in_the_verdict_and_on_its_page() -> None:
    pairs = [replace(pair, modified=pair.modified.copy()) for pair in scene_pairs(LEAST_PAIRS)]
    for pair in pairs:
        # A mark that only modified images have.
        ImageDraw.Draw(pair.modified).rectangle((0, 0, 111, 2), fill=(255, 0, 255))
    broken = replace(pairs[0], pair_id="<broken>", modified=pairs[0].original)
    verdict = verdict_of([*pairs, broken], probe_pairs=60)
    (scenes,) = verdict.domains
    assert scenes.probe is not None
    assert scenes.probe.accuracy > 0.9
    assert len(verdict.warnings()) == 1
    assert {specimen.standing for specimen in verdict.specimens} == {"worst", "quarantined"}
    assert all(specimen.original.startswith("data:image/jpeg;base64,") for specimen in verdict.specimens)
    page = render_page("verdict.html.j2", verdict=Verdict.model_validate_json(verdict.model_dump_json()))
    assert page.count("<img") == 2 * len(verdict.specimens) == 8
    assert "&lt;broken&gt;" in page
    assert "<broken>" not in page
