"""Learning to prefer: pairs as ids, the loss by hand, a run that goes on, an adapter that loads."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the train extra")

import numpy as np
import torch
from documented import DATA
from judged import database, written
from tiny_run import losses

from textmusic.cli.main import main
from textmusic.errors import TextMusicError
from textmusic.feedback.preferences import read_preferences
from textmusic.feedback.thumbs import Thumbs
from textmusic.learning import preference
from textmusic.learning.pairs import TOO_LONG, batch, batches, encoded, grouped, split
from textmusic.learning.preference import Preferring, prefer
from textmusic.learning.proposal import Choices
from textmusic.models.export import open_llm
from textmusic.models.llm import with_lora
from textmusic.tokens.tokenizer import IGNORED
from textmusic.writing.decoding import decode, in_turn
from textmusic.writing.text_to_music import TextToMusic

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
torch.set_num_threads(1)
FOUR = ("calm piano", "happy piano", "sad piano", "slow piano")


@pytest.fixture(scope="module")
def tiny_model() -> Path:
    """The tiny model that training can start from."""
    return DATA / "tiny_model_int8"


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> TextToMusic:
    """It, ready to write."""
    return TextToMusic.from_pretrained(tiny_model, threads=1)


@pytest.fixture(scope="module")
def voted(tiny: TextToMusic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of twelve pairs of the tiny model's pieces."""
    return database(tiny, tmp_path_factory.mktemp("voted"), prompts=FOUR)


@pytest.fixture(scope="module")
def pairs(tiny: TextToMusic, voted: Path) -> list[Any]:
    found, kept = encoded(read_preferences([voted]), tiny.tokenizer, 2048)
    assert len(found) == len(kept.pairs) == 12 and not kept.left_out
    return found


def choices(model: Path | str, **more: Any) -> Choices:
    return Choices(base=str(model), **{"steps": 6, "learning_rate": 3e-3, "rank": 4} | more)


# Pairs --------------------------------------------------------------------------------------------


def test_a_piece_is_spelt_id_for_id_as_it_was_written(tiny: TextToMusic, tmp_path: Path) -> None:
    path = database(tiny, tmp_path, prompts=("calm piano",), pieces=2)
    (pair,) = encoded(read_preferences([path]), tiny.tokenizer, 2048)[0]
    for seed, example in enumerate((pair.chosen, pair.rejected)):
        take = tiny.take(tiny.understand("calm piano, 2 bars"), seed)
        for _ in decode(tiny.engine, in_turn([take]), 1):
            pass
        assert example.ids.tolist() == take.ids
        text = len(take.text) - 1  # <|plan|> is the last of it
        counted = example.labels != IGNORED
        assert counted.sum() == len(take.ids) - text - 1, "all music behind <|plan|>"
        assert not counted[:text].any(), "never on text"


def test_pairs_that_are_too_long_are_left_out(tiny: TextToMusic, voted: Path) -> None:
    found, kept = encoded(read_preferences([voted]), tiny.tokenizer, 10)
    assert not found and not kept.pairs and kept.left_out == {TOO_LONG: 12}


def test_what_is_held_out_is_of_other_prompts(pairs: list[Any]) -> None:
    learnt, held_out = split(pairs)
    assert len(learnt) + len(held_out) == 12 and len(held_out) == 3
    assert not {p.prompt for p in learnt} & {p.prompt for p in held_out}
    one = [replace(pair, prompt=0) for pair in pairs]
    assert len(split(one)[1]) == 2, "of one prompt single pairs are held out"


def test_every_pass_has_every_pair_once(pairs: list[Any]) -> None:
    tokens = 4 * max(pair.length for pair in pairs)
    count = len(grouped(pairs, tokens))
    margins = [float(i) for i in range(len(pairs))]
    feed = batches(pairs, margins, tokens, seed=1)
    for _ in range(2):
        seen = [m for _ in range(count) for m in next(feed)["margins"].tolist()]
        assert sorted(seen) == margins
    later = batches(pairs, margins, tokens, seed=1, skip=2 * count)
    assert np.array_equal(next(later)["ids"], next(feed)["ids"])


# The loss -----------------------------------------------------------------------------------------


def test_the_loss_by_hand(tiny_model: Path, pairs: list[Any]) -> None:
    torch.manual_seed(0)
    model = Preferring(with_lora(open_llm(tiny_model), 4), beta=0.1)
    one = pairs[0]
    with torch.no_grad():
        likelihoods = []
        for example in (one.chosen, one.rejected):
            ids = torch.from_numpy(example.ids)[None]
            logp = torch.log_softmax(model.llm.logits(ids)[0].float(), dim=-1)
            places = np.flatnonzero(example.labels != IGNORED)
            likelihoods.append(sum(float(logp[t, example.labels[t]]) for t in places))
        made = batch([one, one], [likelihoods[0] - likelihoods[1], 0.0])
        given = [torch.from_numpy(made[name]) for name in ("ids", "labels", "margins")]
        got, learning = model.eval()(*given), model.train()(*given)
    # the base itself: log 2; and against a reference that finds both alike
    by_hand = math.log(2) + math.log(1 + math.exp(-0.1 * (likelihoods[0] - likelihoods[1])))
    assert float(got) == pytest.approx(by_hand, rel=1e-4)
    # while it learns, the preferred piece's own loss an id is added, once for each pair
    an_id = -likelihoods[0] / (one.chosen.labels != IGNORED).sum()
    assert float(learning) == pytest.approx(by_hand + 2 * an_id, rel=1e-4)


