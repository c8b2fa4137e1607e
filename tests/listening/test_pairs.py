"""Blind listening: pairs, their order, and the page through a real server."""

from __future__ import annotations

import json
import random
import shutil
import wave
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from listeners import MODELS, pair
from symusic import Note, Score, Track

from textmusic.cli.main import main
from textmusic.errors import TextMusicError
from textmusic.listening.pairs import Showing, Side, Sounds, next_pair, read_pairs
from textmusic.listening.votes import NO_DIFFERENCE, Votes
from textmusic.sound.loudness import TARGET, loudness

if TYPE_CHECKING:
    from gradio_client import Client

    from textmusic.writing.text_to_music import TextToMusic

PROMPTS = ('=HYPERLINK("http://x")', "calm piano", "<script>alert(1)</script>")


def write_midi(path: Path, pitch: int) -> None:
    score = Score(480)
    track = Track(program=0)
    track.notes.append(Note(0, 240, pitch, 90))
    score.tracks.append(track)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(score.dumps_midi())


def write_wav(path: Path, rate: int = 8000) -> None:
    from textmusic.sound.audio_files import write_audio

    write_audio(np.sin(np.arange(800, dtype=np.float32) / 9)[None] * 0.1, path, rate)


def write_prompts(path: Path, texts: tuple[str, ...] = PROMPTS) -> Path:
    lines = [json.dumps({"text": text, "bars": 4}) for text in texts]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def answered(folder: Path, models: tuple[str, ...] = MODELS) -> tuple[Path, list[Path]]:
    """A prompts file, and a folder a model with an answer a prompt, the last one with audio."""
    for offset, model in enumerate(models):
        for number in range(1, len(PROMPTS) + 1):
            write_midi(folder / model / f"{number:04}.mid", 60 + 12 * offset + number)
        write_wav(folder / model / f"{len(PROMPTS):04}.wav")
    return write_prompts(folder / "prompts.jsonl"), [folder / model for model in models]


# Pairs


def test_pairs_of_three_models(tmp_path: Path) -> None:
    prompts, folders = answered(tmp_path, ("one", "two", "three"))
    (folders[2] / "0002.mid").unlink()
    (folders[1] / "0001.mid").write_bytes(b"no MIDI")
    pairs, broken = read_pairs(prompts, folders)
    assert broken == ["two/0001.mid (is not a MIDI file)"]
    got = [(one.prompt, one.first.model, one.second.model) for one in pairs]
    assert got == [
        (PROMPTS[0], "one", "three"),
        (PROMPTS[1], "one", "two"),
        (PROMPTS[2], "one", "two"),
        (PROMPTS[2], "one", "three"),
        (PROMPTS[2], "two", "three"),
    ]
    assert pairs[0].first.audio is None
    assert pairs[2].first.audio == folders[0] / "0003.wav"
    assert len({one.key for one in pairs}) == 5


def test_a_key_stays_until_the_notes_change(tmp_path: Path) -> None:
    prompts, folders = answered(tmp_path)
    keys = [one.key for one in read_pairs(prompts, folders)[0]]
    assert [one.key for one in read_pairs(prompts, folders[::-1])[0]] == keys
    write_midi(folders[0] / "0001.mid", 20)
    changed = [one.key for one in read_pairs(prompts, folders)[0]]
    assert changed[0] != keys[0]
    assert changed[1:] == keys[1:]


def test_folders_that_cannot_be_compared(tmp_path: Path) -> None:
    prompts, folders = answered(tmp_path)
    with pytest.raises(TextMusicError, match="give at least two"):
        read_pairs(prompts, folders[:1])
    with pytest.raises(TextMusicError, match="2 folders are named 'zebramodel'"):
        read_pairs(prompts, [folders[0], folders[0]])
    with pytest.raises(TextMusicError, match="has no answers"):
        read_pairs(prompts, [folders[0], tmp_path / "nowhere"])
    (folders[0] / "0002.mid").unlink()
    (folders[0] / "0003.mid").unlink()
    (folders[1] / "0001.mid").unlink()
    with pytest.raises(TextMusicError, match="no prompt has answers in two"):
        read_pairs(prompts, folders)


