"""Pairs made bad on purpose: the ablation that asks how much a wrong edit here and there costs (the paper: 20 % cost 0.2 points).

A spoiled pair is an edit that did nothing: the modified picture is the original, so that nobody can find the spy. Validation
would take such pairs out; they are spoiled after it, as the share that slipped through.
"""

from __future__ import annotations

import pyarrow as pa

from vision_zero.data.table import SCHEMA, PairTable
from vision_zero.randomness import Seed


def corrupt(table: PairTable, share: float, seed: Seed) -> PairTable:
    """The table with each training pair spoiled with probability ``share``; held-out pairs stay as they are."""
    if not share:
        return table
    rows = []
    for row in table.rows.to_pylist():
        is_spoiled = row["split"] == "train" and seed.child(row["pair_id"]).generator().random() < share
        own = {"modified": row["original"], "modified_facts": row["original_facts"], "changes": []}
        rows.append({**row, **own} if is_spoiled else row)
    return PairTable(pa.Table.from_pylist(rows, schema=SCHEMA))
