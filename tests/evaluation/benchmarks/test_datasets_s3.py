"""Both benchmarks out of a bucket; the server runs on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tests.data.s3_server import allow, forbid, options, s3_server
from tests.evaluation.benchmarks.make import PNG, chart_row, problem
from tests.evaluation.benchmarks.test_datasets import write
from vision_zero.config.suites import SuiteConfig
from vision_zero.errors import EvaluationError
from vision_zero.evaluation.run_suites import open_suite

pytestmark = [pytest.mark.s3, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as url:
        yield url


def suite(server: str, name: Any, source: str, **fields: Any) -> SuiteConfig:
    return SuiteConfig(name=name, source=source, options=options(server), **fields)


def test_every_layout_in_a_bucket(server: str, tmp_path: Path) -> None:
    files = fsspec.filesystem("s3", **options(server))
    first = write([chart_row("3")], tmp_path / "one.parquet")
    second = write(
        [{"type": "human_test", "question": "How many?", "answer": "3", "image": {"bytes": PNG}}], tmp_path / "two.parquet"
    )
    files.put(str(first), "pairs/charts/data/test-00000-of-00001.parquet")
    files.put(str(second), "pairs/lmms/test.parquet")
    files.put(str(write([problem("7")], tmp_path / "math.parquet")), "pairs/math/testmini-00000-of-00001.parquet")
    files.pipe_file("pairs/official/testmini.json", json.dumps({"7": problem("7", decoded_image=None)}).encode())
    files.pipe_file("pairs/official/images/7.jpg", PNG)
    for name, source in (
        ("chartqa", "s3://pairs/charts"),
        ("chartqa", "s3://pairs/lmms/test.parquet"),
        ("mathvista", "s3://pairs/math"),
        ("mathvista", "s3://pairs/official"),
    ):
        benchmark = open_suite(suite(server, name, source))
        assert len(benchmark) == 1, source
        assert benchmark.item(0).image.size == (8, 6)
        assert benchmark.verdict(0, "The answer is 3.").is_right


def test_an_empty_place_and_a_closed_one_are_named(server: str) -> None:
    with pytest.raises(EvaluationError, match=r"s3://pairs/nothing holds no file of the split test: give test-\*\.parquet"):
        open_suite(suite(server, "chartqa", "s3://pairs/nothing"))
    forbid(server)
    try:
        with pytest.raises(EvaluationError, match="s3://pairs/charts cannot be read") as raised:
            open_suite(suite(server, "chartqa", "s3://pairs/charts"))
    finally:
        allow(server)
    assert "\n" not in str(raised.value)
