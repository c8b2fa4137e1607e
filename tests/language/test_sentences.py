"""Every error that the page can show, and every remark, has a Chinese sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import textmusic
from textmusic.language.reading.text import CJK
from textmusic.language.sentences import error_text, remark_text
from textmusic.transcription.recordings import UnfitError
from textmusic.transcription.transcribing import Account
from textmusic.writing.hearing import remarks_on

ROOT = Path(textmusic.__file__).parent
# Packages whose errors reach the page; of these, what speaks to programs and operators alone.
SHOWN = (
    "page", "language", "writing", "music", "result", "system", "tokens", "drawing",
    "transcription",
)  # fmt: skip
NOT_SHOWN = {
    "page/launch.py", "page/layout.py", "page/comparisons.py", "page/compositions.py",
    "writing/batch.py", "writing/jobs.py", "writing/remote.py", "writing/loading.py",
    "writing/loaded_model.py", "writing/leanings.py", "writing/writers.py",
    "writing/repeating.py", "result/recipe.py", "result/reopening.py", "system/crew.py",
    "system/workers.py", "system/whole_files.py", "tokens/tokenizer.py", "music/known_runs.py",
}  # fmt: skip


def said(node: ast.expr) -> str | None:
    """A message with 7 in its holes; None where it is put together elsewhere."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "7"
                       for part in node.values)  # fmt: skip
    return None


def errors() -> Iterator[tuple[str, str]]:
    for package in SHOWN:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name in NOT_SHOWN:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
                if called not in ("TextMusicError", "UnfitError"):
                    continue
                message = said(node.args[0])
                if message not in (None, "7.", "tempo 7 is 7."):
                    yield (
                        name,
                        message if called == "TextMusicError" else UnfitError(message).of("7"),
                    )


def english(text: str) -> list[str]:
    """Words of two small letters and more that are no names."""
    names = {
        "textmusic", "pip", "install", "score", "verse", "chorus", "feedback", "source", "flute",
        "abc", "kern", "ogg", "mid", "musicxml", "mxl", "krn", "top", "cmaj", "vi",
    }  # fmt: skip
    return [word for word in re.findall(r"[A-Za-z]*[a-z]{2,}", text) if word.lower() not in names]


@pytest.mark.parametrize(("where", "message"), [*errors()])
def test_errors_are_said_in_chinese(where: str, message: str) -> None:
    chinese = error_text(message, "zh")
    assert re.search(f"[{CJK}]", chinese), where
    assert not english(chinese), where
    assert error_text(message) == message


@pytest.mark.parametrize(("message", "chinese"), [
    ("bars 9 to 12 do not exist; choose from bars 1 to 8.",
     "没有第9到12小节；请从第1到8小节中选择。"),
    ("the piece has no trumpet, but piano, flute; name it as an instrument to add.",
     "作品里没有小号，只有钢琴、长笛；请把它作为新乐器添加。"),
    ("'zither' is not a known instrument; did you mean 'sitar'?",
     "没有“zither”这种乐器；是不是“西塔琴”？"),
    ("seed 'many' is not a whole number; give one, or leave the field empty.",
     "种子“many”不是整数；请填整数，或留空。"),
    ("'H?' is not a known chord; did you mean 'B'?", "不认识和弦“H?”；是不是“B”？"),
    ("'a.mid' is truncated; choose another MIDI file.", "“a.mid”不完整；请换一个MIDI文件。"),
    ("'H minor': not a key (write e.g. 'D minor').", "'H minor'：不是调名；可以写D小调。"),
    ("there is nothing to change in 1 piano, 2 Violin II (violin); transpose, snap, or give another"
     " tempo or instrument.",
     "没有要修改的内容（1 钢琴、2 小提琴）；请移调、对齐到调性，或换速度、乐器。"),
    ("tempo 7 is outside the range of tempos; choose 30 to 250 bpm.",
     "速度7超出范围；请选每分钟30到250拍。"),
    ("'hum.wav' lasts 10.2 minutes, more than the 10 that can be transcribed; choose another"
     " recording.", "“hum.wav”长10.2分钟，最多只能记谱10分钟；请换一个录音。"),
    ("'a.m4a' is .m4a, which can't be read; save the sound as WAV, FLAC, MP3 or Ogg.",
     "“a.m4a”是.m4a文件，无法读取；请把声音另存为 WAV、FLAC、MP3 或 Ogg。"),
    ("tempo 7,000 is out of range; choose 30 to 250.", "速度7,000超出范围；请选30到250。"),
])  # fmt: skip
def test_what_fills_a_sentence_is_chinese_too(message: str, chinese: str) -> None:
    assert error_text(message, "zh") == chinese


