"""Pairs of one source through ZenML: files that anything reads, and artifacts with previews."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.zenml


def test_the_pairs_of_one_source_are_made_judged_and_kept(tmp_path):
    from datasets import load_dataset

    from pipelines.build_pairs import build_pairs

    config = {
        "domain": "charts",
        "train": 10,
        "held_out": 4,
        "pairs_per_file": 6,
        "folder": str(tmp_path / "runs"),
        "charts": {"style": "compact"},
        "quality": {"max_quarantined": 1.0, "min_changed_area": 0.05},
    }
    file = tmp_path / "charts.yaml"
    file.write_text(yaml.safe_dump({"execution_mode": "fail_fast", "parameters": {"config": config}}))
    result = build_pairs.with_options(config_path=str(file))()
    assert str(result.status) == "completed"
    outputs = {name: output[0] for step in result.steps.values() for name, output in step.outputs.items()}
    assert set(outputs) == {"made", "pairs", "quarantined", "verdict", "folder"}
    for name in ("made", "pairs", "quarantined", "verdict"):
        assert outputs[name].visualizations
        assert "<script" not in Path(outputs[name].visualizations[0].uri).read_text()
    assert outputs["made"].run_metadata["splits"] == {"held_out": 4, "train": 10}
    verdict, folder = outputs["verdict"].load(), Path(outputs["folder"].load())
    assert folder == tmp_path / "runs" / result.name
    assert {path.name for path in folder.iterdir()} == {"pairs", "quarantined", "verdict.json", "verdict.html", "gallery.html"}
    assert verdict.checked == 14
    rows = load_dataset("parquet", data_files=f"{folder}/pairs/*.parquet", cache_dir=str(tmp_path / "cache"))["train"]
    assert len(rows) == verdict.passed
    assert rows[0]["original"].size == (112, 112)
    assert [path.name for path in (folder / "quarantined").iterdir()] == ["pairs-00000.parquet"] * (verdict.passed < 14)


def test_parts_are_built_by_runs_of_their_own_and_joined(tmp_path):
    from pipelines.build_pairs import build_pairs
    from vision_zero.pair_sets.join import join_parts

    config = {
        "domain": "charts",
        "train": 10,
        "held_out": 4,
        "pairs_per_file": 4,
        "parts": 2,
        "folder": str(tmp_path / "parts"),
        "charts": {"style": "compact"},
        "quality": {"max_quarantined": 1.0},
    }
    file = tmp_path / "charts.yaml"
    for part in range(2):
        recipe = {"execution_mode": "fail_fast", "parameters": {"config": config | {"part": part}}}
        file.write_text(yaml.safe_dump(recipe))
        assert str(build_pairs.with_options(config_path=str(file))().status) == "completed"
        assert {path.name for path in (tmp_path / "parts" / f"part-0000{part}-of-00002").iterdir()} == {
            *("begun.json", "part.json", "identities.parquet", "pairs", "quarantined"),
            *("verdict.json", "verdict.html", "gallery.html", "making.lock"),
        }
    manifest = join_parts(tmp_path / "parts", tmp_path / "joined")
    assert manifest.checked == 14
    assert sum(file.rows for file in manifest.files) == 14
