"""Transcripts as a parquet table, one row a move, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vision_zero.errors import GameError
from vision_zero.game.transcript import Move, Transcript

SCHEMA: pa.Schema = pa.schema(
    {
        "game_id": pa.string(),
        "pair_id": pa.string(),
        "players": pa.int32(),
        "spy": pa.int32(),
        "seat": pa.int32(),
        "role": pa.string(),
        "kind": pa.string(),
        "round": pa.int32(),
        "prompt": pa.string(),
        "reply": pa.string(),
        "reasoning": pa.string(),
        "clue": pa.string(),
        "vote": pa.int32(),
        "unreadable": pa.string(),
        "tokens": pa.int32(),
    }
)
_GAME = ("game_id", "pair_id", "players", "spy")


def write_transcripts(transcripts: Sequence[Transcript], path: Path) -> None:
    """Write finished games; a game without moves has no rows and is not kept.

    Raises:
        GameError: two games have one id: they would be read back as one.
    """
    names = Counter(transcript.game_id for transcript in transcripts)
    if names and (most := names.most_common(1)[0])[1] > 1:
        raise GameError(f"{most[1]} games are called {most[0]}: give each an id of its own")
    rows = [
        {**{key: getattr(transcript, key) for key in _GAME}, **asdict(move)}
        for transcript in transcripts
        for move in transcript.moves
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), path)


def read_transcripts(path: Path) -> tuple[Transcript, ...]:
    """The games of a file, in the order in which they were written.

    Raises:
        GameError: the file is no table of transcripts.
    """
    try:
        rows = pq.read_table(path).select(SCHEMA.names).cast(SCHEMA).to_pylist()
    except (OSError, KeyError, pa.ArrowInvalid) as error:
        raise GameError(f"{path} is not a table of transcripts: {error}") from error
    moves: dict[tuple[Any, ...], list[Move]] = {}
    for row in rows:
        game = tuple(row.pop(key) for key in _GAME)
        moves.setdefault(game, []).append(Move(**row))
    return tuple(Transcript(**dict(zip(_GAME, game, strict=True)), moves=tuple(own)) for game, own in moves.items())
