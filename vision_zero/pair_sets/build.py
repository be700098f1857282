"""Making the pairs that a run needs: for each iteration its games and a few spare ones, and the held-out pairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache

import pyarrow as pa

from vision_zero.config.self_play import PairsConfig, SelfPlayConfig
from vision_zero.config.sources import SourcesConfig
from vision_zero.data.image_pair import ImagePair
from vision_zero.data.source import PairSource
from vision_zero.data.splits import EVERYTHING, Split, SplitFilter
from vision_zero.data.table import SCHEMA, PairTable, joined, stride
from vision_zero.domains.registry import domain_of
from vision_zero.randomness import Seed, weighted


def source_of(domain: str, config: SourcesConfig, only: SplitFilter = EVERYTHING) -> PairSource:
    """The source of that domain; ``only`` says which photos, images, tables or existing pairs it may use.

    Raises:
        PairsError: the source has nothing to make pairs from.
    """
    record = domain_of(domain)
    return record.source(config.of(record), only)


def main_source(config: PairsConfig) -> PairSource:
    """The source of the domain that the mix draws most often.

    Raises:
        PairsError: it has nothing to make pairs from.
    """
    return source_of(max(config.active, key=lambda domain: config.mix[domain.name]).name, config)


def build_pairs(domain: str, config: SelfPlayConfig, first: int, iterations: int, judged: int = 0) -> PairTable:
    """The domain's share of the training pairs of some iterations, as far as the schedule goes, and of the held-out pairs.

    Held out are ``evaluation.pairs``, the same for every run, and behind them ``promotion.pairs`` of this run's own: it is judged
    on those behind the ones of the ``judged`` runs that were judged before it (:func:`promotion_positions`).

    Which domain a position gets is drawn from the mix by a seed of its own, so every domain can be built alone.
    Held-out pairs belong to the evaluation's seed: every run is measured on the same ones.
    """
    # Opened when the first pair is asked of it: a domain that the mix leaves out needs no location.
    source = cache(lambda: source_of(domain, config.pairs))
    step = stride(config.learning.most_games, config.pairs.spare)
    last = max(first, min(first + iterations, config.learning.iterations))
    held_out = Seed(config.evaluation.seed).child("pairs", "held_out")
    orders: tuple[tuple[Split, Seed, range], ...] = (
        ("train", Seed(config.seed).child("pairs", "train"), range(first * step, last * step)),
        ("held_out", held_out, range(config.evaluation.pairs)),
        ("held_out", held_out, promotion_positions(config, judged)),
    )
    table = joined(
        [
            PairTable.from_pairs(_of_domain(domain, config.pairs, source, split, seed, positions), split)
            for split, seed, positions in orders
        ]
    )
    report = source().report() if len(table) else None
    if report is None:
        return table
    used = {domain_of(domain).made_of(json.loads(facts)) for facts in table.rows["original_facts"].to_pylist()}
    return PairTable(table.rows, (report.model_copy(update={"used": len(used)}),))


def promotion_positions(config: SelfPlayConfig, judged: int) -> range:
    """Positions of the held-out pairs that a run is judged on, of whose model so many runs were judged before."""
    first = config.evaluation.pairs + judged * config.promotion.pairs
    return range(first, first + config.promotion.pairs)


def _of_domain(
    domain: str, config: PairsConfig, source: Callable[[], PairSource], split: Split, seed: Seed, positions: range
) -> Iterator[tuple[int, ImagePair]]:
    own: PairSource | None = None
    # Which turn a position has follows from all before it, so that a run that goes on takes the things that are next.
    mine = (position for position in range(positions.stop) if _domain_at(config, seed.child(position)) == domain)
    for turn, position in enumerate(mine):
        if position >= positions.start:
            own = source().of(SplitFilter(split, config.held_out_share)) if own is None else own
            yield position, own.at(turn, seed.child(position), seed)


def _domain_at(config: PairsConfig, place: Seed) -> str:
    return weighted(dict(sorted(config.mix.items())), place.child("domain").generator())


def corrupt(table: PairTable, share: float, seed: Seed) -> PairTable:
    """The table with each training pair spoiled with probability ``share``; held-out pairs stay as they are.

    For the ablation that asks how much a wrong edit here and there costs (the paper: 20 % cost 0.2 points). A spoiled pair is an
    edit that did nothing: the modified image is the original, so that nobody can find the spy. Validation would take such pairs
    out; they are spoiled after it, as the share that slipped through.
    """
    if not share:
        return table
    rows = []
    for row in table.rows.to_pylist():
        is_spoiled = row["split"] == "train" and seed.child(row["pair_id"]).generator().random() < share
        own = {"modified": row["original"], "modified_facts": row["original_facts"], "changes": []}
        rows.append({**row, **own} if is_spoiled else row)
    return PairTable(pa.Table.from_pylist(rows, schema=SCHEMA))