def test_answers_to_other_prompts(tiny: TextToMusic, tmp_path: Path) -> None:
    piece = tiny.generate("calm piano, 1 bar", seed=1)
    folders = [tmp_path / model for model in MODELS]
    for folder in folders:
        piece.save(folder, formats=("mid", "json"), stem="0001")
    fitting = write_prompts(tmp_path / "fitting.jsonl", ("calm piano, 1 bar",))
    assert len(read_pairs(fitting, folders)[0]) == 1
    other = write_prompts(tmp_path / "other.jsonl", ("loud drums",))
    with pytest.raises(TextMusicError, match="is from another prompt"):
        read_pairs(other, folders)


def test_audio_says_nothing_about_the_model(tmp_path: Path) -> None:
    prompts, folders = answered(tmp_path)
    sounds = Sounds(tmp_path / "cache")
    pairs, _ = read_pairs(prompts, folders)
    sides = [side for one in (pairs[0], pairs[2]) for side in (one.first, one.second)]
    paths = [sounds.path(side) for side in sides]
    assert [sounds.path(side) for side in sides] == paths  # made once
    assert len(set(paths)) == 4
    assert sorted(paths) == sorted((tmp_path / "cache").iterdir())
    for path in paths:
        assert len(path.stem) == 32 and int(path.stem, 16)
        data = path.read_bytes()
        assert not any(model.encode() in data for model in MODELS)
        audio, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
        # the one at a tenth of the level is not quieter than the rendered one
        assert loudness(audio.T, rate) == pytest.approx(TARGET, abs=0.2)
    with wave.open(str(paths[2])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (8000, 1, 800)


def test_what_cannot_be_played(tmp_path: Path) -> None:
    midi = tmp_path / "0001.mid"
    write_midi(midi, 60)
    (tmp_path / "0001.wav").write_bytes(b"no audio")
    for side in (Side("m", midi, tmp_path / "0001.wav"), Side("m", tmp_path / "gone.mid")):
        with pytest.raises(TextMusicError, match=r"(0001\.wav|gone\.mid)' can't be played"):
            Sounds(tmp_path / "cache").path(side)
    assert not list((tmp_path / "cache").iterdir())


# The order


def test_the_pair_that_the_fewest_have_judged_comes_next(votes: Votes) -> None:
    pairs = [pair(f"p{k}") for k in range(4)]
    for listener, key in (("x", "p0"), ("x", "p2"), ("y", "p2"), ("me", "p3")):
        votes.add(listener, Showing(pair(key), swapped=False), {"overall": "A"})
    order = []
    while (showing := next_pair(pairs, votes, "me")) is not None:
        order.append(showing.pair.key)
        votes.add("me", showing, {"overall": "B"})
    assert order == ["p1", "p0", "p2"]  # 0, 1 and 2 votes; p3 has one of mine


def test_sides_and_pairs_are_in_random_order(votes: Votes) -> None:
    pairs = [pair("p0"), pair("p1")]
    dice = random.Random(1)
    shown = [next_pair(pairs, votes, "me", dice) for _ in range(200)]
    count = Counter((s.pair.key, s.a.model) for s in shown if s is not None)
    assert len(count) == 4
    assert all(30 <= n <= 70 for n in count.values())  # 50 each; 3 standard deviations
    assert all({s.a.model, s.b.model} == set(MODELS) for s in shown if s is not None)


# The page


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Votes, Path]]:
    """URL, votes and gradio's cache of a page with three pairs."""
    folder = tmp_path_factory.mktemp("listening")
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(cache))
        from textmusic.listening.page import build_listening_page
        from textmusic.page.launch import launch

        votes = Votes(folder / "votes.sqlite")
        page = build_listening_page(read_pairs(*answered(folder))[0], votes)
        _, url, _ = launch(page, prevent_thread_lock=True, quiet=True)
        try:
            yield url, votes, cache
        finally:
            page.close(verbose=False)


