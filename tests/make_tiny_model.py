"""Makes tests/data/tiny_model (fp32) and tiny_model_int8: random models of the real format.

    python tests/make_tiny_model.py        # needs the train extra

They are committed, so that the suite needs neither torch nor the bundled model. The weights are
small, so that sampling is close to uniform among what the grammar allows: the widest test of it.
One thing is tuned: bar lines are likelier than other ids, or else pieces would be as dense as the
grammar lets them be. Every model folder here has the same text tokenizer and music vocabulary.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

DATA = Path(__file__).parent / "data"
CONTEXT = 1088  # what the bundled model has
HIDDEN, HEADS, KV_HEADS, LAYERS = 32, 2, 1, 2
# Enough text that common English words are one or two ids and every byte has one.
CORPUS = """a calm piano piece in D minor; a happy waltz for violin in A major, 3/4, 120 bpm
sad slow music for cello and piano; bars, measures, tempo, key, drums, guitar, bass, flute, trumpet
write a fast jazz tune; an energetic rock song with drums; a gentle lullaby; the string quartet
This romantic piece in Bb major features clarinet and feels melancholic, the tempo is 96 BPM."""


def make_tokenizer(folder: Path) -> list[str]:
    """Writes tokenizer.json, remi.json and vocabulary.json; returns the music vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    from textmusic.tokens.tokenizer import create_tokenizer

    text = Tokenizer(models.BPE())
    text.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    text.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    text.train_from_iterator(CORPUS.splitlines(), trainer)
    with tempfile.TemporaryDirectory() as work:
        file = Path(work) / "tokenizer.json"
        text.save(str(file))
        return list(create_tokenizer(file, folder).vocabulary)


def make_base(folder: Path, *, seed: int = 0) -> None:
    """A random Llama over the text vocabulary alone: what a pretrained base model looks like."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=300,
        hidden_size=HIDDEN,
        intermediate_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
        head_dim=HIDDEN // HEADS,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def likelier_bars(
    model: object, vocabulary: list[str], nats: float = 1.5, program: float = 0.0
) -> None:
    """Give bar lines and the end `nats` more than other ids, whatever came before.

    A share of every embedding row is the same constant, which the norms keep: what rows differ by
    in that column is a bias of the head. program: nats that the piano gets more.
    """
    import torch

    weight = model.lm.get_input_embeddings().weight  # type: ignore[attr-defined]
    offset = model.offset  # type: ignore[attr-defined]
    with torch.no_grad():
        weight[:, 0] = 0.1
        bars = [i + offset for i, t in enumerate(vocabulary) if t[:4] == "Bar_" or t == "<|end|>"]
        probe = torch.randint(offset, len(weight), (1, 32))
        before = model.logits(probe).mean()  # type: ignore[attr-defined]
        weight[bars, 0] += 0.1
        after = model.logits(probe)[..., [b - offset for b in bars]].mean()  # type: ignore[attr-defined]
        weight[bars, 0] = 0.1 + 0.1 * nats / float(after - before)
        piano = offset + vocabulary.index("Program_0")
        weight[piano, 0] = 0.1 + 0.1 * program / float(after - before)


def main() -> None:
    """Make both model folders anew."""
    from textmusic.models.export import export_onnx
    from textmusic.models.llm import new_llm

    with tempfile.TemporaryDirectory() as work:
        base = Path(work) / "base"
        vocabulary = make_tokenizer(base)
        make_base(base)
        model = new_llm(str(base), len(vocabulary))
        likelier_bars(model, vocabulary)
        for name, precision in (("tiny_model", "fp32"), ("tiny_model_int8", "int8")):
            shutil.rmtree(DATA / name, ignore_errors=True)
            export_onnx(model, DATA / name, base, name="tiny", precision=precision, context=CONTEXT)
            size = sum(file.stat().st_size for file in (DATA / name).iterdir())
            print(f"{DATA / name}: {size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