# Runs ---------------------------------------------------------------------------------------------


def test_the_preferred_gain_and_the_adapter_loads(
    tiny_model: Path, voted: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    out = tmp_path / "my-taste"
    learnt = prefer([voted], out, choices(tiny_model, steps=90), tell=said.append)
    assert said[0] == "12 pairs on 4 prompts"
    assert learnt is not None and learnt.before == pytest.approx(math.log(2), abs=1e-3)
    first, last = losses(out / "run")[0], min(losses(out / "run")[-5:])
    assert first > math.log(2) and last < first - 0.1, "with the preferred pieces' own loss"
    assert {
        "adapter_config.json",
        "adapter_model.safetensors",
        "base.json",
        "README.md",
        "run",
    } == {file.name for file in out.iterdir()}
    music = TextToMusic.from_pretrained(out, threads=1)
    assert music.generate("calm piano, 2 bars", seed=1).report.model == "my-taste"


def test_a_run_that_was_stopped_comes_to_the_same(
    tiny_model: Path, voted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    wanted = choices(tiny_model)
    prefer([voted], whole, wanted)
    original = preference.batches

    def stopping(*args: Any, **options: Any) -> Any:
        for number, made in enumerate(original(*args, **options)):
            if number == 3:
                raise KeyboardInterrupt
            yield made

    monkeypatch.setattr(preference, "batches", stopping)
    with pytest.raises(KeyboardInterrupt):
        prefer([voted], cut, wanted)
    monkeypatch.setattr(preference, "batches", original)
    monkeypatch.setattr(preference, "tracked", None)  # the base is not scored again
    assert 0 < len(losses(cut / "run")) < 6
    prefer([voted], cut, Choices())
    for kind in ("loss", "held_out"):
        assert losses(cut / "run", kind) == losses(whole / "run", kind)
    file = "adapter_model.safetensors"
    assert (cut / file).read_bytes() == (whole / file).read_bytes()


def test_a_run_goes_on_with_what_it_was_begun_with_alone(
    tiny: TextToMusic, tiny_model: Path, voted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "my-taste"
    prefer([voted], out, choices(tiny_model, steps=1))
    for wrong, more in ((choices(tiny_model, rank=8), {}), (Choices(), {"beta": 0.5})):
        with pytest.raises(TextMusicError, match=r"has a run that started with .*; choose another"):
            prefer([voted], out, wrong, **more)
    other = database(tiny, tmp_path / "other", prompts=(*FOUR[:3], "fast piano"))
    with pytest.raises(TextMusicError, match="started with other votes"):
        prefer([other], out, Choices())
    (out / "run" / "settings.json").write_text(json.dumps({"base": 1}))
    with pytest.raises(TextMusicError, match="to start over"):
        prefer([voted], out, Choices())


def test_thumbs_are_learnt_from_too(tiny: TextToMusic, tiny_model: Path, tmp_path: Path) -> None:
    thumbs = Thumbs(tmp_path / "thumbs.sqlite")
    for number, file in enumerate(written(tiny, tmp_path / "pieces", "calm piano", range(7))):
        thumbs.add(file, number < 3)
    said: list[str] = []
    prefer([thumbs.path], tmp_path / "my-taste", choices(tiny_model, steps=1), tell=said.append)
    assert said[0] == "12 pairs on 1 prompt"


# What can't be learnt from ------------------------------------------------------------------------


def told(capsys: pytest.CaptureFixture[str], *command: object) -> str:
    """The sentence that a command ends with."""
    assert main([str(part) for part in command]) == 2
    return capsys.readouterr().err


def test_what_is_wrong_is_one_sentence(
    tiny: TextToMusic, tiny_model: Path, voted: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "my-taste"
    few = database(tiny, tmp_path / "few", prompts=FOUR[:3])
    said = told(capsys, "prefer", few, "-o", out, "--model", tiny_model)
    assert "there are 9 pairs to learn from, fewer than 10; listen to more pieces." in said
    other = shutil.copytree(tiny_model, tmp_path / "other")
    said = told(capsys, "prefer", voted, "-o", out, "--model", other)
    assert "0 pairs to learn from, fewer than 10; name that model with --model" in said
    said = told(capsys, "prefer", tmp_path / "gone", "-o", out, "--model", tiny_model)
    assert "can't be read as votes (No such file or directory); give a database" in said
    gan, lstm = tmp_path / "gan", shutil.copytree(tiny_model, tmp_path / "lstm")
    gan.mkdir()
    (gan / "gan.json").write_text("{}")
    about = json.loads((lstm / "textmusic.json").read_text())
    del about["llm"]
    (lstm / "textmusic.json").write_text(json.dumps(about | {"architecture": "recurrent"}))
    for model in (gan, lstm):
        said = told(capsys, "prefer", voted, "-o", out, "--model", model)
        assert f"'{model}' is not a language model that writes music" in said
        assert "give one with --model." in said
    prefer([voted], tmp_path / "first", choices(tiny_model, steps=1))
    said = told(capsys, "prefer", voted, "-o", out, "--model", tmp_path / "first")
    assert "is an adapter; give its base with --model" in said
    assert not out.exists()