@pytest.fixture
def client(served: tuple[str, Votes, Path], tmp_path: Path) -> Client:
    """A new listener's browser."""
    from gradio_client import Client

    return Client(served[0], verbose=False, download_files=str(tmp_path / "downloads"))


def call(client: Client, endpoint: str, *inputs: Any) -> tuple[Any, ...]:
    result: tuple[Any, ...] = client.predict(*inputs, api_name=f"/{endpoint}")
    return result


def test_a_listener_hears_all_pairs(client: Client, served: tuple[str, Votes, Path]) -> None:
    _, votes, cache = served
    token, progress, prompt, a, b, *answers = call(client, "begin", None)
    assert len(token) == 32 and int(token, 16)
    mine: set[str] = set()
    for number in range(3):
        assert progress == f"{number} of 3 judged."
        assert prompt in set(PROMPTS) - mine
        assert answers == [None] * 5
        mine.add(prompt)
        for file in (a, b):
            assert Path(file).read_bytes()[:4] == b"RIFF"
        assert "once you have judged" in call(client, "results")[0]
        assert call(client, "results")[1] is None
        said = ["A", "B", NO_DIFFERENCE, None, "A"]
        progress, prompt, a, b, *answers = call(client, "send", *said)
    assert progress == "3 of 3 judged. That was the last one. Thank you for listening!"
    assert (prompt, a, b) == ("", None, None)

    kept = [vote for vote in votes.read() if vote.listener == token]
    assert len(kept) == 3 * 4
    assert all(v.preferred == v.shown_a for v in kept if v.question in ("overall", "prompt"))
    assert all(v.preferred == v.shown_b for v in kept if v.question == "melody")
    assert {v.prompt for v in kept} == set(PROMPTS)

    table, file = call(client, "results")
    assert "yakmodel over zebramodel" in table
    rows = Path(file).read_text(encoding="utf-8-sig").splitlines()
    assert Path(file).name == "votes.csv" and len(rows) >= 13
    assert token not in Path(file).read_text(encoding="utf-8-sig")
    # nothing that was served says who wrote it
    assert any(cache.rglob("*.wav"))
    assert not [path for path in cache.rglob("*") if any(m in str(path) for m in MODELS)]


def test_nothing_names_the_models(served: tuple[str, Votes, Path]) -> None:
    """Not in the page, nor in what a browser gets when it asks as the page does."""
    import httpx

    with httpx.Client(base_url=served[0], timeout=60) as browser:
        page = browser.get("").text
        config = browser.get("config").json()
        begin = next(e["id"] for e in config["dependencies"] if e["api_name"] == "begin")
        asked = {"data": [None], "fn_index": begin, "session_hash": "me"}
        browser.post("gradio_api/queue/join", json=asked).raise_for_status()
        got = ""
        with browser.stream("GET", "gradio_api/queue/data?session_hash=me") as stream:
            for line in stream.iter_lines():
                got += line
                if "process_completed" in line:
                    break
    assert "0 of 3 judged." in got and ".wav" in got
    assert not any(model in page + json.dumps(config) + got for model in MODELS)
    assert "<script>alert" not in page


def test_a_listener_comes_back(client: Client, served: tuple[str, Votes, Path]) -> None:
    from gradio_client import Client

    token = call(client, "begin", None)[0]
    call(client, "send", "A", None, None, None, None)
    again = Client(served[0], verbose=False, download_files=False)
    assert call(again, "begin", token)[:2] == (token, "1 of 3 judged.")
    for forged in ("../x", "x" * 32, 7, {"a": 1}):
        new, progress, *_ = call(again, "begin", forged)
        assert new != forged and len(new) == 32
        assert progress == "0 of 3 judged."


