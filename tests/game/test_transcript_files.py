import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vision_zero.errors import GameError
from vision_zero.game.transcript_files import SCHEMA, read_transcripts


@pytest.mark.parametrize("columns", [{"a": [1, 2]}, {name: ["x"] for name in SCHEMA.names}], ids=["other columns", "other types"])
def test_another_table_is_not_read_as_transcripts(tmp_path, columns):
    pq.write_table(pa.table(columns), tmp_path / "games.parquet")
    with pytest.raises(GameError, match="is not a table of transcripts"):
        read_transcripts(tmp_path / "games.parquet")
