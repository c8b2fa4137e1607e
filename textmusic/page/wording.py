"""What the page says, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from textmusic.language import names
from textmusic.music.plan import GENRES
from textmusic.music.theory import DRUMS, KEYS

WORDS: Mapping[str, tuple[str, str]] = {
    "create": ("Create", "创作"),
    "change": ("Change", "修改"),
    "compare": ("Compare", "比较"),
    "about": ("About", "关于"),
    "about_model": ("The model", "模型说明（英文）"),
    "enter": ("Enter writes; Shift+Enter begins a new line", "回车生成；Shift+回车换行"),
    "description": ("Description", "描述"),
    "placeholder": (
        "e.g. calm piano in D minor; leave empty to let the model decide everything",
        "例如：平静的D小调钢琴；留空则由模型决定一切",
    ),
    "examples": ("Examples", "示例"),
    "surprise": ("Surprise me", "给我惊喜"),
    "generate": ("Generate", "生成"),
    "stop": ("Stop", "停止"),
    "details": ("Details (override the description)", "详细设置（优先于描述）"),
    "key": ("Key", "调性"),
    "tempo": ("Tempo", "速度"),
    "tempo_info": (
        "quarter notes per minute, or a word such as andante",
        "每分钟四分音符数，或 andante 等速度术语",
    ),
    "time_signature": ("Time signature", "拍号"),
    "instruments": ("Instruments", "乐器"),
    "bars": ("Bars", "小节数"),
    "seconds": ("or seconds", "或秒数"),
    "length": ("Length", "时长"),
    "valence": (
        "Mood: 1 (sad) to 5 (happy); 0 leaves it open",
        "情绪：1（悲伤）到 5（快乐）；0 为不限",
    ),
    "arousal": (
        "Energy: 1 (calm) to 5 (excited); 0 leaves it open",
        "能量：1（平静）到 5（激动）；0 为不限",
    ),
    "mood": ("Mood", "情绪"),
    "genre": ("Genre", "风格"),
    "density": ("Density", "密度"),
    "chords": ("Chords", "和弦"),
    "chords_info": (
        "e.g. Am F C G or I-V-vi-IV; leave empty to let the model choose",
        "如 Am F C G 或 I-V-vi-IV；留空由模型决定",
    ),
    "form": ("Form", "曲式"),
    "form_info": ("e.g. AABA or verse chorus", "如 AABA 或“主歌 副歌”"),
    "seed": ("Seed", "种子"),
    "seed_info": ("the same seed gives the same music", "种子相同，音乐就相同"),
    "dice": ("New seed", "换一个种子"),
    "variations": ("Variations", "生成数量"),
    "advanced": ("Advanced", "高级"),
    "temperature": ("Temperature", "温度"),
    "top_p": ("Top-p", "Top-p"),
    "harmony_strength": ("Harmony strength", "和声强度"),
    "form_strength": ("Form strength", "曲式强度"),
    "melody_strength": ("Melody strength", "旋律强度"),
    "performance": ("Performance", "演奏表情"),
    "performance_info": (
        "how far audio and MIDI are played with expression; 0: exactly as written",
        "音频与 MIDI 的演奏表情程度；0 为完全照谱",
    ),
    "model": ("Model", "模型"),
    "open": ("open", "不限"),
    "music": ("Music", "音乐"),
    "pieces": (
        "Your pieces (kept for a week; only you can see them)",
        "你的作品（保留一周，仅自己可见）",
    ),
    "thumb_up": ("👍 I like it", "👍 喜欢"),
    "thumb_down": ("👎 I don't like it", "👎 不喜欢"),
    "thumb_kept": ("Kept on the server.", "已保存在服务器上。"),
    "report": ("Report", "报告"),
    "sheet": ("Sheet music", "乐谱"),
    "downloads": ("Downloads", "下载"),
    "upload": (
        "Your MIDI file or recording",
        "自己的 MIDI 文件或录音",
    ),
    "new_bars_text": ("Description of the new bars", "新小节的描述"),
    "go_on": ("Continue it", "续写"),
    "vary": ("Vary it", "变奏"),
    "adjust": ("Adjust it", "调整"),
    "more_bars": ("New bars", "新增小节数"),
    "keep": ("Bars to keep when varying", "变奏时保留的小节数"),
    "semitones": ("Transpose (semitones)", "移调（半音）"),
    "snap": ("Snap to key", "对齐到调性"),
    "undo": ("Undo", "撤销"),
    "before": ("Before", "之前"),
    "after": ("After", "之后"),
    "first": ("First model", "第一个模型"),
    "second": ("Second model", "第二个模型"),
    "asked": ("asked", "要求"),
    "planned": ("planned", "计划"),
    "measured": ("measured", "实测"),
    "yes": ("as asked", "符合"),
    "no": ("not as asked", "不符合"),
    "not_used": ("Not used", "未采用"),
    "remark": ("Note", "说明"),
    "originality": ("Originality", "原创性"),
    "from_words": ("from your description", "来自描述"),
    "from_controls": ("set by you", "手动设置"),
    "models_choice": ("model's choice", "由模型决定"),
    "understood": ("Understood", "理解为"),
    "repeat": (
        "use it with the same description to get this piece again",
        "配合相同的描述可再次得到这首曲子",
    ),
    "no_repeat": (
        "stopped, continued or changed, so no seed gives this piece again",
        "曾被停止、续写或修改，无法用种子重现",
    ),
    "repeat_change": (
        "textmusic replay makes this again from the MIDI file, with {} beside it",
        "将 {} 放在此 MIDI 文件旁边，即可用 textmusic replay 重做",
    ),
    "temperature_info": (
        "0 always takes the likeliest note; higher is more surprising",
        "0 总是选最可能的音；越高越出人意料",
    ),
    "top_p_info": (
        "samples only from the likeliest choices; 1 allows all",
        "只从最可能的选项中选取；1 为不限制",
    ),
    "harmony_strength_info": (
        "how closely notes follow the chords; 0: not at all",
        "音符贴合和弦的程度；0 为不约束",
    ),
    "form_strength_info": (
        "how closely repeated bars follow the originals; 0: not at all",
        "重复小节与原小节的相似程度；0 为不约束",
    ),
    "melody_strength_info": (
        "how firmly melodies move by step and avoid clashes; 0: not at all",
        "旋律级进、避免不协和碰撞的程度；0 为不约束",
    ),
    "continued": ("continued", "续写"),
    "varied": ("varied", "变奏"),
    "adjusted": ("adjusted", "调整"),
    "changed": ("changed", "修改"),
    "harmonised": ("harmonised", "配和声"),
    "notes": ("notes", "个音符"),
    "surprising": (
        "{mood} {genre} for {players} in {key}, {tempo} bpm",
        "{mood}的{genre}，{players}，{key}，每分钟{tempo}拍",
    ),
    "no_piece": (
        "There is no piece yet; generate one or open a file.",
        "还没有作品；请先生成，或打开文件。",
    ),
    "writing": ("writing", "生成中"),
    "left": ("s left", "秒后完成"),
    "live": ("live preview", "实时试听"),
    "roll": ("piano roll", "钢琴卷帘"),
    # The desk, the list of pieces, and the keys: what the scripts say.
    "notice": ("Not done", "没有完成"),
    "thanks": ("Thank you", "谢谢"),
    "shown": (
        "{} shown, {} more: type to find them",
        "显示{}项，另有{}项；输入文字可查找",
    ),
    "all_files": ("Everything (.zip)", "全部文件（.zip）"),
    "stems": ("Each part alone", "单独的声部"),
    "drag_hint": (
        "The .zip has the MIDI file, sound, each part alone, sheet music, and the report. The MIDI"
        " file can be dragged into another program.",
        ".zip 含 MIDI 文件、音频、各声部、乐谱和报告。MIDI 文件可直接拖到其他软件。",
    ),
    "close": ("Close", "关闭"),
    "reset": ("Reset", "复位"),
    "untitled": ("untitled", "无标题"),
    "spoken": (
        "Piano roll: {}. Played by {}. Arrow keys choose a bar, with Shift more of them; Enter"
        " plays from there; C types over the chord.",
        "钢琴卷帘：{}。演奏：{}。方向键选择小节，按住 Shift 可多选；回车从该处播放；C 键改写和弦。",
    ),
    "player": ("Player", "播放器"),
    "play": ("Play", "播放"),
    "pause": ("Pause", "暂停"),
    "to_start": ("Back to the beginning", "回到开头"),
    "place": ("Position", "播放位置"),
    "redo": ("Redo", "重做"),
    "mute": ("Mute", "静音"),
    "solo": ("Solo", "独奏"),
    "volume": ("Volume", "音量"),
    "chosen_bars": ("Selected bars", "选中的小节"),
    "bar": ("Bar {}", "第 {} 小节"),
    "bars_from_to": ("Bars {}–{}", "第 {}–{} 小节"),
    "part": ("Part", "声部"),
    "all_parts": ("all parts", "所有声部"),
    "wish": ("how? e.g. calmer, more space", "怎样改？例如：更平静"),
    "rewrite": ("Rewrite", "重写"),
    "rewrite_info": ("New notes for these bars", "为这些小节写新的音符"),
    "vary_these": ("Vary", "变奏"),
    "vary_info": ("New notes over the same chords", "和弦不变，写新的音符"),
    "with_theme": ("after the theme", "接在主题之后"),
    "with_theme_info": (
        "One piece: the theme as it is, then its variation",
        "合为一首：先是原来的主题，再是变奏",
    ),
    "add": ("Add", "添加"),
    "add_info": ("A new part in these bars", "在这些小节添加新声部"),
    "new_part": ("new part: as described", "新声部：按描述"),
    "harmonise": ("Harmonise", "配和声"),
    "harmonise_info": (
        "Other chords under the melody: select its part",
        "为旋律配新的和弦：请选择旋律声部",
    ),
    "set_form": ("Set form", "改曲式"),
    "form_wish": ("form, e.g. AABA", "曲式，例如 AABA"),
    "select_bar": ("Select a bar", "选择小节"),
    "all_bars": ("All bars", "全部小节"),
    "fewer": ("One bar fewer", "少选一小节"),
    "more": ("One bar more", "多选一小节"),
    "loop": ("Loop", "循环"),
    "clear": ("Clear selection", "取消选择"),
    "roll_hint": (
        "Drag over bars to select them; click to play from there. Space plays and pauses.",
        "拖动可选择小节，点击可从该处播放；空格键播放或暂停。",
    ),
    "bars_done": ("Writing: {} of {} bars", "生成中：已完成 {}/{} 小节"),
    "time_left": ("{} s left", "还需 {} 秒"),
    "starting": ("Writing begins…", "开始生成…"),
    "stopped": ("Stopped: the finished bars were kept.", "已停止：保留了已完成的小节。"),
    "press_play": ("Press Play to hear it.", "按“播放”收听。"),
    "lost": (
        "The server is not responding; trying again every few seconds. Your pieces are kept.",
        "服务器没有回应；每隔几秒会再试。作品不会丢失。",
    ),
    "back": ("The server is back.", "服务器已恢复。"),
    "broken": ("No piece was written.", "没有生成作品。"),
    "mixing": ("The parts are being separated…", "正在分离各声部…"),
    "no_stems": ("The parts can't be fetched; try again.", "无法获取各声部；请重试。"),
    "pencil": ("Edit notes", "编辑音符"),
    "pencil_hint": (
        "Click to add a note, drag to move it, drag its end to lengthen it. Keys: Tab next note,"
        " arrows move, Shift+arrows lengthen or jump an octave, N adds, Delete removes.",
        "点击添加音符，拖动可移动，拖动末端可延长。按键：Tab 下一个音符，方向键移动，"
        "Shift+方向键延长或移八度，N 添加，Delete 删除。",
    ),
    "note_at": ("{}, bar {}, beat {}, {} beats long", "{}，第 {} 小节第 {} 拍，长 {} 拍"),
    "takes": ("Variations", "各个版本"),
    "keep_this": ("Keep this one, delete the others", "保留此版本，删除其他"),
    "again": ("Ask again", "重新生成"),
    "favourite": ("Favourite", "收藏"),
    "rename": ("Rename", "重命名"),
    "settings": ("Use these settings", "使用这些设置"),
    "link": ("Link to this piece", "作品链接"),
    "delete": ("Delete", "删除"),
    "sure": ("Delete?", "确认删除？"),
    "copy": ("Copy", "复制"),
    "copied": ("Copied", "已复制"),
    "revoke": ("Revoke", "作废"),
    "microphone": ("Microphone", "麦克风"),
    "record": ("● Record a tune", "● 录一段旋律"),
    "record_done": ("■ Stop and use it", "■ 停止并使用"),
    "discard": ("Discard", "放弃"),
    "recording": ("Recording: hum or play one part.", "正在录音：请哼唱或演奏一个声部。"),
    "recorded": ("recording", "录音"),
    "hearing": ("Transcribing the recording…", "正在记谱…"),
    "no_leave": (
        "The browser is blocking the microphone; allow it in the address bar.",
        "浏览器未允许本页使用麦克风；请在地址栏中允许。",
    ),
    "no_microphone": ("There is no microphone; connect one.", "没有找到麦克风；请连接一个。"),
    "insecure": (
        "Browsers let pages record only over https or on their own machine; upload a recording.",
        "浏览器只允许 https 页面或本机页面录音；请上传录音。",
    ),
    "no_recording": (
        "The microphone gave no sound; try again, or upload a recording.",
        "麦克风没有传来声音；请重试，或上传录音。",
    ),
    "revoke_info": ("The old link no longer works.", "旧链接将失效。"),
    **names.WORDS,
}

# What the browser's scripts need of them.
SCRIPT_WORDS = (
    "untitled", "player", "play", "pause", "to_start", "place", "undo", "redo", "stop", "mute",
    "solo", "volume", "chosen_bars", "bar", "bars_from_to", "part", "all_parts", "wish", "rewrite",
    "loop", "clear", "roll_hint", "bars_done", "time_left", "starting", "stopped", "press_play",
    "lost", "no_stems", "favourite", "rename", "settings", "link", "delete", "sure", "copy",
    "pencil", "pencil_hint", "note_at", "takes", "keep_this", "again", "copied", "revoke",
    "revoke_info", "pieces", "reset", "close", "notice",
    "thanks", "shown", "back", "broken", "mixing",
    "rewrite_info", "vary_these", "vary_info", "with_theme", "with_theme_info", "add",
    "add_info", "new_part", "harmonise", "harmonise_info", "set_form", "form_wish", "select_bar",
    "all_bars", "fewer", "more",
    "microphone", "record", "record_done", "discard", "recording", "recorded", "hearing",
    "no_leave", "no_microphone", "insecure", "no_recording",
)  # fmt: skip


def choices() -> dict[str, tuple[str, str]]:
    """The names in drop-down lists, by what is chosen."""
    return {
        **{
            str(program): (names.instrument_name(program), names.instrument_name(program, "zh"))
            for program in range(DRUMS + 1)
        },
        **{key: (key, names.key_text(key, "zh")) for key in KEYS},
        **{genre: (genre, names.genre_name(genre, "zh")) for genre in GENRES},
        **{name: (name, names.level_name(name, "zh")) for name in names.DENSITY_NAMES},
    }


def translations() -> dict[str, dict[str, str]]:
    """The words by language, for the labels that the browser translates."""
    words = {**WORDS, **{f"choice_{key}": pair for key, pair in choices().items()}}
    english, chinese = ({key: pair[n] for key, pair in words.items()} for n in (0, 1))
    return {"en": english, "zh": chinese, "zh-CN": chinese, "zh-TW": chinese, "zh-HK": chinese}


def language_of(accepted: str) -> str:
    """The language of the first choice in an Accept-Language header."""
    return "zh" if accepted.strip().lower().startswith("zh") else "en"


def say(key: str, language: str) -> str:
    """A word or sentence of the page."""
    return names.say(key, language, WORDS)
