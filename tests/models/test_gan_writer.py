"""GanWriter: whatever it writes is valid and as planned, and words are read as elsewhere."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
from gan_music import SHAPE, WALTZ, real_windows
from hypothesis import given, settings
from hypothesis import strategies as st
from random_music import programs_of_a_plan
from safetensors.torch import load_file, save_file
from symusic import Score

from textmusic.corpus.windows import Window, with_genre
from textmusic.errors import TextMusicError
from textmusic.evaluation.metrics import is_valid
from textmusic.language.controls import Controls
from textmusic.language.prompt import Prompt, read_prompt
from textmusic.models import gan_patches as p
from textmusic.models.gan import Gan, save_gan
from textmusic.models.gan_writer import GanWriter, plan_of
from textmusic.music.measure import measure
from textmusic.music.notes import notes_of
from textmusic.music.plan import GENRES, LEVELS, TEMPO_RANGE, Plan
from textmusic.music.theory import DRUMS, KEYS, NO_KEY, TIME_SIGNATURES, range_of
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.writing import batch
from textmusic.writing.jobs import read_jobs

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
torch.set_num_threads(1)


@pytest.fixture(scope="module")
def windows(
    tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> list[Window]:
    return real_windows(tokenizer, pieces, piece_rows)


complete_plans = st.builds(
    Plan,
    genre=st.none() | st.sampled_from(GENRES),
    valence=st.none() | st.sampled_from(LEVELS),
    arousal=st.none() | st.sampled_from(LEVELS),
    programs=programs_of_a_plan,
    key=st.sampled_from(KEYS),
    tempo=st.floats(*TEMPO_RANGE),
    time_signature=st.sampled_from(TIME_SIGNATURES),
    bars=st.integers(1, 12),
    density=st.none() | st.sampled_from(LEVELS),
    begin=st.just(True),
    end=st.just(True),
).map(lambda plan: replace(plan, key=NO_KEY) if plan.programs == (DRUMS,) else plan)


def writer_of(taste: float, spread: float = 1.0) -> GanWriter:
    """A random GAN. taste: below 0 it is silent, above it fills the roll. spread: of its logits."""
    gan = Gan(**SHAPE)
    with torch.no_grad():
        gan.generator.finish.bias.fill_(taste)
        gan.generator.finish.weight.mul_(spread)
    return GanWriter(gan, [WALTZ], "random")


def check(plan: Plan, score: Score) -> None:
    """What was asked came out, also after it was written to a file and read again."""
    read = Score.from_midi(score.dumps_midi())
    assert is_valid(score) and is_valid(read)
    got = measure(read)
    assert (got.bars, got.time_signature) == (plan.bars, plan.time_signature)
    assert got.programs == plan.programs
    assert got.tempo == pytest.approx(plan.tempo, abs=0.02)
    notes = notes_of(read)
    for channel in range(p.CHANNELS):
        ranges = [range_of(one) for one in plan.programs or () if p.channel_of(one) == channel]
        played = [
            pitch
            for pitch, program in zip(notes.pitch, notes.program, strict=True)
            if p.channel_of(int(program)) == channel
        ]
        assert all(any(low <= pitch <= high for low, high in ranges) for pitch in played)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(complete_plans, st.sampled_from([-9.0, -1.0, 0.0, 2.0]), st.integers(0, 2**31))
def test_whatever_it_writes_is_valid_and_as_planned(plan: Plan, taste: float, seed: int) -> None:
    check(plan, writer_of(taste, 5.0).generate(plan, seed))


@pytest.mark.parametrize("taste", [-20.0, 0.0, 20.0], ids=["silent", "undecided", "everything"])
@pytest.mark.parametrize(
    "changes",
    [
        {"programs": (DRUMS,), "key": NO_KEY},
        {"time_signature": "6/8", "bars": 5},
        {"programs": (*range(40, 54), DRUMS)},
        {"programs": tuple(range(15)), "time_signature": "3/8"},
        {"bars": 1, "time_signature": "4/2"},
        {"bars": 40},
    ],
    ids=str,
)
def test_plans_at_the_edge(changes: dict[str, Any], taste: float) -> None:
    for bars in {1, changes.get("bars", 1)}:
        plan = replace(WALTZ, **changes | {"bars": bars})
        check(plan, writer_of(taste).generate(plan, 3))


def test_the_same_seed_writes_the_same_and_another_one_does_not() -> None:
    writer = writer_of(-0.2, 50.0)
    one, two, other = (writer.generate(WALTZ, seed).dumps_midi() for seed in (1, 1, 2))
    assert one == two != other


# Words --------------------------------------------------------------------------------------------


def test_what_is_left_open_is_drawn_from_plans_like_what_is_asked(windows: list[Window]) -> None:
    rng = random.Random(0)
    plans = [with_genre(window, rng) for window in windows]
    plans.append(replace(WALTZ, genre="metal", programs=(30, DRUMS), bars=200, key="E minor"))
    dice = np.random.default_rng(1)
    plan = plan_of(read_prompt("metal in D minor"), plans, dice)
    assert (plan.genre, plan.key, plan.programs) == ("metal", "D minor", (30, DRUMS))
    assert plan.bars == 32 and plan.begin and plan.end
    assert plan_of(read_prompt("metal without drums"), plans, dice).programs == (30,)
    assert plan_of(read_prompt("30 seconds at 120 bpm in 4/4"), plans, dice).bars == 15
    drums = plan_of(read_prompt("drums only, in C major"), plans, dice)
    assert drums.programs == (DRUMS,) and drums.key == NO_KEY
    from_drums = plan_of(read_prompt("piano"), [replace(drums)], dice)
    assert from_drums.programs == (0,) and from_drums.key in KEYS
    for seed in range(20):
        sad = plan_of(read_prompt("a very sad tune"), plans, np.random.default_rng(seed))
        assert sad.valence is not None and sad.valence <= 2
        assert None not in [getattr(sad, name) for name in ("tempo", "density", "arousal")]
    nothing = Prompt("", Plan(), None, "", (), without=tuple(range(DRUMS + 1)))
    with pytest.raises(TextMusicError, match="allow at least one"):
        plan_of(nothing, plans, dice)


def test_chords_and_form_are_understood_as_elsewhere() -> None:
    """A GAN has no sketch to lay them in: they are read, and stay in the account as asked."""
    writer = writer_of(-1.0)
    outline = Controls(chords="Am F", form="AB").outline()
    prompt = writer.understand("sad waltz, 4 bars, chords C G", outline=outline)
    assert prompt.outline == outline and prompt.asked.bars == 4
    assert any("the control for chords is used instead" in note for note in prompt.unused)
    ((_, made),) = writer.complete([(prompt, 1)])
    rows = {row.field: row for row in made.report.rows}
    assert (rows["chords"].asked, rows["form"].asked) == ("Am F", "A B")
    for field in ("chords", "form"):
        assert (rows[field].planned, rows[field].measured, rows[field].ok) == ("", "", None)


def test_a_batch_of_prompts_is_written_with_its_reports(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("sad waltz for cello, 4 bars\ndrums, 2 bars\n")
    jobs = read_jobs(prompts)
    run_settings = batch.Settings(tmp_path / "out", ("mid", "json"))
    outcomes = list(batch.write(writer_of(-1.0), jobs, run_settings))  # type: ignore[arg-type]
    assert [outcome.problem for outcome in outcomes] == [None, None]
    report = json.loads((tmp_path / "out" / "0001.json").read_text())
    assert report["model"] == "random"
    assert report["planned"]["programs"] == report["measured"]["programs"] == [42]
    assert measure(Score(tmp_path / "out" / "0002.mid")).bars == 2


# Values and folders from outside ------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, -3, 1e9, float("nan"), float("inf"), True, "8"])
def test_a_length_out_of_range_is_refused_as_elsewhere(seconds: Any) -> None:
    with pytest.raises(TextMusicError, match=r"seconds .* (out of range|wrong type)"):
        writer_of(-1.0).understand("calm", seconds=seconds)
    assert writer_of(-1.0).understand("calm", seconds=20).seconds == 20


def test_controls_that_no_plan_can_have_are_refused() -> None:
    for plan in (Plan(tempo=1e9), Plan(bars=10**9), Plan(key="H major"), Plan(programs=(500,))):
        with pytest.raises(TextMusicError):
            writer_of(-1.0).understand("calm", controls=plan)


@pytest.fixture(scope="module")
def gan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gan")
    save_gan(Gan(**SHAPE), folder, [WALTZ])
    return folder


def refused(folder: Path, said: str = "") -> None:
    with pytest.raises(TextMusicError, match="is not a complete GAN") as problem:
        GanWriter.from_folder(folder)
    assert said in str(problem.value) and "\n" not in str(problem.value)
    assert str(problem.value).endswith("; train it again with training/configs/gan.json.")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("format",), 2, "not of format 1"),
        (("shape",), [4, 8], "has no width"),
        (("shape", "width"), 10**9, "no width from 1 to 512"),
        (("shape", "width"), 4.0, "no width from 1"),
        (("shape", "width"), True, "no width from 1"),
        (("shape", "width"), 8, "another shape in"),
        (("shape", "noise"), -1, "no noise from 1"),
        (("shape", "critic_steps"), 0, "no critic_steps from 1"),
        (("shape", "seed"), 1, "has no width"),
        (("plans",), {}, "no plans"),
        (("plans",), [], "no plans"),
        (("plans", 0), 7, "plans that are none"),
        (("plans", 0, "programs"), 7, "plans that are none"),
        (("plans", 0, "programs"), [], "without instruments"),
        (("plans", 0, "programs"), [500], "plans that are none"),
        (("plans", 0, "programs"), [[0]], "plans that are none"),
        (("plans", 0, "tempo"), 1e30, "out of range"),
        (("plans", 0, "tempo"), None, "without instruments, tempo"),
        (("plans", 0, "tempo"), "fast", "wrong type"),
        (("plans", 0, "bars"), 10**9, "out of range"),
        (("plans", 0, "bars"), None, "without instruments"),
        (("plans", 0, "key"), "H major", "not a valid key"),
        (("plans", 0, "time_signature"), "17/23", "not a valid time_signature"),
        (("plans", 0, "odd"), 1, "odd"),
    ],
    ids=str,
)
def test_a_folder_with_wrong_values_is_refused_in_a_sentence(
    place: tuple[Any, ...], value: Any, said: str, gan_folder: Path, tmp_path: Path
) -> None:
    about = json.loads((gan_folder / "gan.json").read_text())
    inside = about
    for name in place[:-1]:
        inside = inside[name]
    inside[place[-1]] = value
    shutil.copy(gan_folder / "model.safetensors", tmp_path)
    (tmp_path / "gan.json").write_text(json.dumps(about))
    refused(tmp_path, said)


def test_a_folder_that_is_not_whole_is_refused_in_a_sentence(
    gan_folder: Path, tmp_path: Path
) -> None:
    assert GanWriter.from_folder(gan_folder).plans == (WALTZ,)
    weights = load_file(gan_folder / "model.safetensors")
    name = "generator.finish.weight"
    bad = weights[name].clone()
    bad.view(-1)[0] = float("nan")
    for changed, said in (
        (weights | {name: bad}, f"no numbers in {name}"),
        (weights | {name: weights[name][:1].clone()}, f"another shape in {name}"),
        ({n: w for n, w in weights.items() if n != name}, f"lack {name}"),
        (weights | {"more": bad}, "have more"),
    ):
        shutil.copy(gan_folder / "gan.json", tmp_path)
        save_file(changed, tmp_path / "model.safetensors")
        refused(tmp_path, said)
    for file in ("gan.json", "model.safetensors"):
        for content in (None, b"", b"[]", b"null", b"[" * 100_000, b"\xff\xfe", bytes(64)):
            shutil.copytree(gan_folder, tmp_path, dirs_exist_ok=True)
            if content is None:
                (tmp_path / file).unlink()
            else:
                (tmp_path / file).write_bytes(content)
            refused(tmp_path)
