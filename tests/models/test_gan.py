"""The GAN: its losses against cases worked out by hand, its runs, and its folders."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

import torch
from gan_music import SHAPE, WALTZ, real_windows
from interrupted import train_two_steps

from textmusic.corpus.captions import Captioner
from textmusic.errors import TextMusicError
from textmusic.learning.config import GanShape, RunConfig, Training
from textmusic.learning.examples import Examples
from textmusic.learning.gan_runs import batches, held_out, some_plans, start_gan
from textmusic.learning.trainer import Run
from textmusic.models import gan_patches as p
from textmusic.models.gan import Gan, frechet, gradient_penalty, load_gan, mask_of, save_gan
from textmusic.models.gan_writer import GanWriter
from textmusic.music.theory import DRUMS
from textmusic.tokens.tokenizer import Tokenizer

pytestmark = [
    pytest.mark.train,
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]
torch.set_num_threads(1)
STEPS = Training(
    steps=4, tokens=8 * p.LENGTH, learning_rate=1e-3, warmup=0, weight_decay=0.0, clip=1000.0,
    evaluate_every=4, save_every=1, seed=1, bf16=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def examples(
    tokenizer: Tokenizer, pieces: list[Path], piece_rows: list[dict[str, Any]]
) -> Examples:
    return Examples(real_windows(tokenizer, pieces, piece_rows), tokenizer, Captioner())


def make_run(examples: Examples, folder: Path, training: Training = STEPS) -> Run:
    config = RunConfig(gan=GanShape(**SHAPE), held_out=4)
    return start_gan(config, training, examples, examples, folder)


def weights_of(net: torch.nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten().clone() for weight in net.parameters()])


def a_batch(examples: Examples) -> tuple[torch.Tensor, torch.Tensor]:
    first = next(batches(examples, tokens=8 * p.LENGTH, seed=1, windows=4))
    return torch.from_numpy(first["ids"]), torch.from_numpy(first["labels"])


# The nets -----------------------------------------------------------------------------------------


def test_the_mask_is_where_patches_are_not_padding() -> None:
    for metre, bars, programs in (("3/8", 5, (0,)), ("4/4", 4, (40, DRUMS)), ("12/8", 3, (33,))):
        plan = replace(WALTZ, time_signature=metre, bars=bars, programs=programs)
        roll = np.zeros((2, p.CHANNELS, p.total_steps(plan), p.PITCHES), dtype=bool)
        roll[:, [p.channel_of(program) for program in programs]] = True
        conditions = np.stack([p.condition(plan, i) for i in range(p.total_patches(plan))])
        mask = mask_of(torch.from_numpy(conditions)).numpy()
        assert np.array_equal(
            np.broadcast_to(mask, p.patches_of(roll, plan).shape), p.patches_of(roll, plan)
        )


def test_the_summary_tells_patches_apart(examples: Examples) -> None:
    patches = held_out(examples, 6)["ids"] > 0
    real = p.summary(patches)
    assert real.shape[1] == p.SUMMARY and np.isfinite(real).all()
    assert frechet(real, real) == 0
    silent, full = p.summary(np.zeros_like(patches)), p.summary(np.ones_like(patches))
    half = frechet(real[::2], real[1::2])
    assert 0 < 2 * half < frechet(real, silent) < frechet(silent, full) < 4


def test_the_penalty_of_a_linear_critic_is_its_slope_s() -> None:
    slope = torch.tensor([3.0, 4.0], requires_grad=True)
    real, fake = torch.zeros(5, 2), torch.ones(5, 2)
    penalty = gradient_penalty(lambda x: x @ slope, real, fake, torch.rand(5))
    assert penalty.item() == pytest.approx((5.0 - 1) ** 2)
    penalty.backward()  # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    assert slope.grad is not None
    assert slope.grad.tolist() == pytest.approx([2 * 4 * 3 / 5, 2 * 4 * 4 / 5])


def test_the_penalty_is_taken_between_real_and_fake() -> None:
    real, fake = torch.full((2, 1), 2.0), torch.zeros(2, 1)
    # the slope of x^2 / 2 is x: at a quarter and at the whole of the way, 0.5 and 2
    penalty = gradient_penalty(lambda x: x[:, 0] ** 2 / 2, real, fake, torch.tensor([0.25, 1.0]))
    assert penalty.item() == pytest.approx(((0.5 - 1) ** 2 + (2 - 1) ** 2) / 2)


def test_what_is_generated_is_binary_masked_and_has_a_gradient(examples: Examples) -> None:
    _, conditions = a_batch(examples)
    gan = Gan(**SHAPE)
    torch.nn.init.constant_(gan.generator.finish.bias, 0.0)
    made = gan.generator(torch.randn(len(conditions), 8), conditions)
    assert set(made.detach().round(decimals=4).unique().tolist()) == {0.0, 1.0}
    assert not made[~mask_of(conditions).expand_as(made)].any()
    onset, sounds = made.detach().chunk(2, dim=1)
    assert (sounds >= onset).all(), "what is struck sounds"
    made.sum().backward()
    assert gan.generator.start[0].weight.grad.abs().sum() > 0


def test_the_critic_does_not_see_padding(examples: Examples) -> None:
    patches, conditions = a_batch(examples)
    gan = Gan(**SHAPE)
    filled = torch.where(mask_of(conditions).expand_as(patches), patches, 1).float()
    assert torch.equal(gan.critic(patches.float(), conditions), gan.critic(filled, conditions))


@pytest.mark.slow
def test_the_generator_has_a_gradient_at_every_third_call_alone(examples: Examples) -> None:
    ids, labels = a_batch(examples)
    gan = Gan(**SHAPE)
    for call in range(5):
        gan.zero_grad(set_to_none=True)
        loss = gan(ids, labels)
        assert torch.isfinite(loss)
        loss.backward()
        has = [weight.grad is not None for weight in gan.generator.parameters()]
        assert all(has) if call % 3 == 0 else not any(has)
        assert all(weight.grad is not None for weight in gan.critic.parameters())


def test_the_generator_s_turn_changes_nothing_for_the_critic(examples: Examples) -> None:
    ids, labels = a_batch(examples)
    found = []
    for steps in (1, 2):  # at call 1 the generator has its turn, or has not
        gan = Gan(**SHAPE | {"critic_steps": steps})
        gan.calls += 1
        loss = gan(ids, labels)
        loss.backward()
        grads = [weight.grad for weight in gan.critic.parameters()]
        found.append((float(loss.detach()), torch.cat([g.flatten() for g in grads])))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    assert torch.allclose(found[0][1], found[1][1], rtol=1e-4)


# Runs ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_trains_both_nets_and_what_is_saved_writes_the_same(
    examples: Examples, tmp_path: Path
) -> None:
    run = make_run(examples, tmp_path)
    gan = run.plain
    before = weights_of(gan.generator), weights_of(gan.critic)
    best = run.train()
    after = weights_of(gan.generator), weights_of(gan.critic)
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(torch.isfinite(weights).all() for weights in after)
    assert 0 < best < float("inf")
    assert {file.name for file in (tmp_path / "best").iterdir()} == {
        "gan.json", "model.safetensors"
    }  # fmt: skip
    writer = GanWriter(gan, some_plans(examples, 5), "trained")
    again = GanWriter.from_folder(tmp_path / "best")
    assert again.name == "best"
    assert len(again.plans) == 1000
    assert again.generate(WALTZ, 7).dumps_midi() == writer.generate(WALTZ, 7).dumps_midi()


def test_the_critic_learns(examples: Examples, tmp_path: Path) -> None:
    longer = replace(STEPS, steps=30, evaluate_every=30, save_every=30, learning_rate=1e-2)
    make_run(examples, tmp_path, longer).train()
    figures = losses(tmp_path)
    assert len(figures) == 30 and np.isfinite(figures).all()
    assert np.mean(figures[-5:]) < np.mean(figures[:5]) - 0.5


def losses(folder: Path) -> list[float]:
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows if "loss" in row]


def test_an_interrupted_run_goes_on_with_the_identical_losses(
    examples: Examples, tmp_path: Path
) -> None:
    make_run(examples, tmp_path / "whole").train()
    first = make_run(examples, tmp_path / "parts")
    train_two_steps(first)
    second = make_run(examples, tmp_path / "parts", replace(STEPS, seed=1))
    assert second.step == 1, "that of step 2 had not been confirmed by a loss"
    second.train()
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


def test_the_config_describes_nets_and_a_mix() -> None:
    file = Path(__file__).parents[2] / "training" / "configs" / "gan.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    gan = Gan(**config["gan"])
    assert sum(weight.numel() for weight in gan.parameters()) < 3e6
    assert config["mix"] and config["held_out"]
    assert (config["training"]["beta1"], config["training"]["beta2"]) == (0.0, 0.9)


# Folders ------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_whole_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "gan"
    save_gan(Gan(**SHAPE), folder, [WALTZ])
    _, plans = load_gan(folder)
    assert plans == (WALTZ,)
    assert len(list(folder.iterdir())) == 2, "no partial files"
    weights = (folder / "model.safetensors").read_bytes()
    about = (folder / "gan.json").read_text()
    for name, content in (
        ("model.safetensors", weights[:-50]),
        ("model.safetensors", b""),
        ("gan.json", about[:-5].encode()),
        ("gan.json", about.replace('"width": 4', '"width": 5').encode()),
        ("gan.json", about.replace('"format": 1', '"format": 2').encode()),
        ("gan.json", about.replace('"programs"', '"players"').encode()),
        ("gan.json", json.dumps(json.loads(about) | {"plans": []}).encode()),
        ("gan.json", b"[]"),
    ):
        save_gan(Gan(**SHAPE), folder, [WALTZ])
        (folder / name).write_bytes(content)
        refused(folder)
    for name in ("model.safetensors", "gan.json"):
        save_gan(Gan(**SHAPE), folder, [WALTZ])
        (folder / name).unlink()
        refused(folder)
    refused(tmp_path / "nowhere")


def refused(folder: Path) -> None:
    with pytest.raises(TextMusicError) as caught:
        load_gan(folder)
    message = str(caught.value)
    assert message.startswith(f"'{folder}' is not a complete GAN (")
    assert message.endswith("train it again with training/configs/gan.json.")
    assert "\n" not in message
