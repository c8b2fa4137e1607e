"""How a run writes its sequences: as its base, its data or its config says, and so to its end."""

from __future__ import annotations

from pathlib import Path

import pytest
from interleaving import plain_copy

pytest.importorskip("torch", reason="needs the train extra")

from textmusic.errors import TextMusicError
from textmusic.learning import checkpoint
from textmusic.learning.config import RecurrentShape, RunConfig
from textmusic.learning.runs import tokenizer_for
from textmusic.tokens.tokenizer import Tokenizer, copy_tokenizer

pytestmark = pytest.mark.train


@pytest.fixture
def bases(tiny_model: Path, tmp_path: Path) -> dict[bool, Path]:
    """A model of each kind, by whether its sequences are interleaved."""
    return {True: tiny_model, False: plain_copy(tiny_model, tmp_path / "plain")}


@pytest.mark.parametrize("of_data", [True, False])
@pytest.mark.parametrize("of_base", [True, False, None])
@pytest.mark.parametrize("asked", [True, False, None])
def test_the_config_wins_over_the_base_and_the_base_over_the_data(
    bases: dict[bool, Path], tmp_path: Path, of_data: bool, of_base: bool | None, asked: bool | None
) -> None:
    base = None if of_base is None else str(bases[of_base])
    config, data = RunConfig(base=base, interleaved=asked), Tokenizer(bases[of_data])
    wanted = next(said for said in (asked, of_base, of_data) if said is not None)
    made = tokenizer_for(config, data, tmp_path / "run")
    assert made.interleaved == wanted and made.vocabulary == data.vocabulary
    assert made.folder == tmp_path / "run" / "tokenizer"
    other = Tokenizer(bases[not of_data])
    again = tokenizer_for(RunConfig(base=base), other, tmp_path / "run")
    assert again.interleaved == wanted, "data that were prepared again change nothing"
    with pytest.raises(TextMusicError, match=r"was begun with.* the sketch's rows in the score;"):
        tokenizer_for(RunConfig(base=base, interleaved=not wanted), data, tmp_path / "run")


def test_a_run_that_an_earlier_version_began_goes_on_as_it_was(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    run, branch = tmp_path / "run", tmp_path / "branch"
    run.mkdir()
    (run / checkpoint.FILE).touch()
    assert tokenizer.interleaved
    assert not tokenizer_for(RunConfig(), tokenizer, branch, decay_from=run).interleaved
    assert not tokenizer_for(RunConfig(), tokenizer, run).interleaved


@pytest.mark.parametrize("interleaved", [True, False])
def test_a_branch_writes_as_the_run_does(
    tokenizer: Tokenizer, tmp_path: Path, interleaved: bool
) -> None:
    run = tmp_path / "run"
    tokenizer_for(RunConfig(interleaved=interleaved), tokenizer, run)
    (run / checkpoint.FILE).touch()
    made = tokenizer_for(RunConfig(), tokenizer, tmp_path / "branch", decay_from=run)
    assert made.interleaved == interleaved


def test_an_adapter_writes_as_its_base_does(
    bases: dict[bool, Path], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    config = RunConfig(base=str(bases[False]), lora=4)
    assert not tokenizer_for(config, tokenizer, tmp_path / "one").interleaved
    config = RunConfig(base=str(bases[False]), lora=4, interleaved=True)
    with pytest.raises(TextMusicError, match=r"an adapter .* leave out --interleaved, or --lora"):
        tokenizer_for(config, tokenizer, tmp_path / "two")
    assert not (tmp_path / "two" / "tokenizer").exists()


@pytest.mark.parametrize("interleaved", [True, False])
def test_a_recurrent_model_has_a_text_tokenizer_of_its_own(
    tokenizer: Tokenizer, tmp_path: Path, interleaved: bool
) -> None:
    data = tokenizer
    if not interleaved:
        copy_tokenizer(tokenizer.folder, tmp_path, interleaved=False)
        data = Tokenizer(tmp_path)
    made = tokenizer_for(RunConfig(recurrent=RecurrentShape()), data, tmp_path / "run")
    assert made.interleaved == interleaved == data.interleaved
    assert (made.folder / "captions.model").exists() and made.offset != data.offset
