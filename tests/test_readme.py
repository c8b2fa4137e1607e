"""README.md: short, and what it tells people to type works as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from documented import BY_CI, ROOT, TINY, commands, run, run_python, walk, with_corpora
from recordings import TUNE, hummed, saved

from textmusic.music.midi_files import read_score
from textmusic.music.notes import notes_of

README = (ROOT / "README.md").read_text(encoding="utf-8")
TRAINING = {
    "textmusic prepare my-music/ -o my-data/": f" --base {TINY} --longest 900",
    "textmusic train my-data/ -o my-tuned/": f" --base {TINY} --max-steps 2 --pieces 2",
    'textmusic generate "calm piano" --model my-tuned/ -o out/': " --bars 2",
}
HEARING = {
    "textmusic transcribe hum.wav -o out/": "",
    "textmusic harmonise hum.wav -o out/": f" --model {TINY}",
    "textmusic continue hum.wav -o out/": f" --model {TINY} --bars 2",
}


def test_every_command_is_known_here() -> None:
    here = {"python app.py", *HEARING, *TRAINING}  # app.py: see test_app.py
    assert set(commands(README)) == (BY_CI & set(commands(README))) | here


def test_its_two_commands_stay() -> None:
    assert {
        'pip install . && textmusic generate "calm piano in D minor" -o out/',
        "pip install '.[test]' && pytest",
    } <= set(commands(README))


def test_it_fits_on_two_pages() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.bundled
def test_the_python_example_runs(tmp_path: Path) -> None:
    (said,) = run_python(README, tmp_path)
    assert len(said.split()) == 4, "two keys, such as 'D minor D minor'"
    assert len(list((tmp_path / "out").iterdir())) == 4


@pytest.mark.bundled
def test_the_card_of_the_bundled_model_names_its_licences(tmp_path: Path) -> None:
    card = run("textmusic info", tmp_path)
    assert "CC-BY-4.0" in card and "held-out" in card.lower()


@pytest.mark.slow
def test_a_hum_is_written_down_harmonised_and_continued(tmp_path: Path) -> None:
    pytest.importorskip("swift_f0", reason="needs the audio-in extra (swift-f0)")
    saved(hummed(), tmp_path / "hum.wav")
    heard, harmonised, continued = walk(HEARING, tmp_path)
    assert "16 notes" in heard and "chords" in harmonised and "hum-continued" in continued
    made = {path.stem: path for path in (tmp_path / "out").glob("*.mid")}
    written, tune = notes_of(read_score(made["hum-transcribed"])), list(TUNE)
    assert written.pitch.tolist() == tune
    for name, more in made.items():
        pitches = notes_of(read_score(more)).sorted().pitch.tolist()
        assert set(tune) <= set(pitches) and (len(pitches) > 16) is (name != "hum-transcribed")


@pytest.mark.train
def test_three_commands_train_a_model_that_the_example_compares(tmp_path: Path) -> None:
    with_corpora(tmp_path)
    walk(TRAINING, tmp_path)
    assert {p.suffix for p in (tmp_path / "out").iterdir()} == {".mid", ".wav", ".json", ".svg"}
    compare = "python examples/compare.py 'calm piano, 2 bars' --model my-tuned/ -o compared/"
    said = run(f"{compare} --base {TINY}", tmp_path)
    assert "tempo: " in said and len(list((tmp_path / "compared").glob("*.mid"))) == 2