@pytest.mark.parametrize(("remark", "chinese"), [
    ("the new bars are played by piano and cello alone", "新小节只由钢琴、大提琴演奏"),
    ("the new bars are in 3/4, the time signature of the last bar that is kept",
     "新小节用3/4，即保留的最后一小节的拍号"),
    ("the model reads a simpler copy of your piece, and the piece itself keeps everything; in the"
     " copy: times are rounded to 1/12 of a quarter note, 3 notes are dropped (too low or too"
     " high), controllers and pedal are left out",
     "模型读的是作品的简化副本，原作品完整保留；副本中：时间取整到四分音符的 1/12、"
     "略去3个音（太低或太高）、略去控制器和踏板"),
    ("variation 1, another texture: livelier figures", "第1变奏，换织体：更活跃的音型"),
    ("variation 3, the other mode: D major", "第3变奏，换调式：D大调"),
    ("bars 9 to 16: variation 1, the other mode: D major", "第9到16小节：第1变奏，换调式：D大调"),
    ("bars 9 to 16: variation 1, seed 3", "第9到16小节：第1变奏，种子3"),
    ("chords | Dm | A7 |; 85 % of the melody lies on their tones",
     "和弦 | Dm | A7 |；旋律的 85% 落在和弦音上"),
    ("2 notes are outside the range of the flute", "2个音超出长笛的音域"),
    ("grade 1 piano: broken: leaps in bar 3, compass in bar 4",
     "1级钢琴：不符合：跳进（第3小节）、音域（第4小节）"),
    ("events that are not MIDI left out (2)", "略去不属于MIDI的事件（2处）"),
    ("'livelier': the new music is to be lively (4/5); the piece is moderate (3/5)",
     "'livelier'：新写的音乐为轻快（4/5）；原曲为适中（3/5）"),
    ("'7': a variation has its theme's bars", "'7'：变奏沿用主题的小节数"),
])  # fmt: skip
def test_remarks_are_said_in_chinese(remark: str, chinese: str) -> None:
    assert remark_text(remark, "zh") == chinese
    assert remark_text(remark) == remark


@pytest.mark.parametrize("voice", [True, False])
@pytest.mark.parametrize("tempi", [1, 12])
@pytest.mark.parametrize("tuning", [0, -25])
def test_what_is_said_of_a_recording_is_chinese(voice: bool, tempi: int, tuning: int) -> None:
    heard = Account(
        seconds=8.5, voice=voice, notes=1016, sure=0.7, dropped=3, rhythm=0.4, tempo=120.0,
        tempi=tempi, metre="4/4", key="C major", tuning=tuning, denoised=False,
    )  # fmt: skip
    first, second, *doubts = (remark_text(one, "zh") for one in remarks_on(heard, "a.wav"))
    how = "按一个声部" if voice else "按一件或多件乐器"
    assert first == f"“a.wav”（8.5秒）{how}识别：1,016个音，把握70%；另有3个太短或太弱"
    assert second.startswith("节奏有40%落在拍上")
    assert ("12处" in second, "-25音分" in second) == (tempi > 1, bool(tuning))
    assert len(doubts) == 2 and not any(map(english, (second, *doubts)))
