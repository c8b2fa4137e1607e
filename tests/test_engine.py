"""The ONNX engine: its cache gives what a whole reading gives; broken folders are said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from textmusic.engine import Embeddings, OnnxEngine, read_config
from textmusic.errors import TextMusicError
from textmusic.pipeline import TextToMusic

DATA = Path(__file__).parent / "data"


@pytest.fixture(params=["tiny_model", "tiny_model_int8"])
def engine(request: pytest.FixtureRequest) -> OnnxEngine:
    return OnnxEngine(DATA / request.param, threads=1)


def some_ids(
    rows: int, length: int, seed: int = 0
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.random.default_rng(seed).integers(0, 1000, (rows, length))


def test_steps_after_a_prefill_give_what_one_prefill_gives(engine: OnnxEngine) -> None:
    ids = some_ids(2, 24)
    whole = [engine.prefill(ids[:, :t]) for t in range(10, 25)]
    stepped = [engine.prefill(ids[:, :10])]
    stepped += [engine.step(ids[:, t]) for t in range(10, 24)]
    assert np.allclose(whole, stepped, atol=1e-4)


def test_logits_at_every_place_are_those_of_each_prefix(engine: OnnxEngine) -> None:
    ids = some_ids(1, 12)
    every = engine.logits(ids)
    for t in (1, 5, 12):
        assert np.allclose(every[:, t - 1], engine.prefill(ids[:, :t]), atol=1e-4)


def test_a_row_of_a_batch_gives_what_it_gives_alone(engine: OnnxEngine) -> None:
    ids = some_ids(3, 16)
    together = [engine.prefill(ids[:, :8])] + [engine.step(ids[:, t]) for t in range(8, 16)]
    for row in range(3):
        one = ids[row : row + 1]
        alone = [engine.prefill(one[:, :8])] + [engine.step(one[:, t]) for t in range(8, 16)]
        assert np.allclose([logits[row] for logits in together], [a[0] for a in alone], atol=1e-4)


def test_a_prefill_forgets_what_was_before(engine: OnnxEngine) -> None:
    ids = some_ids(1, 9)
    first = engine.prefill(ids)
    engine.step(ids[:, 3])
    engine.prefill(some_ids(2, 30, seed=1))
    assert np.array_equal(first, engine.prefill(ids))


def test_the_whole_context_can_be_read(engine: OnnxEngine) -> None:
    ids = some_ids(1, engine.context)
    last = engine.prefill(ids)
    engine.prefill(ids[:, :-1])
    assert np.allclose(last, engine.step(ids[:, -1]), atol=1e-4)
    with pytest.raises(ValueError, match="do not fit"):
        engine.prefill(some_ids(1, engine.context + 1))


def test_logits_are_for_music_ids_only(engine: OnnxEngine) -> None:
    vocabulary = json.loads((DATA / "tiny_model" / "vocabulary.json").read_text())
    logits = engine.prefill(some_ids(2, 3))
    assert logits.shape == (2, len(vocabulary))
    assert logits.dtype == np.float32


def test_eight_bits_are_close_to_full_precision() -> None:
    ids = some_ids(2, 20)
    exact, rough = (
        OnnxEngine(DATA / name, threads=1).logits(ids) for name in ("tiny_model", "tiny_model_int8")
    )
    assert np.abs(exact - rough).max() < 0.1
    assert np.corrcoef(exact.ravel(), rough.ravel())[0, 1] > 0.99


def test_embeddings_are_read_by_row(tiny_model: Path) -> None:
    embeddings = Embeddings(tiny_model / "embeddings.safetensors")
    rows = embeddings[np.array([[3, 5], [5, 3]])]
    assert rows.shape[:2] == (2, 2) and rows.dtype == np.float32
    assert np.array_equal(rows[0, 0], rows[1, 1]) and np.array_equal(rows[0, 1], rows[1, 0])
    assert not np.array_equal(rows[0, 0], rows[0, 1])


# Folders that are not whole -----------------------------------------------------------------------

FILES = ("model.onnx", "model.onnx.data", "embeddings.safetensors", "textmusic.json",
         "vocabulary.json", "tokenizer.json", "remi.json")  # fmt: skip


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def test_those_are_the_files_of_a_model(tiny_model: Path) -> None:
    assert sorted(FILES) == sorted(file.name for file in tiny_model.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_said_when_the_model_is_loaded(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(TextMusicError, match=r"not a whole textmusic model.*fetch it again"):
        TextToMusic.from_pretrained(copy, threads=1)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_truncated_file_is_said_when_the_model_is_loaded(
    copy: Path, name: str, share: float
) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(TextMusicError, match=r"not a whole textmusic model.*fetch it again"):
        TextToMusic.from_pretrained(copy, threads=1)


@pytest.mark.parametrize("content", ["[]", "{}", '"x"', '{"format": "1"}', "\xff"])
def test_a_config_of_something_else_is_no_model(copy: Path, content: str) -> None:
    (copy / "textmusic.json").write_text(content, encoding="latin-1")
    with pytest.raises(TextMusicError, match="not a whole textmusic model"):
        TextToMusic.from_pretrained(copy, threads=1)


def test_a_newer_format_asks_for_an_upgrade(copy: Path) -> None:
    config = read_config(copy) | {"format": 99}
    (copy / "textmusic.json").write_text(json.dumps(config))
    with pytest.raises(TextMusicError, match="pip install --upgrade textmusic"):
        TextToMusic.from_pretrained(copy)


def test_a_file_or_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "model.txt"
    file.write_text("hello")
    for place in (file, tmp_path):
        with pytest.raises(TextMusicError, match="not a whole textmusic model"):
            TextToMusic.from_pretrained(place)


def test_nothing_in_a_model_folder_is_unpickled(copy: Path) -> None:
    """A pickle that would make a file when loaded, under every name a model has."""
    import pickle

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (copy / "exploded",))  # type: ignore[return-value]

    for name in FILES:
        kept = (copy / name).read_bytes()
        (copy / name).write_bytes(pickle.dumps(Bomb()))
        with pytest.raises(TextMusicError):
            TextToMusic.from_pretrained(copy, threads=1)
        assert not (copy / "exploded").exists()
        (copy / name).write_bytes(kept)


def test_an_older_format_is_refused_since_its_notes_were_spelt_otherwise(copy: Path) -> None:
    config = json.loads((copy / "textmusic.json").read_text())
    (copy / "textmusic.json").write_text(json.dumps(config | {"format": 1}))
    with pytest.raises(TextMusicError, match="older textmusic"):
        OnnxEngine(copy)
