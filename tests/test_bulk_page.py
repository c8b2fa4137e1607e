"""docs/bulk.md: many pieces, by processes and on a Ray cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from documented import DATA, ROOT, TINY, commands, walk

PAGE = (ROOT / "docs" / "bulk.md").read_text(encoding="utf-8")
BATCH = {"textmusic batch prompts.jsonl -o out/": f" --model {TINY} --workers 1 --no-audio"}
RAY = {
    "textmusic batch prompts.parquet -o out/ --ray local": (
        f" --model {TINY} --workers 1 --no-audio"
    ),
    "textmusic prepare my-music/ -o data/ --ray local": (
        f" --base {TINY} --workers 1 --longest 900"
    ),
}
# Of several machines; nobody runs them here, and the page says so.
NOT_HERE = {
    "textmusic batch prompts.parquet -o out/ --ray HOST:6379",
    "ray get-auth-token --generate",
    "ray start --head",
    "ray start --address HOST:6379",
}
PROMPTS = [{"text": "calm flute", "bars": 2}, {"text": "waltz, 2 bars", "loudness": 11}]


def test_every_command_of_the_page_is_known_here() -> None:
    assert set(commands(PAGE)) == {*BATCH, *RAY} | NOT_HERE


def test_a_piece_for_every_prompt(tmp_path: Path) -> None:
    lines = "".join(json.dumps(prompt) + "\n" for prompt in PROMPTS)
    (tmp_path / "prompts.jsonl").write_text(lines, encoding="utf-8")
    (said,) = walk(BATCH, tmp_path)
    assert "2 prompts: 2 written" in said
    assert {file.name for file in (tmp_path / "out").glob("*.mid")} == {"0001.mid", "0002.mid"}
    (again,) = walk(BATCH, tmp_path)
    assert "2 skipped (already there)" in again


@pytest.mark.ray
@pytest.mark.train  # preparing needs the readers
def test_the_same_on_a_cluster(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["calm flute, 2 bars"]}), tmp_path / "prompts.parquet")
    (tmp_path / "my-music").mkdir()
    for piece in sorted((DATA / "pieces").glob("*.mid"))[::4]:
        (tmp_path / "my-music" / piece.name).symlink_to(piece)
    walk(RAY, tmp_path)
    assert (tmp_path / "out" / "0001.mid").exists()
    assert (tmp_path / "data" / "train.parquet").exists()
