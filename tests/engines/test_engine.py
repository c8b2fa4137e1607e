"""The ONNX engine: its cache gives what a whole reading gives; broken folders are said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_checks import check_read_ahead, some_ids

from textmusic.engines.folder import read_config
from textmusic.engines.onnx import Embeddings, OnnxEngine
from textmusic.engines.protocol import Floats32
from textmusic.errors import TextMusicError
from textmusic.writing.text_to_music import TextToMusic

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(params=["tiny_model", "tiny_model_int8"])
def engine(request: pytest.FixtureRequest) -> OnnxEngine:
    return OnnxEngine(DATA / request.param, threads=1)


def prefill(engine: OnnxEngine, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats32:
    return engine.prefill(range(1), ids)


def test_steps_after_a_prefill_give_what_one_prefill_gives(engine: OnnxEngine) -> None:
    ids = some_ids(24)
    whole = [prefill(engine, ids[:t]) for t in range(10, 25)]
    stepped = [prefill(engine, ids[:10])]
    stepped += [engine.step(ids[t : t + 1])[0] for t in range(10, 24)]
    assert np.allclose(whole, stepped, atol=1e-4)


def test_logits_at_every_place_are_those_of_each_prefix(engine: OnnxEngine) -> None:
    ids = some_ids(12)
    every = engine.logits(ids)
    for t in (1, 5, 12):
        assert np.allclose(every[t - 1], prefill(engine, ids[:t]), atol=1e-4)


def test_a_sequence_among_longer_and_shorter_ones_gives_what_it_gives_alone(
    engine: OnnxEngine,
) -> None:
    sequences = [some_ids(length + 8, seed=length) for length in (30, 4, 11)]
    engine.reserve(3)
    for slot, ids in enumerate(sequences):
        engine.prefill(range(slot, slot + 1), ids[:-8])
    rows = [engine.step(np.array([ids[t] for ids in sequences])) for t in range(-8, 0)]
    for slot, ids in enumerate(sequences):
        assert engine.length(slot) == len(ids)
        engine.reserve(1)
        prefill(engine, ids[:-8])
        alone = [engine.step(ids[t : t + 1] if t + 1 else ids[t:])[0] for t in range(-8, 0)]
        assert np.allclose([row[slot] for row in rows], alone, atol=1e-4)
        engine.reserve(3)
        for other, those in enumerate(sequences):
            engine.prefill(range(other, other + 1), those)


def test_slots_that_share_a_prefill_go_their_own_ways(engine: OnnxEngine) -> None:
    head, one, two = some_ids(9), *some_ids(2, seed=1)
    engine.reserve(4)
    engine.prefill(range(4), head)
    rows = engine.step(np.array([one, two, one, two]))
    assert np.allclose(rows[0], rows[2], atol=1e-4) and not np.allclose(rows[0], rows[1], atol=1e-3)
    assert np.allclose(rows[1], prefill(engine, np.append(head, two)), atol=1e-4)


def test_what_is_read_ahead_is_as_if_it_had_been_read_id_by_id(tiny_model: Path) -> None:
    # the float model: with 8 bits, a batch is quantised together
    check_read_ahead(OnnxEngine(tiny_model, threads=1))


@pytest.mark.parametrize("kept", [0, 5, 10])
def test_what_is_kept_is_not_read_again(tiny_model: Path, kept: int) -> None:
    engine = OnnxEngine(tiny_model, threads=1)
    old, new = some_ids(20), some_ids(12, seed=1)
    new[:kept] = old[:kept]
    exact = prefill(engine, new)
    prefill(engine, old)
    engine.reread(0, new[:-1], kept)
    assert engine.length(0) == 11
    assert np.allclose(engine.step(new[-1:])[0], exact, atol=1e-4)


def test_no_more_is_read_ahead_than_fits(engine: OnnxEngine) -> None:
    engine.reserve(1)
    engine.prefill(range(1), some_ids(engine.context - 5))
    with pytest.raises(ValueError, match="6 more ids do not fit the context"):
        engine.extend(0, some_ids(6))
    engine.extend(0, some_ids(5))
    assert engine.length(0) == engine.context


def test_a_moved_sequence_goes_on_where_it_was(engine: OnnxEngine) -> None:
    short, long = some_ids(6), some_ids(20, seed=1)
    engine.reserve(2)
    engine.prefill(range(1), short)
    engine.prefill(range(1, 2), long[:-1])
    engine.move(1, 0)
    assert engine.length(0) == 19
    moved = engine.step(long[-1:])
    assert np.allclose(moved[0], prefill(engine, long), atol=1e-4)


def test_a_prefill_forgets_what_was_before(engine: OnnxEngine) -> None:
    ids = some_ids(9)
    first = prefill(engine, ids)
    engine.step(ids[3:4])
    prefill(engine, some_ids(30, seed=1))
    assert np.array_equal(first, prefill(engine, ids))


def test_the_whole_context_can_be_read(engine: OnnxEngine) -> None:
    ids = some_ids(engine.context)
    last = prefill(engine, ids)
    prefill(engine, ids[:-1])
    assert np.allclose(last, engine.step(ids[-1:])[0], atol=1e-4)
    with pytest.raises(ValueError, match="do not fit"):
        engine.step(ids[-1:])
    with pytest.raises(ValueError, match="do not fit"):
        prefill(engine, some_ids(engine.context + 1))


def test_logits_are_for_music_ids_only(engine: OnnxEngine) -> None:
    vocabulary = json.loads((DATA / "tiny_model" / "vocabulary.json").read_text())
    logits = prefill(engine, some_ids(3))
    assert logits.shape == (len(vocabulary),)
    assert logits.dtype == np.float32


def test_eight_bits_are_close_to_full_precision() -> None:
    ids = some_ids(20)
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
         "vocabulary.json", "tokenizer.json", "remi.json", "sequence.json")  # fmt: skip


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def test_those_are_the_files_of_a_model(tiny_model: Path) -> None:
    assert sorted(FILES) == sorted(file.name for file in tiny_model.iterdir())


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_said_when_the_model_is_loaded(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(TextMusicError, match=r"not a complete textmusic model.*download it again"):
        TextToMusic.from_pretrained(copy, threads=1)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_truncated_file_is_said_when_the_model_is_loaded(
    copy: Path, name: str, share: float
) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(TextMusicError, match=r"not a complete textmusic model.*download it again"):
        TextToMusic.from_pretrained(copy, threads=1)


@pytest.mark.parametrize("content", ["[]", "{}", '"x"', '{"format": "1"}', "\xff"])
def test_a_config_of_something_else_is_no_model(copy: Path, content: str) -> None:
    (copy / "textmusic.json").write_text(content, encoding="latin-1")
    with pytest.raises(TextMusicError, match="not a complete textmusic model"):
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
        with pytest.raises(TextMusicError, match="not a complete textmusic model"):
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


def test_a_model_that_runs_reports_nothing_home(tmp_path: Path) -> None:
    """onnxruntime's telemetry would leave this machine's number, and what it sends, in HOME."""
    code = "import sys, textmusic; textmusic.TextToMusic.from_pretrained(sys.argv[1])"
    command = [sys.executable, "-c", code, str(DATA / "tiny_model")]
    # of its own: the environment of a test run may switch it off
    environment = {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(command, env=environment, check=True)
    assert not list(tmp_path.rglob("*"))


# Folders whose files do not belong together -------------------------------------------------------


def refused(folder: Path, said: str = "not a complete textmusic model") -> None:
    with pytest.raises(TextMusicError, match=said):
        TextToMusic.from_pretrained(folder, threads=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("context", 1e12), ("context", 10**12), ("context", -5), ("context", 0), ("context", 8),
     ("context", 1_089), ("context", True), ("kv_heads", 10**6), ("kv_heads", 2),
     ("head_width", 17), ("head_width", 8), ("head_width", 64), ("offset", 299), ("offset", "300")],
)  # fmt: skip
def test_sizes_that_the_graph_does_not_have_are_refused(copy: Path, name: str, value: Any) -> None:
    config = json.loads((copy / "textmusic.json").read_text())
    (copy / "textmusic.json").write_text(json.dumps(config | {name: value}))
    refused(copy)


@pytest.mark.parametrize("name", ["textmusic.json", "vocabulary.json", "remi.json"])
def test_files_that_are_nested_without_end_are_refused(copy: Path, name: str) -> None:
    (copy / name).write_text("[" * 100_000)
    refused(copy)


@pytest.mark.parametrize(
    "change",
    [lambda rows, scale: (rows[:1], scale[:1]), lambda rows, scale: (rows[:, :-1], scale),
     lambda rows, scale: (rows[:, :0], scale), lambda rows, scale: (rows.reshape(-1), scale),
     lambda rows, scale: (rows.astype(np.float32), scale), lambda rows, scale: (rows, scale[:0]),
     lambda rows, scale: (rows, scale[:, 0]), lambda rows, scale: (rows, scale * np.nan)],
    ids=["one row", "narrow", "no width", "one dimension", "floats", "no scale", "flat", "NaN"],
)  # fmt: skip
def test_embeddings_of_other_shapes_are_refused(copy: Path, change: Any) -> None:
    from safetensors.numpy import load_file, save_file

    file = copy / "embeddings.safetensors"
    found = load_file(file)
    rows, scale = change(found["quantised"], found["scale"])
    save_file({"quantised": np.ascontiguousarray(rows), "scale": np.ascontiguousarray(scale)}, file)
    refused(copy)


def test_weights_that_are_no_numbers_are_refused(copy: Path) -> None:
    file = copy / "model.onnx.data"
    weights = np.frombuffer(file.read_bytes(), dtype=np.float32).copy()
    weights[:] = np.nan
    file.write_bytes(weights.tobytes())
    refused(copy, "its weights give no numbers")


@pytest.mark.bundled
def test_the_graph_of_another_model_is_refused(copy: Path) -> None:
    bundled = Path(str(resources.files("textmusic") / "bundled"))
    for name in ("model.onnx", "model.onnx.data"):
        shutil.copy(bundled / name, copy / name)
    refused(copy)
