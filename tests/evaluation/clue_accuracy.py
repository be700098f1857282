"""Are clues true? Judged against the scene graph of the image that the speaker saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vision_zero.data.image_pair import ImagePair
from vision_zero.domains.scenes.statements import parse
from vision_zero.game.transcript import Transcript


def clue_accuracy(transcripts: Sequence[Transcript], pairs: Mapping[str, ImagePair]) -> list[float]:
    """For each game on a scene pair, the share of its clues that are statements and true of the speaker's own image.

    Unreadable clues and clues outside the language of :mod:`vision_zero.domains.scenes.statements` count as not true.
    """
    shares = []
    for transcript in transcripts:
        pair = pairs[transcript.pair_id]
        if pair.domain != "scenes":
            continue
        verdicts = []
        for move in transcript.clue_moves:
            facts = pair.modified_facts if move.seat == transcript.spy else pair.original_facts
            statement = parse(move.clue)
            verdicts.append(statement is not None and statement.holds(facts))
        shares.append(sum(verdicts) / len(verdicts))
    return shares
