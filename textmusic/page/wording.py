"""What the page says, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from textmusic.language import names

WORDS: Mapping[str, tuple[str, str]] = {
    "create": ("Create", "创作"),
    "continue": ("Continue", "续写"),
    "compare": ("Compare", "比较"),
    "about": ("About", "关于"),
    "description": ("Description", "描述"),
    "placeholder": (
        "calm piano in D minor; left empty, everything is the model's choice",
        "例如：平静的D小调钢琴；留空则全部由模型决定",
    ),
    "surprise": ("Surprise me", "给我惊喜"),
    "generate": ("Generate", "生成"),
    "stop": ("Stop", "停止"),
    "details": ("Details (they win over the words)", "细节（优先于文字）"),
    "key": ("Key", "调"),
    "tempo": ("Tempo", "速度"),
    "tempo_info": ("beats a minute, or a word such as andante", "每分钟拍数，或如 andante 的词"),
    "time_signature": ("Time signature", "拍号"),
    "instruments": ("Instruments", "乐器"),
    "bars": ("Bars", "小节数"),
    "seconds": ("or seconds", "或秒数"),
    "length": ("Length", "时长"),
    "valence": ("Mood: sad (1) to happy (5); 0: open", "情绪：悲伤(1)到快乐(5)；0：不限"),
    "arousal": ("Energy: calm (1) to excited (5); 0: open", "能量：平静(1)到激动(5)；0：不限"),
    "mood": ("Mood", "情绪"),
    "genre": ("Genre", "风格"),
    "density": ("Density", "密度"),
    "chords": ("Chords", "和弦"),
    "chords_info": (
        "as Am F C G, or I-V-vi-IV; left empty, the model's choice",
        "如 Am F C G 或 I-V-vi-IV；留空则由模型决定",
    ),
    "form": ("Form", "曲式"),
    "form_info": ("as AABA, or verse chorus", "如 AABA 或 主歌 副歌"),
    "seed": ("Seed", "种子"),
    "seed_info": ("the same one gives the same music", "相同的种子得到相同的音乐"),
    "dice": ("A new seed", "换一个种子"),
    "variations": ("Variations", "变奏数"),
    "advanced": ("Advanced", "高级"),
    "temperature": ("Temperature", "温度"),
    "top_p": ("Top-p", "Top-p"),
    "harmony_strength": ("Harmony strength", "和声强度"),
    "form_strength": ("Form strength", "曲式强度"),
    "model": ("Model", "模型"),
    "open": ("open", "不限"),
    "music": ("Music", "音乐"),
    "pieces": (
        "Your pieces (kept for a day, shown to nobody else)",
        "你的作品（保留一天，他人不可见）",
    ),
    "report": ("Report", "报告"),
    "sheet": ("Sheet music", "乐谱"),
    "downloads": ("Downloads", "下载"),
    "upload": (
        "A MIDI file; without one, the piece chosen below goes on",
        "MIDI 文件；不上传则续写下面所选的作品",
    ),
    "go_on": ("Continue it", "续写"),
    "vary": ("Vary it", "变奏"),
    "adjust": ("Adjust it", "调整"),
    "more_bars": ("New bars", "新增小节"),
    "keep": ("Bars to keep when varying", "变奏时保留的小节"),
    "semitones": ("Transpose, semitones", "移调（半音）"),
    "snap": ("Snap to key", "对齐到调"),
    "undo": ("Undo", "撤销"),
    "before": ("Before", "之前"),
    "after": ("After", "之后"),
    "first": ("First model", "第一个模型"),
    "second": ("Second model", "第二个模型"),
    "asked": ("asked", "要求"),
    "planned": ("planned", "计划"),
    "measured": ("measured", "测得"),
    "yes": ("as wanted", "符合"),
    "no": ("missed", "不符"),
    "not_used": ("Not used", "未采用"),
    "from_words": ("from your words", "来自你的文字"),
    "from_controls": ("set by you", "由你设置"),
    "models_choice": ("model's choice", "由模型决定"),
    "understood": ("Understood", "理解为"),
    "repeat": (
        "with it, the same description gives this piece again",
        "用它和同样的描述可以再次得到这首曲子",
    ),
    "no_repeat": (
        "stopped, continued or changed: no seed gives this piece again",
        "已停止、续写或修改：没有种子能再次得到它",
    ),
    "temperature_info": (
        "how freely notes are chosen; 0: the likeliest",
        "选音的自由度；0：最可能的",
    ),
    "top_p_info": ("leave out what is unlikely; 1: nothing", "排除不太可能的；1：不排除"),
    "harmony_strength_info": (
        "how much the chords weigh on the notes; 0: not at all",
        "和弦对音符的影响；0：无影响",
    ),
    "form_strength_info": (
        "how much bars that come back are like the first time; 0: as the model likes",
        "重复小节与首次出现的相似程度；0：由模型决定",
    ),
    "continued": ("continued", "续写"),
    "varied": ("varied", "变奏"),
    "adjusted": ("adjusted", "已调整"),
    "notes": ("notes", "个音符"),
    "no_piece": (
        "There is no piece yet; generate one or upload a MIDI file.",
        "还没有作品；请先生成或上传 MIDI 文件。",
    ),
    "writing": ("writing", "正在写"),
    "left": ("s left", "秒后完成"),
    "live": ("music as it is written", "正在写的音乐"),
    "roll": ("piano roll", "钢琴卷帘"),
    **names.WORDS,
}


def translations() -> dict[str, dict[str, str]]:
    """The words by language, for the labels that the browser translates."""
    english, chinese = ({key: pair[n] for key, pair in WORDS.items()} for n in (0, 1))
    return {"en": english, "zh": chinese, "zh-CN": chinese, "zh-TW": chinese, "zh-HK": chinese}


def language_of(accepted: str) -> str:
    """The language of the first choice in an Accept-Language header."""
    return "zh" if accepted.strip().lower().startswith("zh") else "en"


def say(key: str, language: str) -> str:
    """A word or sentence of the page."""
    return names.say(key, language, WORDS)