def test_overall_must_be_answered(client: Client, served: tuple[str, Votes, Path]) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match="this page has expired"):
        call(client, "send", "A", None, None, None, None)
    token = call(client, "begin", None)[0]
    with pytest.raises(AppError, match="choose which is better overall"):
        call(client, "send", None, "A", "A", "A", "A")
    with pytest.raises(AppError):
        call(client, "send", "C", None, None, None, None)
    assert not served[1].judged(token)


def test_the_page_shows_no_api(client: Client) -> None:
    assert client.view_api(return_format="dict", print_info=False)["named_endpoints"] == {}


def handlers(page: Any) -> dict[str, Any]:
    """What the buttons of a page run, by the name of their endpoint."""
    return {fn.api_name: fn.fn for fn in page.fns.values()}


def test_what_is_seen_when(tmp_path: Path) -> None:
    """The client leaves layout out, so the handlers are asked."""
    from textmusic.listening.page import build_listening_page

    pairs, _ = read_pairs(*answered(tmp_path))
    run = handlers(build_listening_page(pairs[:2], Votes(tmp_path / "votes.sqlite")))
    _, session, _, questions, *_, tab = run["begin"](None)
    for left in (2, 1, 0):
        assert questions["visible"] == (left > 0)
        assert tab["visible"] == (left == 0)
        assert (run["results"](session)[1] is not None) == (left == 0)
        if left:
            session, _, questions, *_, tab = run["send"](session, "B", None, None, None, None)
    assert run["results"](None)[1] is None


def test_a_listener_never_reads_a_file_name(tmp_path: Path) -> None:
    """What goes wrong on the server is for whoever started it: paths hold the models' names."""
    import gradio as gr

    from textmusic.listening.page import build_listening_page

    prompts, folders = answered(tmp_path)
    pairs, _ = read_pairs(prompts, folders)
    run = handlers(build_listening_page(pairs, Votes(tmp_path / "votes.sqlite")))
    shutil.rmtree(folders[0])
    with pytest.raises(gr.Error) as caught:
        run["begin"](None)
    assert "tell the person who runs the test" in str(caught.value)
    assert not any(model in str(caught.value) for model in MODELS)
    assert isinstance(caught.value.__cause__, TextMusicError)


def test_results_for_everybody(tmp_path: Path) -> None:
    from textmusic.listening.page import build_listening_page

    votes = Votes(tmp_path / "votes.sqlite")
    models = ("<b>one", "two")
    votes.add("a", Showing(pair(models=models), swapped=False), {"overall": "A"})
    votes.add("a", Showing(pair("other"), swapped=False), {"overall": "A"})
    for shown, rows in (([pair(models=models)], 1), ([pair("none yet")], 0)):
        run = handlers(build_listening_page(shown, votes, results=True))
        table, file = run["results"](None)
        assert table.count("<tr><th scope") == rows + (rows > 0)
        assert "<b>" not in table
        assert Path(file).exists()
    assert "There are no votes yet" in table


# The command --------------------------------------------------------------------------------------


def test_listen_says_what_is_missing_before_a_page_opens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("calm piano\n")
    answers = tmp_path / "one"
    answers.mkdir()
    database = ["--database", str(tmp_path / "votes.sqlite")]
    assert main(["listen", str(prompts), "--answers", str(answers), *database]) == 2
    assert "give at least two answer folders" in capsys.readouterr().err
    both = ["--answers", str(answers), "--answers", str(tmp_path / "two")]
    assert main(["listen", str(prompts), *both, *database]) == 2
    assert "has no answers" in capsys.readouterr().err


def test_listen_exports_its_votes(tmp_path: Path) -> None:
    csv = tmp_path / "votes.csv"
    args = ["listen", "prompts.txt", "--answers", "a", "--database", str(tmp_path / "v.sqlite")]
    assert main([*args, "--csv", str(csv)]) == 2, "no votes there"
    assert not csv.exists() and not (tmp_path / "v.sqlite").exists()
    Votes(tmp_path / "v.sqlite")
    assert main([*args, "--csv", str(csv)]) == 0
    assert csv.read_text(encoding="utf-8-sig").startswith("listener,")
