"""What could not be used, as people read it: the English notes of `Prompt.unused`, and in Chinese.

Notes are written in English, as "'what was said': why, and what to do". A report keeps them so;
here they are put into Chinese for those who read that.
"""

from __future__ import annotations

import re
from functools import cache

from textmusic.language.names import (
    AROUSAL_NAMES,
    DENSITY_NAMES,
    VALENCE_NAMES,
    genre_name,
    instrument_name,
    key_text,
    level_name,
)
from textmusic.language.reading.text import CJK
from textmusic.music.plan import GENRES
from textmusic.music.theory import DRUMS, KEYS

_SAID = re.compile(r"(?P<said>'.*')(?:: | (?=is not))(?P<why>.+)", re.DOTALL)
# What a plan's facts are called, in notes.
_THINGS = {
    "key": "调", "tempo": "速度", "time signature": "拍号", "length": "长度", "genre": "风格",
    "form": "曲式", "progression": "和弦进行", "instruments": "乐器", "programs": "乐器",
    "bars": "小节数", "seconds": "时长", "mood": "情绪", "density": "密度", "chords": "和弦",
    "valence": "情绪", "arousal": "情绪",
}  # fmt: skip
_LANGUAGES = {
    "German": "德语", "French": "法语", "Spanish": "西班牙语", "Italian": "意大利语",
    "Portuguese": "葡萄牙语", "Dutch": "荷兰语", "Russian": "俄语", "Korean": "韩语",
    "Japanese": "日语", "Arabic": "阿拉伯语", "Hebrew": "希伯来语", "Greek": "希腊语",
    "Thai": "泰语", "Hindi": "印地语",
}  # fmt: skip


@cache
def _instruments() -> dict[str, str]:
    return {instrument_name(p): instrument_name(p, "zh") for p in range(DRUMS + 1)}


def in_chinese(said: str) -> str:
    """What a note names: "tempo", "G major", "waltz", "100 bpm", "piano"; else as it is."""
    if ", " in said:
        return "、".join(map(in_chinese, said.split(", ")))
    if said in KEYS:
        return key_text(said, "zh")
    if said in GENRES:
        return genre_name(said, "zh")
    if said in (*VALENCE_NAMES, *AROUSAL_NAMES, *DENSITY_NAMES):
        return level_name(said, "zh")
    if bpm := re.fullmatch(r"([\d.]+) bpm", said):
        return f"每分钟{bpm[1]}拍"
    return (_THINGS | _LANGUAGES | _instruments()).get(said, said)


