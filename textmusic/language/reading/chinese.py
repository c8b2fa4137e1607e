"""An English caption for a Chinese text: what was understood of it, and what was not."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from textmusic.language.reading.tempo import tempo_words
from textmusic.language.reading.terms import name
from textmusic.language.reading.text import CJK, Reading, Span, blank
from textmusic.music.data_files import load_data
from textmusic.music.plan import Plan

# Words that say nothing about the music. The second group may begin a word that does ("中国风"),
# so it counts only where nothing else is left.
_FILLERS = (
    "一把 一架 一台 一只 一根 一位 两把 两支 两架 两只 两位 三把 三支 四把 四支 要么 要不"
    " 听起来 背景音乐 背景乐 演奏 音乐会 一首 一段 一个 一支 一种 一些 一点 几个 首曲 曲子"
    " 乐曲 歌曲 音乐 作品 小品 片段 旋律 节奏 速度 独奏 合奏 伴奏 重奏 拍子 左右 大约 大概"
    " 总共 一共 时长 长度 关于 描述 表现 表达 适合 想要 需要 希望 请写 请 帮我 给我 为我 创作"
    " 生成 制作 作曲 谱写 来一 风格 感觉 气氛 情绪 心情 意境 效果 主题 带有 带着 带点 充满"
    " 加上 配上 配以 为主 主奏 可以 能够 非常 十分 特别 比较 有点 稍微 略带 略微 不要 没有"
    " 不带 不用 任何 以及 还有 或者 但是 却 然而 不过 可是 虽然"
    " 而且 然后 如同 好像 仿佛 那种 这种 那样 这样 一样"
    " 时候 全曲 整首 乐器 编制 使用 采用 只要 只有 给 帮 我 你 写 来 要 想 用 以 和 与 及 带"
    " 为 是 在 了 着 吧 呢 啊 吗 很 太 更 最 的 地 得 首 段 个 支 曲 歌 拍 被 把 这 那 又 也"
    " 都 就 还 再 而 或 但 并 之 其 所 由 将 及 般 样 式 像 似 些 只 场景 场面 您好 你好 谢谢"
).split()
_LESSER = (
    "里 中 上 下 听 乐 调 长 短 约 共 让 从 到 能 会 对 向 于 点 性 感 种 版 无 不 没 后 前"
    " 时 人 们 大 作 做 有 好 每 配 加 适中"
).split()


def _any_of(words: list[str]) -> str:
    return "|".join(sorted(set(words), key=len, reverse=True))


_EDGES = re.compile(rf"^(?:{_any_of(_FILLERS)})+|(?:{_any_of(_FILLERS)})+$")
_EMPTY = re.compile(rf"(?:{_any_of([*_FILLERS, *_LESSER])})*")
_RUN = re.compile(rf"[{CJK}\u3040-\u30ff\uac00-\ud7af]+")
# Between two moods that both hold: 悲伤但是有希望; 而 is an "and" as often.
_BUT = re.compile(
    r"[,;、]?\s?(?:的)?[,;]?\s?(?:但是|但|却|然而|不过|可是|只是)(?:又|也|还|同时|依然|仍然)?(?:带有|带着|带点|充满|怀有|怀着"
    r"|心怀|透着|透出|饱含|很|有|略带|带)?(?:一?点儿?|一丝|些许|一些|些)?"
)
_YET = re.compile(
    r"(?:而|又|而又|中|中又|里)(?:带有|带着|带点|充满|怀着|透着|透出|有|带)?(?:一?点儿?|一丝|些许|一些|些)?"
)
_NOT = re.compile(r"(?:不|不要|不太|不是|别太|没有|毫无|不那么)$")


@cache
def _moods() -> tuple[re.Pattern[str], dict[str, str], frozenset[str]]:
    """A pattern over the Chinese moods and scenes, their English, and which of that are scenes."""
    english: dict[str, str] = load_data("moods_zh.json")
    moods = {entry["text"] for entry in load_data("words.jsonl") if entry["kind"] == "mood"}
    words = "|".join(sorted(english, key=len, reverse=True))
    return re.compile(words, re.IGNORECASE), english, frozenset(english.values()) - moods


def read_moods(text: str) -> Reading[tuple[str, ...]]:
    """The English of the moods and scenes named in Chinese, in the order of the text."""
    pattern, english, scenes = _moods()
    matches = [m for m in pattern.finditer(text) if not _NOT.search(text[: m.start()])]
    said: list[str] = []
    last = 0
    for match in matches:
        word = english[match[0].lower()]
        if said and word not in scenes and said[-1] not in scenes:
            between = text[last : match.start()]
            joined = f"{said[-1]} but {word}"
            if _BUT.fullmatch(between) or (_YET.fullmatch(between) and joined in _joined()):
                word = joined
                said.pop()
        said.append(word)
        last = match.end()
    spans = tuple(m.span() for m in matches)
    return Reading(tuple(dict.fromkeys(said)) or None, (), spans)


@cache
def _joined() -> frozenset[str]:
    """Moods in two words that are known as one: "sad but hopeful"."""
    texts = (entry["text"] for entry in load_data("words.jsonl") if not entry["held_out"])
    return frozenset(text for text in texts if " but " in text)


def typed_moods(text: str) -> dict[str, str]:
    """The moods of a Chinese text by their English: {"sad": "悲伤"}."""
    pattern, english, _ = _moods()
    return {english[m[0].lower()]: m[0] for m in pattern.finditer(text)}


def not_understood(text: str, spans: tuple[Span, ...]) -> tuple[str, ...]:
    """Runs of Chinese outside the places that were read, without the words that say nothing."""
    rest = blank(text, spans)
    runs = (_EDGES.sub("", run) for run in _RUN.findall(rest) if not _EMPTY.fullmatch(run))
    return tuple(dict.fromkeys(run for run in runs if run))


def latin_rest(text: str, spans: tuple[Span, ...]) -> str:
    """English words among the Chinese that no reader took; the model can read them."""
    words = re.findall(r"[A-Za-z][A-Za-z'-]{2,}", blank(text, spans))
    return " ".join(words)


def compose(
    asked: Plan, said_moods: tuple[str, ...], *, tempo_said: str | None = None, rest: str = ""
) -> str:
    """An English description of what was read: "a calm piano piece in D minor"."""
    scenes = _moods()[2]
    moods = [m for m in said_moods if m not in scenes]
    instruments = [name(p) for p in asked.programs or ()]
    genre: dict[str, Any] = load_data("genres.json").get(asked.genre or "", {})
    kind = str(genre.get("adjective", "")) if asked.genre else ""
    if not kind and len(instruments) == 1:
        kind, instruments = instruments[0], []
    head = " ".join(word for word in (", ".join(moods), kind, "piece") if word)
    listed = " and ".join(part for part in (", ".join(instruments[:-1]), *instruments[-1:]) if part)
    parts = [f"{'an' if head[0].lower() in 'aeiou' else 'a'} {head}"]
    parts += [f"for {listed}"] if listed else []
    parts += [f"in {asked.key}"] if asked.key else []
    seen = [s for s in said_moods if s in scenes]
    parts += [f"evoking {' and '.join(seen)}"] if seen else []
    tempo = tempo_said or (f"{asked.tempo:g} bpm" if asked.tempo else None)
    extras = [
        None if tempo in moods else tempo,
        asked.time_signature,
        f"{asked.bars} bars" if asked.bars else None,
        rest,
    ]
    text = ", ".join([" ".join(parts), *(extra for extra in extras if extra)])
    return "" if text == "a piece" else text


def tempo_in_english(text: str, spans: tuple[Span, ...]) -> str | None:
    """The English of the first Chinese tempo word at these places: 慢板 -> "adagio"."""
    for start, end in spans:
        entry = tempo_words().get(text[start:end].lower())
        if entry:
            return str(entry["word"])
    return None
