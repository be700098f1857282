"""Bad pairs on purpose: some of the training pairs, none of the held-out ones."""

from tests.make import plain_pair
from vision_zero.data.table import PairTable, joined
from vision_zero.pair_sets.build import corrupt
from vision_zero.randomness import Seed

TABLE = joined(
    [
        PairTable.from_pairs([(number, plain_pair(f"t{number}")) for number in range(200)], "train"),
        PairTable.from_pairs([(number, plain_pair(f"h{number}")) for number in range(20)], "held_out"),
    ]
)


def bad(table):
    return {pair.pair_id for pair in table.pairs() if pair.original.tobytes() == pair.modified.tobytes()}


def test_a_share_of_the_training_pairs_shows_both_sides_the_original():
    spoiled = corrupt(TABLE, 0.2, Seed(1))
    found = bad(spoiled)
    assert 20 <= len(found) <= 60  # 40 of 200, within three and a half standard errors
    assert all(name.startswith("t") for name in found)
    assert spoiled.ids == TABLE.ids
    assert bad(corrupt(TABLE, 0.2, Seed(1))) == found
    assert bad(corrupt(TABLE, 0.2, Seed(2))) != found


def test_the_ends_of_the_scale():
    assert corrupt(TABLE, 0.0, Seed(1)) is TABLE
    assert len(bad(corrupt(TABLE, 1.0, Seed(1)))) == 200
