"""Reading facts out of what people type: what is read, and, as important, what is not."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textmusic.errors import TextMusicError
from textmusic.language.controls import (
    parse_genre,
    parse_instrument,
    parse_key,
    parse_mood,
    parse_tempo,
    parse_time_signature,
)
from textmusic.language.prompt import Prompt, read_prompt
from textmusic.language.reading.text import prepare
from textmusic.music.data_files import load_data
from textmusic.music.plan import GENRES, MAX_PROGRAMS, Plan
from textmusic.music.theory import DRUMS, KEYS, TIME_SIGNATURES

TABLE = Path(__file__).parents[1] / "data" / "prompts.txt"
CASES = [
    tuple(line.split(" => "))
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("# ")
]


def _facts(prompt: Prompt) -> dict[str, str]:
    asked = prompt.asked
    values = {
        "key": asked.key,
        "ts": asked.time_signature,
        "bars": asked.bars,
        "genre": asked.genre,
        "programs": " ".join(map(str, asked.programs or ())),
        "without": " ".join(map(str, prompt.without)),
        "seconds": prompt.seconds and f"{prompt.seconds:g}",
        "tempo": asked.tempo and f"{asked.tempo:g}",
    }
    return {name: str(value) for name, value in values.items() if value}


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_reads_what_is_said_and_nothing_else(text: str, expected: str) -> None:
    prompt = read_prompt(text)
    facts = _facts(prompt)
    wanted = dict(fact.split("=", 1) for fact in expected.split("; ")) if expected != "-" else {}
    unused = wanted.pop("unused", None)
    if ".." in wanted.get("tempo", ""):
        low, high = wanted.pop("tempo").split("..")
        assert float(low) <= float(facts.pop("tempo", "nan")) <= float(high)
    assert facts == wanted
    if unused is None:
        assert prompt.unused == ()
    else:
        assert any(unused in note for note in prompt.unused), prompt.unused
    assert prompt.text == text
    assert prompt.asked.valence is None and prompt.asked.arousal is None


def test_the_table_is_large_and_has_no_twins() -> None:
    texts = [text for text, _ in CASES]
    assert len(texts) >= 500
    assert len(set(texts)) == len(texts)


def test_a_loop_does_not_end() -> None:
    assert read_prompt("a 2-bar loop of drums").asked.end is False
    assert read_prompt("2 bars of drums").asked.end is None
    assert read_prompt("a loop of drums", controls=Plan(end=True)).asked.end is True


def test_moods_and_scenes_fix_nothing() -> None:
    tempo_words = {"lively", "brisk", "leisurely", "fast-paced", "breakneck"}
    for entry in load_data("words.jsonl"):
        if entry["text"] not in tempo_words:
            prompt = read_prompt(entry["text"])
            assert (prompt.asked, prompt.seconds, prompt.unused) == (Plan(), None, ()), prompt


def test_every_name_of_every_instrument_is_read_as_that_instrument() -> None:
    for program, entry in load_data("instruments.json")["program"].items():
        for name in (*entry["say"], *entry.get("also", ()), *entry["zh"]):
            assert parse_instrument(name) == (int(program),), name
            assert read_prompt(f"a piece for {name}").asked.programs == (int(program),), name
            together = read_prompt(f"a tune with {name}, piano and drums").asked.programs
            assert set(together or ()) == {int(program), 0, DRUMS}, name


def test_every_ensemble_is_read_as_its_players() -> None:
    data = load_data("instruments.json")
    for group in ("ensembles", "ensembles_also", "ensembles_zh"):
        for name, players in data[group].items():
            assert read_prompt(f"a piece for {name}").asked.programs == tuple(players), name


def test_data_is_complete_and_in_range() -> None:
    data = load_data("instruments.json")
    assert list(data["program"]) == [str(program) for program in range(DRUMS + 1)]
    said = [name.lower() for entry in data["program"].values() for name in entry["say"]]
    assert len(set(said)) == len(said)
    for entry in load_data("tempo.json"):
        assert 30 <= entry["low"] < entry["typical"] < entry["high"] <= 250, entry


def test_more_than_fifteen_instruments() -> None:
    names = (
        "violin, viola, cello, double bass, flute, oboe, clarinet, bassoon, French horn, trumpet,"
        " trombone, tuba, timpani, harp, piano, celesta and glockenspiel"
    )
    prompt = read_prompt(names)
    assert prompt.asked.programs is not None and len(prompt.asked.programs) == MAX_PROGRAMS
    assert "'celesta, glockenspiel'" in prompt.unused[0]


# Captions -----------------------------------------------------------------------------------------


def test_an_english_caption_is_the_text_tidied() -> None:
    assert read_prompt("  calm\tpiano\n in D\x00 minor ").caption == "calm piano in D minor"
    assert read_prompt("caf\u00e9 \u200bmusic 🎹").caption == "caf\u00e9 music 🎹"
    assert read_prompt("calm \ud83d piano").caption == "calm piano"


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("平静的D小调钢琴曲", "a calm piano piece in D minor"),
        ("悲傷的鋼琴曲，D小調", "a sad piano piece in D minor"),
        ("欢快的G大调小提琴舞曲，每分钟140拍",
         "a cheerful dance piece for violin in G major, 140 bpm"),
        ("悲伤的慢板，大提琴，A小调，四三拍", "a sad cello piece in A minor, adagio, 3/4"),
        ("神秘的森林，竖琴和长笛，16小节",
         "a mysterious piece for harp and flute evoking a walk in the woods, 16 bars"),
        ("一首melancholic的大提琴曲", "a cello piece, melancholic"),
        ("一首曲子", ""),
    ],
)  # fmt: skip
def test_a_chinese_caption_says_in_english_what_was_read(text: str, caption: str) -> None:
    prompt = read_prompt(text)
    assert prompt.caption == caption
    assert prompt.unused == ()


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("輕快的單簧管與雙簧管,降E大調", "轻快的单簧管与双簧管,降E大调"),
        ("嗩吶與琵琶,歡慶豐收,四三拍", "唢呐与琵琶,欢庆丰收,四三拍"),
        ("憤怒的電吉他,每分鐘一百八十拍", "愤怒的电吉他,每分钟一百八十拍"),
        ("緬懷與悼念,銅管,進行曲", "缅怀与悼念,铜管,进行曲"),
        ("賽博龐克", "赛博庞克"),
    ],
)
def test_traditional_characters_are_read_as_simplified_ones(
    traditional: str, simplified: str
) -> None:
    one, other = read_prompt(traditional), read_prompt(simplified)
    assert (one.asked, one.caption, one.unused) == (other.asked, other.caption, other.unused)


def test_chinese_that_is_not_understood_is_reported_in_groups() -> None:
    assert read_prompt("窗边的钢琴，中国风，安静").unused == ("'窗边', '中国风': not understood",)


def test_other_scripts_are_not_passed_to_the_model() -> None:
    prompt = read_prompt("грустная песня, 90")
    assert prompt.caption == "" and "not understood" in prompt.unused[0]


@pytest.mark.parametrize("text", ["🎹🎻", "…", "?!", "♪♪"])
def test_text_without_words(text: str) -> None:
    prompt = read_prompt(text)
    assert (prompt.asked, prompt.caption) == (Plan(), "")
    assert prompt.unused == (f"'{text}': no readable words",)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00\x01", "\u200b"])
def test_empty_text_asks_for_nothing_and_reports_nothing(text: str) -> None:
    assert read_prompt(text) == Prompt(text, Plan(), None, "", ())


# Controls -----------------------------------------------------------------------------------------


def test_controls_win_over_words() -> None:
    controls = Plan(key="G major", programs=(40,), valence=4, density=2)
    prompt = read_prompt("calm piano in D minor, 90 bpm", controls=controls)
    assert prompt.asked == Plan(key="G major", programs=(40,), valence=4, density=2, tempo=90.0)
    assert any(note.startswith("'D minor'") for note in prompt.unused)
    assert any(note.startswith("'piano'") for note in prompt.unused)


def test_controls_that_agree_with_the_words_report_nothing() -> None:
    prompt = read_prompt("calm piano in D minor", controls=Plan(key="D minor", programs=(0,)))
    assert prompt.unused == ()


def test_a_control_that_replaces_a_mood_or_a_refusal_says_so() -> None:
    assert read_prompt("a sad tune", controls=Plan(valence=5)).unused == (
        "'sad': the control for mood is used instead",
    )
    assert read_prompt("a sad tune", controls=Plan(valence=2, arousal=1)).unused == ()
    prompt = read_prompt("no drums", controls=Plan(programs=(0, DRUMS)))
    assert prompt.unused == ("'no drums': the control for instruments is used instead",)
    assert prompt.without == ()
    settled = read_prompt("happy sad piano", controls=Plan(valence=1, arousal=2))
    assert settled.unused == ("'happy': the control for mood is used instead",)


def test_the_genre_control_decides_what_a_guitar_is() -> None:
    assert read_prompt("guitar", controls=Plan(genre="metal")).asked.programs == (30,)


@pytest.mark.parametrize(
    ("text", "controls", "seconds", "bars_read", "seconds_read", "unused"),
    [
        ("16 bars", Plan(), None, 16, None, ""),
        ("16 bars", Plan(), 30.0, None, 30.0, "16 bars"),
        ("16 bars", Plan(bars=8), None, 8, None, "16"),
        ("30 seconds", Plan(bars=8), None, 8, None, "30 seconds"),
        ("30 seconds", Plan(), 20.0, None, 20.0, ""),
        ("16 bars, 30 seconds", Plan(), None, 16, None, "30 seconds"),
        ("calm", Plan(bars=8), 20.0, 8, None, "20 seconds"),
        ("", Plan(), 20.0, None, 20.0, ""),
        ("🎹", Plan(bars=4), None, 4, None, "no readable words"),
    ],
)
def test_one_length(
    text: str,
    controls: Plan,
    seconds: float | None,
    bars_read: int | None,
    seconds_read: float | None,
    unused: str,
) -> None:
    prompt = read_prompt(text, controls=controls, seconds=seconds)
    assert (prompt.asked.bars, prompt.seconds) == (bars_read, seconds_read)
    assert bool(prompt.unused) == bool(unused)
    assert unused in " ".join(prompt.unused)


PARSED = [
    (parse_key, "D minor", "D minor"), (parse_key, "Dm", "D minor"),
    (parse_key, "es-dur", "Eb major"),
    (parse_key, "F#", "F# major"), (parse_key, "g", "G major"),
    (parse_key, "降B大调", "Bb major"),
    (parse_key, "C♯ minor", "C# minor"), (parse_key, "key of F", "F major"),
    (parse_key, "none", "none"),
    (parse_key, "a minor", "A minor"), (parse_key, "B flat", "Bb major"),
    (parse_key, "Am", "A minor"),
    (parse_time_signature, "6/8", "6/8"), (parse_time_signature, "waltz", "3/4"),
    (parse_time_signature, "四三拍", "3/4"), (parse_time_signature, "common time", "4/4"),
    (parse_tempo, 96, 96.0), (parse_tempo, "96", 96.0), (parse_tempo, "96 bpm", 96.0),
    (parse_tempo, "♩=72", 72.0), (parse_tempo, "andante", 80.0), (parse_tempo, "Very-Slow", 50.0),
    (parse_tempo, "快板", 136.0), (parse_tempo, "slow tempo", 64.0),
    (parse_instrument, "piano", (0,)), (parse_instrument, "Violins", (40,)),
    (parse_instrument, "0", (0,)), (parse_instrument, "127", (127,)),
    (parse_instrument, "128", (128,)),
    (parse_instrument, "drums", (128,)), (parse_instrument, "jazz trio", (0, 32, 128)),
    (parse_instrument, "piano, cello and flute", (0, 42, 73)),
    (parse_instrument, "钢琴和大提琴", (0, 42)),
    (parse_instrument, "two violins", (40,)), (parse_instrument, "voice", (53,)),
    (parse_mood, "sad", (1, 2)), (parse_mood, "SAD", (1, 2)), (parse_mood, "悲伤", (1, 2)),
    (parse_mood, "2,4", (2, 4)), (parse_mood, " 5 , 1 ", (5, 1)),
    (parse_mood, "2,open", (2, None)), (parse_mood, "open,4", (None, 4)),
    (parse_mood, "very sad", (1, 2)),
    (parse_genre, "ragtime", "ragtime"), (parse_genre, "Bossa Nova", "bossa-nova"),
    (parse_genre, "video game", "game"), (parse_genre, "country", "country"),
    (parse_genre, "romantic", "romantic"), (parse_genre, "探戈", "tango"),
    (parse_genre, "other", "other"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parse", "said", "wanted"), PARSED, ids=[f"{p.__name__}-{s}" for p, s, _ in PARSED]
)
def test_controls_are_parsed(parse, said, wanted) -> None:  # type: ignore[no-untyped-def]
    assert parse(said) == wanted


def test_canonical_names_parse_to_themselves() -> None:
    assert tuple(map(parse_key, KEYS)) == KEYS
    assert tuple(map(parse_time_signature, TIME_SIGNATURES)) == TIME_SIGNATURES
    assert tuple(map(parse_genre, GENRES)) == GENRES


REFUSED = [
    (parse_key, "H minor", "'B minor'"), (parse_key, "Q major", "'C major'"),
    (parse_key, "purple", "letter from A to G"), (parse_key, "", "letter from A to G"),
    (parse_key, "D dorian", "'D minor'"), (parse_key, "D minor piano", "not a key"),
    (parse_time_signature, "17/16", "12/8"), (parse_time_signature, "5/0", "12/8"),
    (parse_time_signature, "0/4", "12/8"), (parse_time_signature, "3", "12/8"),
    (parse_time_signature, "", "12/8"), (parse_time_signature, "3/4 and 4/4", "12/8"),
    (parse_tempo, 0, "30 to 250"), (parse_tempo, -5, "30 to 250"),
    (parse_tempo, "9000", "30 to 250"),
    (parse_tempo, "9000 bpm", "30 to 250"), (parse_tempo, float("nan"), "30 to 250"),
    (parse_tempo, "inf", "30 to 250"), (parse_tempo, "andant", "'andante'"),
    (parse_tempo, "", "96"),
    (parse_instrument, "kazooo", "'harmonica'"), (parse_instrument, "kazoo", "'harmonica'"),
    (parse_instrument, "vilin", "'violin'"), (parse_instrument, "129", "0 to 127"),
    (parse_instrument, "-1", "0 to 127"), (parse_instrument, "", "piano"),
    (parse_instrument, "qqqqqq", "piano"), (parse_instrument, "piano, vilin", "'violin'"),
    (parse_mood, "0,3", "1 to 5"), (parse_mood, "2,6", "1 to 5"), (parse_mood, "sadd", "'sad'"),
    (parse_mood, "xyzzy", "'2,4'"), (parse_mood, "", "'2,4'"),
    (parse_genre, "regtime", "'ragtime'"), (parse_genre, "zzz", "ragtime"),
    (parse_genre, "", "ragtime"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("parse", "said", "remedy"), REFUSED, ids=[f"{p.__name__}-{s}" for p, s, _ in REFUSED]
)
def test_errors_name_the_remedy(parse, said, remedy) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TextMusicError) as caught:
        parse(said)
    assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_text_that_is_too_long() -> None:
    assert read_prompt("a" * 2_000).caption == "a" * 2_000
    with pytest.raises(TextMusicError, match="2,001 characters; use at most 2,000"):
        read_prompt("a" * 2_001)


# Robustness ---------------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(
    [text for text, _ in CASES]
    + ["no", "in", "and", "or", ",", "-", "/", "一", "拍", "9" * 400, "𝟛/𝟜"]
)  # fmt: skip


def _holds(text: str) -> None:
    prompt = read_prompt(text)
    asked = prompt.asked
    assert asked.key is None or asked.key in KEYS
    assert asked.time_signature is None or asked.time_signature in TIME_SIGNATURES
    assert asked.genre is None or asked.genre in GENRES
    assert asked.tempo is None or 30 <= asked.tempo <= 250
    assert asked.bars is None or (1 <= asked.bars <= 256 and prompt.seconds is None)
    assert prompt.seconds is None or 2 <= prompt.seconds <= 600
    assert asked.programs is None or list(asked.programs) == sorted(set(asked.programs))
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in prompt.caption)
    prompt.caption.encode()


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    _holds(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAGMENTS, max_size=8).map(" ".join))
def test_any_mixture_of_phrases_can_be_read(text: str) -> None:
    _holds(text[:2_000])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_control_is_parsed_or_refused(text: str) -> None:
    for parse in sorted({parse for parse, *_ in PARSED}, key=lambda parse: parse.__name__):
        refused = ""
        try:
            assert parse(text) is not None
        except TextMusicError as problem:
            refused = str(problem)
        assert not refused or "; " in refused


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("quıet piano", "quiet piano"), ("adagıo vıolin", "adagio violin"),
        ("D mınor piano", "D minor piano"), ("in fıve-four time", "in five-four time"),
        ("hıgh density", "high density"), ("waltz by Chopın", "waltz by Chopin"),
    ],
)  # fmt: skip
def test_an_i_without_a_dot_is_an_i(text: str, plain: str) -> None:
    assert read_prompt(text).asked == read_prompt(plain).asked


def test_a_character_that_stands_for_a_phrase_is_left_out() -> None:
    assert len(prepare("piano " + "\ufdfa" * 1900)) < 2000
