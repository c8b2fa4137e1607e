"""What the page's buttons do, without the page."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
from symusic import Score

from textmusic.engines.protocol import Floats32, Ids
from textmusic.errors import TextMusicError
from textmusic.feedback.preferences import read_preferences
from textmusic.feedback.thumbs import Thumbs
from textmusic.language.controls import Controls
from textmusic.language.names import LANGUAGES
from textmusic.language.prompt import read_prompt
from textmusic.music.chords import chord_name
from textmusic.music.measure import measure
from textmusic.music.plan import Plan
from textmusic.page.piece import LONGEST_TITLE
from textmusic.page.piece_view import shown
from textmusic.page.service import Moment, Service, Visitor, Wish
from textmusic.page.views import report_html, understood_html
from textmusic.page.wording import WORDS, language_of, say, translations
from textmusic.result.generation import Generation
from textmusic.result.report import Report
from textmusic.system.streams import Stream
from textmusic.writing.adjusting import Adjustment
from textmusic.writing.rewriting import open_to_rewrite
from textmusic.writing.sources import read_piece
from textmusic.writing.text_to_music import TextToMusic

ME = Visitor("me")
TRIO = Path(__file__).parents[1] / "data" / "midi" / "trio.mid"


@pytest.fixture
def service(tiny_model: Path, tmp_path: Path) -> Service:
    music = TextToMusic.from_pretrained(tiny_model, threads=1)
    return Service({"default": music}, tmp_path / "cache", max_bars=64, slots=2)


def written(
    making: Generator[Moment, None, list[Generation]],
) -> tuple[list[Moment], list[Generation]]:
    stream = Stream(making)
    return list(stream), stream.result


def test_a_piece_is_shown_and_heard_while_it_is_written(service: Service) -> None:
    moments, (piece,) = written(service.generate(Wish("piano, 3 bars", seed=1), ME))
    assert [moment.bar.index for moment in moments] == [0, 1, 2]
    assert len({moment.address for moment in moments}) == 1
    assert all(moment.score is not None for moment in moments)
    alone = service.models["default"].generate("piano, 3 bars", seed=1)
    assert piece.midi() == alone.performed().midi()


def test_chords_are_seen_while_it_is_written(service: Service) -> None:
    controls = Controls(chords="Bm7b5 E7", form="AB")
    wish = Wish("piano, 4 bars, 4/4", controls, seed=1)
    moments, (piece,) = written(service.generate(wish, ME))
    names = [
        {chord_name(chord) for row in moment.sketch.rows for _, chord in row.chords}
        for moment in moments
    ]
    assert names == [{"Bm7b5"}, *[{"Bm7b5", "E7"}] * 3]
    kept = service.keep(piece, "x")
    view = shown(kept, "en")
    assert [name for _, name in view["chords"]] == ["Bm7b5", "E7"] * 2
    assert [name for _, name in view["sections"]] == ["A", "B"]
    svg = kept.file("svg").read_text("utf-8")
    assert all(f">{name}<" in svg for name in ("Bm7b5", "E7", "A", "B"))


def test_variations_have_the_seeds_after_the_first(service: Service) -> None:
    _, pieces = written(service.generate(Wish("piano, 2 bars", seed=7), ME, 3))
    assert [piece.seed for piece in pieces] == [7, 8, 9]
    with pytest.raises(TextMusicError, match="variations 5 is out of range"):
        written(service.generate(Wish("piano"), ME, 5))


@pytest.fixture
def slow(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """Its model takes its time, as a real one, which does not run far ahead of who listens."""
    engine = service.models["default"].engine
    step = engine.step

    def slowly(ids: Ids) -> Floats32:
        time.sleep(0.003)
        return step(ids)

    monkeypatch.setattr(engine, "step", slowly)
    return service


def test_stop_keeps_the_finished_bars(slow: Service) -> None:
    service = slow
    making = service.generate(Wish("piano, 60 bars", seed=1), ME)
    next(making)
    next(making)
    service.stop(Visitor("someone else"))
    next(making)
    service.stop(ME)
    moments, (piece,) = written(making)
    assert not moments
    assert piece.plan.bars == measure(piece.score).bars
    assert 3 <= (piece.plan.bars or 0) < 60
    assert piece.report.sampling is None, "it can't be had again by its seed"
    _, (after,) = written(service.generate(Wish("piano, 2 bars", seed=1), ME))
    assert after.plan.bars == 2, "the next one is not stopped"


def test_the_file_of_a_piece_that_was_stopped_says_what_it_has(slow: Service) -> None:
    service = slow
    wish = Wish("piano, 40 bars, 4/4, 250 bpm", Controls(chords="Bm7b5 E7"), seed=1)
    making = service.generate(wish, ME)
    next(making)
    service.stop(ME)
    _, (piece,) = written(making)
    kept = service.keep(piece, "x")
    bars = piece.plan.bars or 0
    assert bars < 40 and kept.report.planned.bars == 40
    assert len(piece.sketch.rows) == bars
    view = shown(kept, "en")
    assert 0 < len(view["chords"]) <= bars
    assert all(start < view["bars"][-1] for start, _ in view["chords"])


def test_limits_are_said(service: Service) -> None:
    with pytest.raises(TextMusicError, match="64 bars at most"):
        written(service.generate(Wish("piano, 65 bars"), ME))
    long = Wish("piano", Controls(seconds=600, tempo=200, time_signature="2/4"), seed=1)
    with pytest.raises(TextMusicError, match="64 bars at most"):
        written(service.generate(long, ME))
    with pytest.raises(TextMusicError, match="does not offer 'gpt'; choose one of default"):
        service.understand(Wish("piano", model="gpt"))
    first = service.generate(Wish("piano, 60 bars", seed=1), ME, 4)
    next(first)
    with pytest.raises(TextMusicError, match="wait until one is finished"):
        next(service.generate(Wish("piano, 2 bars"), ME))
    _, (theirs,) = written(service.generate(Wish("piano, 2 bars", seed=1), Visitor("they")))
    assert theirs.plan.bars == 2
    first.close()
    _, (mine,) = written(service.generate(Wish("piano, 2 bars", seed=1), ME))
    assert mine.plan.bars == 2


def test_limits_count_by_address_whatever_session_a_client_says_it_has(service: Service) -> None:
    address = "192.0.2.7"
    first = service.generate(Wish("piano, 60 bars", seed=1), Visitor("a", address), 3)
    next(first)
    with pytest.raises(TextMusicError, match="3 of your pieces are being written"):
        next(service.generate(Wish("piano, 2 bars"), Visitor("b", address), 2))
    service.stop(Visitor("b", address))
    next(first)  # a session stops its own pieces only
    _, (one,) = written(service.generate(Wish("piano, 2 bars"), Visitor("b", address)))
    _, four = written(service.generate(Wish("piano, 2 bars"), Visitor("a", "192.0.2.8"), 4))
    assert one.plan.bars == 2 and len(four) == 4
    first.close()


def test_who_leaves_frees_the_engine(service: Service) -> None:
    making = service.generate(Wish("piano, 60 bars", seed=1), ME, 2)
    next(making)
    (scheduler,) = (t for t in threading.enumerate() if t.name == "textmusic-scheduler")
    making.close()
    scheduler.join(10)
    assert not scheduler.is_alive()


def test_who_leaves_takes_variations_along_that_still_wait(service: Service) -> None:
    making = service.generate(Wish("piano, 60 bars", seed=1), ME, 4)  # two slots: two of them wait
    next(making)
    closing = threading.Thread(target=making.close)
    closing.start()
    closing.join(20)
    assert not closing.is_alive()


def test_pieces_are_kept_where_nobody_can_guess(service: Service) -> None:
    _, (made,) = written(service.generate(Wish("piano, 2 bars", seed=1), ME))
    one, two = service.keep(made, "x" * 200), service.keep(made, "y")
    assert len(one.title) == LONGEST_TITLE
    assert len(one.token) >= 20 and one.token != two.token
    assert sorted(path.suffix for path in one.folder.iterdir()) == [".json", ".mid", ".txt"]
    for kind in ("wav", "mp3", "svg"):
        assert one.file(kind).stat().st_size
    assert one.file("mid").read_bytes() == made.midi()
    with pytest.raises(TextMusicError, match="'exe' is not a format"):
        one.file("exe")


def test_sheet_music_names_chords_and_sections(service: Service) -> None:
    pytest.importorskip("verovio", reason="needs the score extra")
    wish = Wish("piano, 4 bars, 4/4", Controls(chords="Dm G7", form="verse chorus"), seed=1)
    _, (made,) = written(service.generate(wish, ME))
    piece = service.keep(made, "<b>")
    xml = piece.file("musicxml").read_text("utf-8")
    assert "&lt;b&gt;" in xml and "<rehearsal" in xml and ">verse<" in xml and ">chorus<" in xml
    assert xml.count("<harmony") == 4 and "<root-step>G</root-step>" in xml
    assert "<svg" in piece.generation.pages()[0][:200]


def test_going_on_varying_and_adjusting(service: Service, pieces: list[Path]) -> None:
    source = pieces[0]
    bars = measure(Score(source)).bars or 0
    _, (more,) = written(service.go_on(source, 2, Wish(seed=1), ME))
    assert measure(more.score).bars == bars + 2
    _, (varied,) = written(service.go_on(source, 0, Wish(seed=1), ME, keep=2))
    assert varied.plan.bars == bars
    with pytest.raises(TextMusicError, match="keep fewer"):
        written(service.go_on(source, 0, Wish(seed=1), ME, keep=bars))
    made = service.adjust(source, Adjustment(semitones=1))
    assert made.report.notes
    for language, said in (("en", "makes this again"), ("zh", "重做")):
        shown = report_html(made.report, language)
        assert said in shown and source.name in shown
    noted = report_html(replace(made.report, remarks=("1 < 2",)), "zh")
    assert "<p>说明: 1 &lt; 2</p>" in noted
    asked = Wish(controls=Controls(chords="Bm7b5 E7", form="AB"), seed=1)
    _, (more,) = written(service.go_on(source, 4, asked, ME))
    assert more.sections == [(bars, "A"), (bars + 2, "B")], "of the new bars"
    new = [[chord_name(chord) for _, chord in row.chords] for row in more.sketch.rows[bars:]]
    assert new == [["Bm7b5"], ["E7"]] * 2
    with pytest.raises(TextMusicError, match="2 sections does not fit into 1 bar"):
        written(service.go_on(source, 1, asked, ME))


def test_bars_are_counted_once_however_often_they_are_tried(service: Service) -> None:
    service.max_bars = 3
    opened = open_to_rewrite(read_piece(TRIO), (3, 5), ())
    steps = Stream(service.compose(opened.rewriting, Wish(seed=1), ME))
    assert list(steps)[-1] == (6, 6), "each is tried twice"
    assert steps.result[0].report.new_bars == (2, 5)
    opened = open_to_rewrite(read_piece(TRIO), (3, 6), ())
    with pytest.raises(TextMusicError, match="bars 4 is out of range; choose 1 to 3"):
        next(service.compose(opened.rewriting, Wish(seed=1), ME))


def test_rewriting_can_be_stopped(service: Service) -> None:
    opened = open_to_rewrite(read_piece(TRIO), (3, 5), ())
    making = service.compose(opened.rewriting, Wish(seed=1), ME)
    next(making)
    service.stop(ME)
    with pytest.raises(TextMusicError, match="stopped; the piece is as it was"):
        next(making)
    _, (after,) = written(service.generate(Wish("piano, 2 bars", seed=1), ME))
    assert after.plan.bars == 2, "the next one is not stopped"


# What is shown ------------------------------------------------------------------------------------


def test_notes_are_escaped() -> None:
    plan = Plan("jazz", 3, 3, (0,), "C major", 120.0, "4/4", 4, 3)
    note = "'<script>alert(1)</script>': not understood"
    report = Report("", "", 1, "m", "0", plan, None, plan, plan, 8.0, 9, (note,))
    for language in LANGUAGES:
        html = report_html(report, language)
        assert "<script" not in html
        assert f"{say('not_used', language)}: &#x27;&lt;script&gt;" in html


def test_what_is_understood_says_where_it_comes_from() -> None:
    controls = Plan(bars=8)
    prompt = read_prompt("sad piano in D minor <b>", controls=controls)
    html = understood_html(prompt, controls, "en")
    assert "key: <b>D minor</b> (from your description)" in html
    assert "bars: <b>8</b> (set by you)" in html
    assert "mood: <b>about" in html
    assert "tempo: (model's choice)" in html
    assert "调性: <b>D小调</b> (来自描述)" in understood_html(prompt, controls, "zh")


def test_chords_and_form_are_understood_before_a_note_is_written(service: Service) -> None:
    wish = Wish("piano, chords Am F C G", Controls(form="verse chorus"))
    prompt, controls = service.understand(wish)
    html = understood_html(prompt, controls, "en", wish.controls.outline())
    assert "chords: <b>Am F C G</b> (from your description)" in html
    assert "form: <b>verse, chorus</b> (set by you)" in html
    chinese = understood_html(prompt, controls, "zh", wish.controls.outline())
    assert "和弦: <b>Am F C G</b> (来自描述)" in chinese
    assert "曲式: <b>主歌 副歌</b> (手动设置)" in chinese
    wish = Wish("piano", Controls(chords="Am F C G"))
    html = understood_html(*service.understand(wish), "en", wish.controls.outline())
    assert "key: <b>A minor</b> (set by you)" in html
    nothing, _ = service.understand(Wish("piano"))
    html = understood_html(nothing, Plan(), "en")
    assert "chords: (model's choice)" in html and "form: (model's choice)" in html
    with pytest.raises(TextMusicError, match="a form of 2 sections does not fit into 1 bar;"):
        service.understand(Wish("piano", Controls(form="AB", bars=1)))


def test_every_word_is_there_in_both_languages() -> None:
    for key, pair in WORDS.items():
        assert all(pair), key
    assert translations()["zh-CN"]["stop"] == say("stop", "zh")
    assert [language_of(a) for a in ("zh-CN,zh;q=0.9", "en-US", "", "de,zh")] == [
        "zh", "en", "en", "en",
    ]  # fmt: skip


def test_a_thumb_is_kept_with_its_piece(service: Service, tmp_path: Path) -> None:
    thumbs = Thumbs(tmp_path / "thumbs.sqlite")
    asking = replace(service, thumbs=thumbs)
    pieces = []
    for seed in (1, 2):
        _, (made,) = written(asking.generate(Wish("piano, 2 bars", seed=seed), ME))
        pieces.append(asking.keep(made, "piano, 2 bars"))
    with pytest.raises(TextMusicError, match="keeps no thumbs; start it with --feedback"):
        service.judge(pieces[0], up=True)
    asking.judge(pieces[0], up=False)
    asking.judge(pieces[1], up=True)
    (pair,) = read_preferences([thumbs.path]).pairs
    assert (pair.chosen.report.seed, pair.rejected.report.seed) == (2, 1)


@pytest.mark.parametrize("asked", [True, False])
def test_the_page_asks_for_thumbs_if_it_is_told_to(
    asked: bool, tiny: TextToMusic, tmp_path: Path
) -> None:
    from textmusic.page.layout import build_page

    thumbs = Thumbs(tmp_path / "thumbs.sqlite") if asked else None
    page = build_page({"default": tiny}, thumbs=thumbs)
    (row,) = [
        block.parent for block in page.blocks.values()
        if getattr(block, "elem_id", None) == "tm-thumb-up"
    ]  # fmt: skip
    assert row.visible is asked
