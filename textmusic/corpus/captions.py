"""Plan -> varied text: what people might have typed to get this piece.

A caption mentions a random subset of the plan's fields, in one of several sentence shapes, so that
the model learns to read what is said and to choose what is not. The words are in data files
(`textmusic/data`). Those marked held_out are never used: they test whether the pretrained LLM
understands words that it was not tuned on.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

from textmusic.language.prompt import read_prompt
from textmusic.music.data_files import load_data
from textmusic.music.plan import Plan
from textmusic.music.theory import DRUMS, NO_KEY, is_minor
from textmusic.music.usual import counts

_ENHARMONIC = {"Db": "C#", "C#": "Db", "F#": "Gb", "Ab": "G#", "Eb": "D#", "Bb": "A#"}
_GERMAN = {"Db": "Des", "C#": "Cis", "Eb": "Es", "F#": "Fis", "Ab": "As", "Bb": "B", "B": "H"}
_DENSITY = {
    1: ("sparse", "very spacious", "few notes", "minimal"),
    2: ("spacious", "light texture", "uncluttered"),
    4: ("full texture", "rich", "busy"),
    5: ("dense", "very busy", "lots of notes", "virtuosic"),
}
_DRILLS = {
    "mood": ("{}", "{}", "{} music", "something {}", "{}, please", "{} piece", "a tune that is {}"),
    "scene": ("{}", "{}", "music for {}", "evoking {}", "like {}", "{}, please", "about {}"),
}
_OPENERS = (
    "write {}", "compose {}", "make {}", "I want {}", "I'd like {}", "please write {}",
    "give me {}", "create {}", "can you play {}?", "generate {}", "I need {}", "{}, please",
)  # fmt: skip


@cache
def _implied(phrase: str) -> tuple[float | None, tuple[tuple[str, Any], ...]]:
    """What this phrase alone would fix as a prompt: its tempo, and facts as a waltz's 3/4."""
    facts = read_prompt(phrase).asked
    others = ((name, value) for name, value in facts.known() if name not in ("tempo", "genre"))
    return facts.tempo, tuple(others)


def _true_of(phrase: str, plan: Plan) -> bool:
    """Whether a phrase, read as a prompt, fits a plan: "an irish jig" fits no reel in 4/4."""
    tempo, others = _implied(phrase)
    if tempo and plan.tempo and not 0.8 < tempo / plan.tempo < 1.25:
        return False
    return all(getattr(plan, name) in (value, None) for name, value in others)


@dataclass(frozen=True, slots=True)
class Phrases:
    """The parts of a plan that a caption mentions, already in words; None is not mentioned."""

    mood: str | None = None
    scene: str | None = None
    genre: str | None = None  # a noun phrase: "waltz", "baroque piece"
    instruments: str | None = None  # "piano", "violin, cello and harp"
    key: str | None = None  # "D minor"
    tempo: str | None = None  # "96 bpm", "andante"
    metre: str | None = None
    bars: str | None = None
    density: str | None = None


