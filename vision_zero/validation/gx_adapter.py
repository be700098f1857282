"""Great Expectations: the one module that imports it, and that reaches beyond its public interface.

``tests/validation/test_gx_contract.py`` holds what is relied on. Import this inside a step: Great Expectations takes
seconds to load.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

import pandas as pd

# Read at import: nothing is sent anywhere.
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
# Before the import: Great Expectations logs its configuration while it loads.
logging.getLogger("great_expectations").setLevel(logging.WARNING)

import great_expectations as gx  # noqa: E402
import great_expectations.expectations as gxe  # noqa: E402
from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: E402
from great_expectations.expectations.row_conditions import Column  # noqa: E402

__all__ = ["Column", "gxe", "validate"]

# After the import: this module sets a level of its own, and would tell the user of a temporary folder.
logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)


def validate(frame: pd.DataFrame, expectations: Sequence[Any], *, index: str) -> Any:
    """Hold a table against expectations, in memory and without progress bars.

    ``ProgressBarsConfig`` and ``context.variables`` are not documented: progress bars can otherwise be turned off only in a
    configuration file, which an ephemeral context does not have.

    Args:
        index: the column that identifies the rows that fail.

    Returns:
        Great Expectations' result with the identities of all failing rows.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("pairs").add_dataframe_asset("measurements")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    return batch.validate(
        gx.ExpectationSuite(name="pairs", expectations=list(expectations)),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": [index]},
    )
