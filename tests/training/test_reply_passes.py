"""Replies of similar length are read in one pass, so that short ones are not padded to the longest."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vision_zero.training.microbatches import PASS, Pass, in_number, padded_size, passes

lengths_of_replies = st.lists(st.integers(0, 300), min_size=1, max_size=40)


def test_short_and_long_replies_are_read_apart():
    assert passes([30, 140, 33, 31, 133]) == [Pass([0, 3, 2], 33), Pass([4, 1], 140)]


def test_few_short_replies_are_not_worth_a_pass():
    assert passes([9, 40, 10]) == [Pass([0, 2, 1], 40)], "two passes would save 60 columns"


def test_one_reply_is_one_pass_and_an_empty_one_has_a_column():
    assert passes([7]) == [Pass([0], 7)]
    assert passes([0, 0]) == [Pass([0, 1], 1)]


@given(lengths=lengths_of_replies)
def test_every_reply_is_read_once_and_fits_in_its_pass(lengths):
    found = passes(lengths)
    assert sorted(row for own, _ in found for row in own) == list(range(len(lengths)))
    for own, columns in found:
        assert columns == max([1, *(lengths[row] for row in own)])
    assert all(one.columns < other.columns for one, other in pairwise(found))


@given(lengths=lengths_of_replies)
def test_passes_never_compute_more_than_one_would(lengths):
    found = passes(lengths)
    one = len(lengths) * max([1, *lengths])
    assert padded_size(found) + PASS * len(found) <= one + PASS
    assert padded_size(found) <= one


@given(lengths=st.lists(st.integers(0, 300), min_size=1, max_size=7))
def test_no_other_passes_cost_less(lengths):
    def least(ordered):
        """Of all ways to cut sorted replies."""
        first = range(1, len(ordered) + 1)
        return min((PASS + cut * max(1, ordered[cut - 1]) + least(ordered[cut:]) for cut in first), default=0)

    found = passes(lengths)
    assert padded_size(found) + PASS * len(found) == least(sorted(lengths))


def test_a_process_that_needs_fewer_passes_reads_its_shortest_reply_again():
    own = passes([200, 30, 30, 30])
    assert in_number(own, 4) == [Pass([1, 2, 3], 30), Pass([0], 200), Pass([1], 30), Pass([1], 30)]
    assert in_number(own, 2) == own
