"""What vision_zero/validation/rules.py relies on of Great Expectations beyond its public interface."""

import logging

import pandas as pd

from vision_zero.validation.rules import gxe, validate


def test_a_table_is_validated_in_memory_without_progress_bars_or_log_lines(capfd, caplog):
    frame = pd.DataFrame({"pair_id": ["a", "b", "c"], "changes": [1, 9, 2]})
    with caplog.at_level(logging.INFO, logger="root"):
        result = validate(frame, [gxe.ExpectColumnValuesToBeBetween(column="changes", max_value=5)])
    [outcome] = result.results
    assert [entry["pair_id"] for entry in outcome.result["unexpected_index_list"]] == ["b"]
    assert "Calculating Metrics" not in capfd.readouterr().err, "context.variables.progress_bars no longer turns them off"
    assert not [
        record for record in caplog.records if record.name.startswith("great_expectations") and record.levelname == "INFO"
    ]


def test_importing_it_has_set_the_log_levels():
    for name in ("great_expectations", "great_expectations.data_context.types.base"):
        assert logging.getLogger(name).level == logging.WARNING, f"{name} logs its configuration again"