# Why something could not be used -> Chinese. Groups of the pattern, in Chinese, fill the braces.
_WHY = {
    r"one (.+) for the whole piece; give it in bpm": "整首曲子只有一个{}；请写每分钟多少拍",
    r"one (.+) for the whole piece; ([\d.]+) bars are used": "整首曲子只有一个{}；采用{}小节",
    r"one (.+) for the whole piece; ([\d.]+) seconds are used": "整首曲子只有一个{}；采用{}秒",
    r"one (.+) for the whole piece; (.+) is used": "整首曲子只有一个{}；采用{}",
    r"a (.+) cannot be excluded; name the one to use": "不能排除某个{}；请直接写要用的",
    r"outside the range of tempos; choose (.+) to (.+) bpm": "速度超出范围；请写每分钟{}到{}拍",
    r"ask for a whole number of bars from (\d+) to (\d+)": "小节数须是{}到{}的整数",
    r"ask for a length of (.+) to (.+) seconds": "时长须在{}到{}秒之间",
    r"not a supported time signature; choose one of (.+)": "不支持这个拍号；请从这些里选：{}",
    r"only major and minor keys can be set; the nearest is (?:a key such as )?'(.+)'":
     "只能设大调和小调；最接近的是{}",
    r"not a key \(write e\.g\. '(.+)'\)": "不是调名；可以写{}",
    r"name the tonic too to set the key, e\.g\. '(.+)'": "还要写出主音才能定调，例如{}",
    r"not a General MIDI sound; (.+) is used instead": "MIDI标准音色里没有；改用{}",
    r"not a General MIDI sound; try '(.+)'": "MIDI标准音色里没有；可以试试{}",
    "both asked for and excluded, so it plays; say only one of the two":
     "既要又不要，所以仍会演奏；请只说其中一个",
    "drums are also asked for, so they play; say only one of the two":
     "同时又要鼓，所以鼓会演奏；请只说其中一个",
    "both asked for and excluded; the model chooses what plays": "既要又不要；由模型选择乐器",
    "both asked for and excluded; (.+) is used unless another is named":
     "既要又不要；没有写别的，就用{}",
    r"at most (\d+) instruments play at once; the first are used": "最多同时{}种乐器；只用前面的",
    "these moods contradict each other, so the model decides; name only one":
     "这些情绪互相矛盾，由模型决定；请只写一种",
    "the control for (.+) is used instead": "以控件里设定的{}为准",
    r"the (\d+) bars set the length": "长度以{}小节为准",
    "the chord before it goes on": "前一个和弦继续",
    "the chord is used without the bass after the slash, which is not supported":
     "不支持斜线后的低音，只用和弦本身",
    "read as (.+), the nearest known chords?": "读作最接近的和弦{}",
    r"is not a known chord; did you mean (?:one like )?(.+)\?": "不是认识的和弦；是不是{}？",
    r"did you mean ('.+')\?": "是不是想写{}？",
    "drums on their own play no chords": "只有鼓时没有和弦",
    "drums on their own have no key": "只有鼓时没有调",
    "these chords do not fit (.+) well; both are kept": "这些和弦和{}不太合；两者都保留",
    "not understood; write in English or Chinese": "没有读懂；请用中文或英文写",
    "not understood": "没有读懂",
    "no readable words": "没有可读的文字",
    "the piece keeps its own (.+)": "保留原曲的{}",
    "the text is long; from here on only musical facts are read": "文字太长；此后只读音乐信息",
    "names of artists and pieces are not read; .+":
     "不读音乐人和作品的名字；请描述风格，例如“慢速流行抒情钢琴曲”",
    "each instrument has one part, so there is one for (.+); it may play several notes at once":
     "每种乐器只有一个声部，所以{}也只有一个；它可以同时奏出几个音",
    r"a choice, of which ('.+') is taken; write '.+' to have all of them":
     "这是选择，用了{}；都要的话请写“和”",
    "the model chooses; name it to have it": "由模型选择；想要就直接写出来",
    "looks like (.+); only English and Chinese are read, .+":
     "看起来是{}；只能读中文和英文，不过读懂的词仍然有效",
    "hands and fingers cannot be chosen": "不能指定左右手和指法",
    "the difficulty cannot be set; .+": "不能设定难度；慢一些、稀疏一些会更容易演奏",
    "single notes and their range cannot be set; .+": "不能指定单个音和音域；请选择乐器和调",
    "note values cannot be set; .+": "不能指定音符时值；请选择速度、拍号或密度",
    "how notes are played cannot be set": "不能指定演奏法",
    "changes within a piece cannot be set; .+": "不能指定曲中的变化；可以写曲式，例如“主歌副歌”",
    "a section by itself cannot be set; .+":
     "不能只指定一个段落；请写出整个曲式，例如“前奏 主歌 副歌 尾奏”",
    "lyrics are not written, only music": "不写歌词，只写音乐",
    r"how loud it is cannot be set; .+": "不能设定音量；平静的情绪较轻，激动的情绪较响",
    r"forms in which voices follow each other cannot be set; .+":
     "不能指定赋格、卡农这类曲式；请写乐器，以及曲式，例如'AABA'",
    "the control for .+ decides": "以控件为准",
    "only the chosen instruments are written": "只写选中的乐器",
    "a variation has its theme's (.+)": "变奏沿用主题的{}",
    r"the piece is .+ already, as far as it goes": "原曲在这方面已经到头了",
    r"the piece is at (.+) bpm, as far as tempos go": "原曲速度已是每分钟{}拍，不能再变",
    "these exclude each other; say only one of them": "互相矛盾；请只写一种",
    r"the new music is to be at (.+) bpm; the piece is at (.+) bpm":
     "新写的音乐速度为每分钟{}拍；原曲为每分钟{}拍",
    r"the new music is to be (.+) \((\d)/5\); the piece is (.+) \((\d)/5\)":
     "新写的音乐为{}（{}/5）；原曲为{}（{}/5）",
    r"levels go from 1 to 5; choose one of them": "等级从1到5；请从中选择",
    "only a new piece can be a loop; generate one": "只有新写的曲子才能循环；请另写一首",
    "nothing else plays there; name an instrument to play instead":
     "没有别的乐器了；请写用什么乐器代替",
    r"these chords find no room in (\d+) bars? of (.+); ask for (\d+) bars":
     "{}小节的曲式“{}”放不下这些和弦；请写{}小节",
    r"these chords find no room in (\d+) bars? of (.+); use fewer chords":
     "{}小节的曲式“{}”放不下这些和弦；请少写几个和弦",
    r"these chords find no room in (\d+) bars?; ask for (\d+) bars":
     "{}小节放不下这些和弦；请写{}小节",
    r"these chords find no room in (\d+) bars?; use fewer chords":
     "{}小节放不下这些和弦；请少写几个和弦",
    "only major and minor scales can be set": "只能用大调和小调音阶",
    r"grade (\d) (.+) does not have it; choose (.+)": "{}级{}练习曲没有；请从这些里选：{}",
    r"practice pieces have grades (\d) to (\d); name one": "练习曲有{}到{}级；请写其中一级",
    r"practice pieces are for one of .+; name one of them":
     "练习曲只用一种乐器：钢琴、小提琴、长笛、吉他或人声",
    "only a whole piece can be a practice piece; use textmusic practise":
     "只有整首曲子才能是练习曲；请新写一首",
    "no key of this grade has these notes; allow more of them":
     "这一级没有含这些音的调；请放宽范围",
}  # fmt: skip


def note_text(note: str, language: str = "en") -> str:
    """A note of `Prompt.unused` in a language of `names.LANGUAGES`; English if it is not known."""
    parts = _SAID.fullmatch(note)
    if language == "en" or parts is None:
        return note
    for pattern, chinese in _WHY.items():
        if match := re.fullmatch(pattern, parts["why"], re.DOTALL):
            return f"{parts['said']}：{chinese.format(*map(in_chinese, match.groups()))}"
    return note


def note_for(note: str, text: str) -> str:
    """A note in the language of who wrote the text: Chinese where that has Chinese words."""
    return note_text(note, "zh" if re.search(f"[{CJK}]", text) else "en")
