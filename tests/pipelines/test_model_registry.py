"""Artifacts of earlier versions of this package are read."""

import pytest
from zenml.config.source import Source
from zenml.utils import source_utils

from steps.model_registry import current_type

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("stored", "present"),
    [
        ("vision_zero.learning.state.StageState", "vision_zero.training.state.StageState"),
        ("vision_zero.pairs.verdict.Verdict", "vision_zero.data.validation.verdict.Verdict"),
        ("vision_zero.policy.folder.PolicyFolder", "vision_zero.policy.folder.PolicyFolder"),
    ],
)
def test_a_type_that_was_stored_under_its_old_module_is_found(stored, present):
    found = current_type(Source.from_import_path(stored))
    assert found.import_path == present
    assert source_utils.load(found).__name__ == present.rpartition(".")[2]