class Captioner:
    """Writes captions. held_out=False draws training words, True the words kept out of it."""

    def __init__(self, *, held_out: bool = False) -> None:
        self._words: dict[str, list[dict[str, Any]]] = {"mood": [], "scene": []}
        self._cells: dict[tuple[str, int, int], list[str]] = {}  # kind, valence, arousal -> texts
        for entry in load_data("words.jsonl"):
            if entry["held_out"] == held_out:
                self._words[entry["kind"]].append(entry)
                cell = entry["kind"], int(entry["valence"]), int(entry["arousal"])
                self._cells.setdefault(cell, []).append(entry["text"])
        self._genres = load_data("genres.json")
        self._tempi = load_data("tempo.json")
        instruments = load_data("instruments.json")
        self._instruments = instruments["program"]
        self._ensembles: dict[tuple[int, ...], list[str]] = {}
        for name, entry in instruments["ensembles"].items():
            programs = entry if isinstance(entry, list) else entry["programs"]
            self._ensembles.setdefault(tuple(sorted(programs)), []).append(name)

    def write(self, plan: Plan, rng: random.Random) -> str:
        """A caption of a complete plan."""
        return self.describe(plan, rng)[0]

    def describe(self, plan: Plan, rng: random.Random) -> tuple[str, Phrases]:
        """A caption of a complete plan, and the phrases that it mentions."""
        said = self._phrases(plan, rng)
        text = _sentence(said, rng)
        return (text[:1].upper() + text[1:] if rng.random() < 0.4 else text), said

    def drill(self, rng: random.Random) -> tuple[str, int, int]:
        """A mood word or a scene with almost no words around it, its valence and its arousal."""
        entry = rng.choice(self._words["mood"] + self._words["scene"])
        text: str = rng.choice(_DRILLS[entry["kind"]]).format(entry["text"])
        if rng.random() < 0.3:
            text = text[:1].upper() + text[1:]
        return text, int(entry["valence"]), int(entry["arousal"])

    def mood_word(self, plan: Plan, kind: str, rng: random.Random) -> str | None:
        """A word whose levels differ by at most one from the plan's."""

        def words(*steps: tuple[int, int]) -> list[str]:
            v, a = plan.valence or 3, plan.arousal or 3
            cells = (self._cells.get((kind, v + x, a + y), ()) for x, y in steps)
            return [text for cell in cells for text in cell if _true_of(text, plan)]

        exact = words((0, 0))
        if len(exact) > 4 or (exact and rng.random() < 0.7):
            return rng.choice(exact)
        pool = words((-1, 0), (0, -1), (0, 1), (1, 0)) or exact
        return rng.choice(pool) if pool else None

    def _phrases(self, plan: Plan, rng: random.Random) -> Phrases:
        few = rng.random() < 0.25  # sometimes one fact only, as people do
        chance = 0.25 if few else 0.6

        def said(weight: float = 1.0) -> bool:
            return rng.random() < chance * weight

        mood = self.mood_word(plan, "mood", rng) if said(1.2) else None
        if mood and rng.random() < 0.15:
            mood = f"{mood} and {self.mood_word(plan, 'mood', rng)}"
        return Phrases(
            mood=mood,
            scene=self.mood_word(plan, "scene", rng) if said(0.35) else None,
            genre=self._genre(plan, rng) if said() else None,
            instruments=self._instrument_names(plan, rng)
            if said(1.2) or not _is_whole(plan)
            else None,
            key=_key(plan, rng) if plan.key != NO_KEY and said() else None,
            tempo=self._tempo(plan, rng) if said() else None,
            metre=_metre(plan, rng) if said(0.7) else None,
            bars=f"{plan.bars} {rng.choice(('bars', 'measures'))}" if said(0.35) else None,
            density=rng.choice(_DENSITY[plan.density])
            if plan.density in _DENSITY and said(0.3)
            else None,
        )

    def _genre(self, plan: Plan, rng: random.Random) -> str | None:
        entry = self._genres.get(plan.genre or "other")
        if plan.genre == "other" or not entry:
            return None
        phrases = [phrase for phrase in entry["phrases"] if _true_of(phrase, plan)]
        if not phrases:
            return None
        phrase: str = rng.choice(phrases)
        for article in ("a ", "an ", "some ", "the "):
            phrase = phrase.removeprefix(article)
        return phrase

    def _instrument_names(self, plan: Plan, rng: random.Random) -> str:
        assert plan.programs is not None
        ensembles = self._ensembles.get(plan.programs)
        if ensembles and rng.random() < 0.5:
            return rng.choice(ensembles)
        names = [
            self._instruments[str(p)]["say"][0]
            if rng.random() < 0.6
            else rng.choice(self._instruments[str(p)]["say"])
            for p in plan.programs
        ]
        if plan.programs == (DRUMS,):
            return rng.choice(("drums", "drum kit", "drums only", "solo drums"))
        rng.shuffle(names)
        return _listed(list(dict.fromkeys(names)), rng)

    def _tempo(self, plan: Plan, rng: random.Random) -> str:
        assert plan.tempo is not None
        words = [t["word"] for t in self._tempi if t["low"] <= plan.tempo <= t["high"]]
        if words and rng.random() < 0.45:
            return str(rng.choice(words))
        bpm = round(plan.tempo)
        return rng.choice((f"{bpm} bpm", f"{bpm} BPM", f"{bpm} bpm", f"tempo {bpm}"))


def _is_whole(plan: Plan) -> bool:
    """Whether the instruments are the usual ones of the genre.

    If not, a caption names them: a person who asks for a pop song and says no more does not expect
    a solo piano.
    """
    return counts(plan.genre, plan.programs or ())


def _listed(names: list[str], rng: random.Random) -> str:
    if len(names) == 1:
        return names[0]
    if rng.random() < 0.25:
        return rng.choice((", ", " + ", ", ")).join(names)
    return ", ".join(names[:-1]) + rng.choice((" and ", " and ", " & ")) + names[-1]


