"""Which recordings are refused: speech, drums and mixes with drums should be, others should not.

    python training/judge_refusals.py --data data/prepared --split valid --rows rows.jsonl

Ten seconds each: pieces played and hummed, drums alone, bands with their drums softer and softer
and without, and speech by espeak-ng. Each row keeps the traits of a recording, so that the rules
in `traits` can be fitted on the training split. Run it again to continue.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import fit_note_judge
import numpy as np
import soundfile
import soxr
from fit_note_judge import RATE, TICKS, Floats, Wave, as_hummed, excerpts, noisy, recording

from textmusic.corpus.windows import Window, read_windows
from textmusic.music.notes import Notes, notes_of, to_score
from textmusic.music.theory import DRUMS
from textmusic.sound.render import render
from textmusic.system.scripts import ended
from textmusic.tokens.tokenizer import Tokenizer
from textmusic.transcription.activations import RATE as HEARD_RATE
from textmusic.transcription.traits import Traits, refusal
from textmusic.transcription.transcribing import levelled, listened

SECONDS = 10.0
SPOILT = (
    "clean", "clean", "noise 20 dB", "clean", "noise 10 dB", "reverb", "timing", "detuned",
)  # fmt: skip
SOFTER = (0, 10, 20)  # decibels by which the drums are below the rest
# Voices and texts of one split are not those of the other.
SPOKEN = {
    "train": {
        "en": "The weather will be dry in the south tomorrow, with a light wind from the west and"
        " some cloud in the evening. Please remember to bring the keys and close the window before"
        " you leave the house.",
        "cmn": "明天南方天气晴朗，有微风，傍晚多云。请记得带钥匙，出门前把窗户关好。"
        "今天下午三点我们在图书馆门口见面。",
        "de": "Morgen bleibt es im Süden trocken, am Abend ziehen einige Wolken auf. Bitte denk"
        " daran, den Schlüssel mitzunehmen und das Fenster zu schließen.",
    },
    "valid": {
        "en": "I would like to hear something slow, perhaps with a piano and a cello, that begins"
        " softly and becomes louder towards the end. Well, one two three, is this thing on? Let us"
        " try it once again from the top.",
        "cmn": "我想听一首慢一点的曲子，也许有钢琴和大提琴，开头很轻，后面越来越响。"
        "一二三，听得到吗？我们从头再来一遍吧。",
        "fr": "Je voudrais écouter quelque chose de lent, peut-être avec un piano et un"
        " violoncelle. Un, deux, trois, est-ce que ça marche? Recommençons depuis le début,"
        " s'il vous plaît.",
        "es": "Me gustaría escuchar algo lento, quizás con un piano y un violonchelo, que empiece"
        " suave. Uno, dos, tres, ¿funciona esto? Vamos a intentarlo otra vez.",
        "yue": "我想聽一首慢少少嘅曲，開頭好輕，後面越來越響。一二三，聽唔聽到？",
    },
}
SPEAKERS = {
    "train": ("", "+m1", "+f1", "+m3", "+f3"),
    "valid": ("", "+m2", "+f2", "+m4", "+f4", "+croak", "+whisper", "+m7", "+f5"),
}
# id, kind, how it is spoilt or spoken, and what makes its sound at `RATE`
Clip = tuple[str, str, str, Callable[[], Wave]]


def spoken(split: str, each: int) -> Iterator[Clip]:
    """Speech of several voices, tempi and pitches, half of it in noise."""
    rng = random.Random(3)
    languages, speakers = list(SPOKEN[split]), SPEAKERS[split]
    for n in range(each):
        language = languages[n % len(languages)]
        speaker = speakers[n // len(languages) % len(speakers)]
        voice = {"fr": "fr-fr"}.get(language, language)
        if language == "en":
            voice = rng.choice(["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp"])
        speed, pitch = rng.choice([110, 140, 165, 190, 220]), rng.choice([20, 35, 50, 65, 80])
        noise = [None, None, 20.0, 10.0][n % 4]
        said = ["-v", voice + speaker, "-s", str(speed), "-p", str(pitch), SPOKEN[split][language]]

        def sound(said: list[str] = said, noise: float | None = noise, seed: int = n + 1) -> Wave:
            spoke = subprocess.run(
                ["espeak-ng", "--stdout", *said], capture_output=True, check=True
            )
            audio, rate = soundfile.read(io.BytesIO(spoke.stdout), dtype="float32")
            audio = soxr.resample(audio, rate, RATE)[: int(SECONDS * RATE)]
            return noisy(audio, noise, np.random.default_rng(seed)) if noise else audio

        yield f"speech{n}", "speech", " ".join(said[:-1]), sound


def drummed(data: Path, split: str, each: int, second: Path | None) -> Iterator[Clip]:
    """Drums alone, and bands with and without theirs."""
    tokenizer = Tokenizer(data / "tokenizer")
    windows = read_windows(data / f"{split}.parquet")
    random.Random(7).shuffle(windows)
    seen: Counter[str] = Counter()
    alone, bands = [], []
    for window in windows:
        programs = window.plan.programs or ()
        if DRUMS not in programs:
            continue
        seen[window.piece] += 1
        if programs != (DRUMS,):
            bands.append((seen[window.piece], window))
        elif seen[window.piece] == 1:
            alone.append(window)
    for font in (None, second):
        for n, window in enumerate(alone[: -(-each // 2)]):
            rows = _cut(tokenizer, window, alone=True)
            if len(rows) >= 8:
                yield f"drums{n} {bool(font)}", "drums", "", lambda r=rows, f=font: _played(r, f)
    bands.sort(key=lambda pair: pair[0])  # another window of a piece only after all pieces
    found = 0
    for n, (time_, window) in enumerate(bands):
        rows = _cut(tokenizer, window, alone=False) if time_ <= 2 else np.zeros((0, 5))
        drums = rows[:, 3] == DRUMS
        if drums.sum() < 8 or (~drums).sum() < 12:
            continue
        found += 1
        font = second if found % 2 else None
        for below in (*SOFTER, None):
            kind = "band without drums" if below is None else f"band, drums {below} dB softer"
            yield (
                f"band{n} {below}", kind, "",
                lambda r=rows, f=font, b=below: _mixed(r, f, b),
            )  # fmt: skip
        if found == min(each, 30):
            return


def _cut(tokenizer: Tokenizer, window: Window, *, alone: bool) -> Floats:
    """(N, 5) onset and end in seconds, pitch, program, velocity, from where the drums begin."""
    notes = notes_of(tokenizer.decode_score(window.ids, window.plan)).sorted()
    beat = 60 / (window.plan.tempo or 120.0)
    rows = np.stack(
        [notes.start * beat, notes.end * beat, notes.pitch, notes.program, notes.velocity], axis=1
    ).astype(float)
    first = rows[:, 0].min()
    if not alone:
        struck = rows[rows[:, 3] == DRUMS, 0]
        if not len(struck):
            return np.zeros((0, 5))
        first = max(first, struck.min() - 4.0)
    rows = rows[(rows[:, 0] >= first - 1e-6) & (rows[:, 0] < first + SECONDS - 0.5)]
    rows[:, :2] -= first - 0.25
    rows[:, 1] = np.minimum(rows[:, 1], SECONDS)
    return rows


def _played(rows: Floats, font: Path | None) -> Wave:
    start, end, pitch, program, velocity = rows.T
    columns = Notes(
        start * 2, (end - start) * 2, *(a.astype(np.int64) for a in (pitch, velocity, program))
    )
    score = to_score(columns, "4/4", 120.0, TICKS)
    return render(score, soundfont=font, sample_rate=RATE).mean(axis=0)


def _mixed(rows: Floats, font: Path | None, below: int | None) -> Wave:
    """The band, its drums so many decibels (of their means) below the rest; None: without."""
    drums = rows[:, 3] == DRUMS
    rest = _played(rows[~drums], font)
    if below is None:
        return rest
    struck = _played(rows[drums], font)
    length = max(len(rest), len(struck))
    rest, struck = (np.pad(a, (0, length - len(a))) for a in (rest, struck))
    level = np.sqrt(np.mean(rest**2) / max(float(np.mean(struck**2)), 1e-12))
    return np.asarray(rest + struck * level * 10 ** (-below / 20), dtype=np.float32)


def pitched(data: Path, split: str, each: int, second: Path | None) -> Iterator[Clip]:
    """What is to be written down: melodies, pianos, guitars, hums, most of them clean."""
    melodies = []
    for n, played in enumerate(excerpts(data, split, each, seed=5)):
        if played.kind == "ensemble":
            break
        if played.kind == "melody":
            melodies.append(played)
        how, font = SPOILT[n % len(SPOILT)], second if n // 2 % 2 else None
        fonts = {"": font}
        if played.kind != "melody":  # of which there are fewer pieces
            fonts[" again"] = None if font else second
        for again, font in fonts.items():
            yield (
                f"{played.kind}{n}{again}", played.kind, how,
                lambda p=played, h=how, f=font, s=n: recording(p, h, f, s)[0],
            )  # fmt: skip
    for n, played in enumerate(melodies):
        hum, how = as_hummed(played), SPOILT[n % len(SPOILT)]
        if len(hum.notes) >= 8:
            yield (
                f"hummed{n}", "hummed", how,
                lambda p=hum, h=how, s=n: recording(p, h, None, s)[0],
            )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="A prepared corpus.")
    parser.add_argument(
        "--split", choices=tuple(SPOKEN), default="valid", help="What pieces are of."
    )
    parser.add_argument("--each", type=int, default=60, help="Recordings of each kind, at most.")
    parser.add_argument("--soundfont", type=Path, help="The second one.")
    parser.add_argument("--rows", type=Path, required=True, help="Where traits are kept.")
    parser.add_argument("--minutes", type=float, default=1e9, help="Stop after so long.")
    options = parser.parse_args(argv)
    fit_note_judge.SECONDS = SECONDS  # of its excerpts
    until = time.monotonic() + 60 * options.minutes
    rows = []
    if options.rows.exists():
        rows = [json.loads(line) for line in options.rows.read_text("utf-8").splitlines()]
    done = {row["id"] for row in rows}
    which = (options.data, options.split, options.each, options.soundfont)
    with options.rows.open("a", encoding="utf-8") as file:
        for clips in (spoken(options.split, options.each), drummed(*which), pitched(*which)):
            for name, kind, how, sound in clips:
                if name in done:
                    continue
                if time.monotonic() > until:
                    print("stopped; run it again to continue")
                    return
                heard = soxr.resample(sound().astype(np.float32), RATE, HEARD_RATE)
                traits = listened(levelled(heard.astype(np.float32))).traits
                rows.append({"id": name, "kind": kind, "how": how, "traits": asdict(traits)})
                file.write(json.dumps(rows[-1], ensure_ascii=False) + "\n")
                file.flush()
    report(rows)


def report(rows: Sequence[dict[str, object]]) -> None:
    """Print how many of each kind are refused, and why."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        why = refusal(Traits(**row["traits"]))  # type: ignore[arg-type]
        counts[str(row["kind"])]["" if why is None else str(why).partition(",")[0]] += 1
    for kind, found in counts.items():
        refused = found.total() - found[""]
        why = ", ".join(f"{n} '{said}'" for said, n in found.most_common() if said)
        print(f"{kind:28} {refused:3} of {found.total():3} refused {why}")


if __name__ == "__main__":
    sys.exit(ended(main, "judge_refusals.py"))
