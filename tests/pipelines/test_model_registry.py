"""Artifacts of earlier versions of this package are read."""

import json

import pytest
from zenml.config.source import Source
from zenml.utils import source_utils

from steps.model_registry import current_type
from vision_zero.data.source_report import SourceReport
from vision_zero.evaluation.estimates import BaseMeasures
from vision_zero.policy.provenance import Provenance
from vision_zero.warm_start.exam_scores import Exam

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("stored", "present"),
    [
        ("vision_zero.learning.state.StageState", "vision_zero.training.state.StageState"),
        ("vision_zero.pairs.verdict.Verdict", "vision_zero.validation.verdict.Verdict"),
        ("vision_zero.data.validation.verdict.Verdict", "vision_zero.validation.verdict.Verdict"),
        ("vision_zero.policy.folder.PolicyFolder", "vision_zero.policy.folder.PolicyFolder"),
    ],
)
def test_a_type_that_was_stored_under_its_old_module_is_found(stored, present):
    found = current_type(Source.from_import_path(stored))
    assert found.import_path == present
    assert source_utils.load(found).__name__ == present.rpartition(".")[2]


ESTIMATE = {"mean": 0.5, "low": 0.4, "high": 0.6, "units": 4}


@pytest.mark.parametrize(
    ("kind", "field", "old_field", "stored"),
    [
        (SourceReport, "skipped", "passed_over", {"domain": "photos", "location": "/a", "things": "photos"}),
        (BaseMeasures, "fingerprint", "mark", {"values": {}, "bounds": []}),
        (Provenance, "fingerprint", "mark", {"base": "nano", "form": "whole", "train_on": "both"}),
        (Exam, "scores", "marks", {}),
    ],
)
def test_a_field_that_was_stored_under_its_old_name_is_read(kind, field, old_field, stored):
    values = {"skipped": {"a": "cut short"}, "fingerprint": "0f", "scores": {"list/shape": ESTIMATE}}
    document = kind.model_validate_json(json.dumps({**stored, old_field: values[field]}))
    now = json.loads(document.model_dump_json())
    assert getattr(document, field) and field in now and old_field not in now
    assert kind.model_validate(now) == document