def _key(plan: Plan, rng: random.Random) -> str:
    assert plan.key is not None
    name, minor = plan.key.split()[0], is_minor(plan.key)
    if name in _ENHARMONIC and rng.random() < 0.15:
        name = _ENHARMONIC[name]
    style = rng.random()
    if style < 0.08:
        return f"{name}m" if minor else f"{name} maj"
    if style < 0.12 and plan.key.split()[0] == name:
        german = _GERMAN.get(name, name)
        return f"{german.lower()}-moll" if minor else f"{german}-Dur"
    if style < 0.5 and len(name) == 2:
        sep = rng.choice((" ", "-"))
        name = name[0] + sep + ("sharp" if name[1] == "#" else "flat")
    return f"{name} {'minor' if minor else 'major'}"


def _metre(plan: Plan, rng: random.Random) -> str:
    return f"{plan.time_signature}" + rng.choice(("", "", " time", " time signature"))


def _article(phrase: str) -> str:
    return f"an {phrase}" if phrase[:1].lower() in "aeiou" else f"a {phrase}"


def _sentence(said: Phrases, rng: random.Random) -> str:
    parts = [getattr(said, name) for name in Phrases.__slots__]
    known = [part for part in parts if part]
    if not known:
        return rng.choice(("", "music", "some music", "play something"))
    if len(known) == 1 and rng.random() < 0.5:
        return str(known[0])
    shape = rng.random()
    if shape < 0.25:  # telegraphic: "sad waltz, piano, 3/4"
        if rng.random() < 0.6 and said.mood and said.genre:
            known = [
                f"{said.mood} {said.genre}",
                *(p for p in known if p not in (said.mood, said.genre)),
            ]
        else:
            rng.shuffle(known)
        return rng.choice((", ", ", ", " ", "; ")).join(known)
    if shape < 0.42:
        return _full_sentence(said, rng)
    return _noun_phrase(said, rng)


def _noun_phrase(said: Phrases, rng: random.Random) -> str:
    """ "a slow sad waltz for piano in A minor, 3/4", perhaps with an opener."""
    tempo_word = said.tempo if said.tempo and not any(c.isdigit() for c in said.tempo) else None
    early = bool(tempo_word) and rng.random() < 0.6
    bare = not said.genre and said.instruments and rng.random() < 0.5
    noun = said.genre or (said.instruments if bare else rng.choice(("piece", "tune", "music")))
    head = " ".join(p for p in (tempo_word if early else None, said.mood, noun) if p)
    tail: list[str] = []
    if said.instruments and not bare:
        tail.append(f"{rng.choice(('for', 'for', 'with', 'on'))} {said.instruments}")
    if said.key:
        tail.append(f"{rng.choice(('in', 'in', 'in the key of'))} {said.key}")
    if said.scene:
        tail.append(f"{rng.choice(('for', 'evoking', 'about', 'like'))} {said.scene}")
    extras = [said.metre, said.bars, said.density]
    if said.tempo and not early:
        extras.append(said.tempo if tempo_word or rng.random() < 0.4 else f"at {said.tempo}")
    loose = [p for p in extras if p]
    rng.shuffle(loose)
    countable = noun != "music" and noun != said.instruments
    text = " ".join([_article(head) if countable and rng.random() < 0.7 else head, *tail])
    text = ", ".join([text, *loose])
    return rng.choice(_OPENERS).format(text) if rng.random() < 0.2 else text


def _full_sentence(said: Phrases, rng: random.Random) -> str:
    """ "This classical piece in F minor features clarinet; the tempo is 96 BPM ..." """
    subject = f"This {said.genre or rng.choice(('piece', 'music', 'track', 'composition'))}"
    if said.key:
        subject += f" in {said.key}"
    verbs = [f"{rng.choice(('features', 'is played by', 'is for'))} {said.instruments}"] if (
        said.instruments
    ) else []  # fmt: skip
    if said.mood:
        a_mood = f"has {_article(said.mood)} mood"
        plain = (f"sounds {said.mood}", f"feels {said.mood}", f"is {said.mood}")
        verbs.append(rng.choice((*plain, a_mood)))
    if said.scene:
        verbs.append(f"{rng.choice(('evokes', 'suits', 'brings to mind'))} {said.scene}")
    if said.bars:
        verbs.append(f"lasts {said.bars}")
    clauses = [f"{subject} {' and '.join(verbs)}"] if verbs else [subject]
    if said.tempo:
        pace = said.tempo.removeprefix("tempo ")
        clauses.append(rng.choice(("the tempo is {}", "its pace is {}", "{}")).format(pace))
    if said.metre:
        clauses.append(rng.choice(("the metre is {}", "it is in {}", "{}")).format(said.metre))
    if said.density:
        clauses.append(rng.choice(("texture: {}", "{}")).format(said.density))
    return rng.choice(("; ", ", ", ". ")).join(clauses) + "."
