"""What can be done with the bars that are selected on the roll, by the library's own functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from textmusic.errors import TextMusicError
from textmusic.language.controls import Controls, well_formed
from textmusic.language.prompt import MAX_CHARACTERS, check_length, read_prompt
from textmusic.music.midi_sounding import to_score
from textmusic.music.sketch import BeatChord
from textmusic.music.theory import DRUMS
from textmusic.page.forms import count, stripped
from textmusic.page.piece import Piece
from textmusic.page.piece_view import View, chords_over, with_chord
from textmusic.page.service import Wish, Work
from textmusic.system.values import text, truth
from textmusic.writing.harmonising import Accompaniment, Rows, chosen, in_symbols, proposals
from textmusic.writing.rewriting import open_to_add, open_to_rewrite
from textmusic.writing.sources import read_piece
from textmusic.writing.theme_and_variations import ThemeAndVariations
from textmusic.writing.tunes import Tune, read_tune
from textmusic.writing.varying import Theme, Varying, usual_variations

VERBS = ("rewrite", "vary", "add", "harmonise", "form", "chord")
_ACCOMPANIES = (0, 24)  # piano; guitar, where a piano plays the melody


@dataclass(frozen=True)
class Selection:
    """Bars of a piece, and what is said of them.

    bars: the first and the last, as people count them. part: a program; None: all parts. said: what
    else the desk sends: text, player (a program, or null), form, theme (whether it stands before
    the variation), index and name (of a chord).
    """

    piece: Piece
    view: View
    bars: tuple[int, int]
    part: int | None
    said: Mapping[str, Any]

    @property
    def whole(self) -> bool:
        """Whether all bars of all parts are selected."""
        return self.all_bars and (self.part is None or len(self.parts) == 1)

    @property
    def all_bars(self) -> bool:
        """Whether no bar is left out."""
        return self.bars == (1, len(self.view["bars"]) - 1)

    @property
    def parts(self) -> list[int]:
        """The programs of the piece."""
        return [part["key"] for part in self.view["parts"]]

    @property
    def words(self) -> str:
        """What was typed beside it."""
        return well_formed(check_length(self.said.get("text") or ""))

    @property
    def chords(self) -> str | None:
        """The chords that stand over the bars; None where one has none."""
        first, last = self.bars
        return chords_over(self.view["bars"], self.view["chords"], first - 1, last) or None

    @property
    def form(self) -> str:
        """The form that was typed."""
        form = stripped("form", self.said.get("form"))
        if form is None:
            raise TextMusicError("no form is given; type one, such as AABA or verse chorus.")
        return form

    def player(self) -> int | None:
        """The instrument that was chosen; None: the words name it."""
        said = self.said.get("player")
        return None if said is None else count("instrument", said, 0, DRUMS)


def selection_of(piece: Piece, view: View, said: Mapping[str, Any]) -> Selection:
    """What the desk sends, checked; see `desk.desk`."""
    part = said.get("part")
    if said.get("what") == "chord":
        bars, _ = with_chord(view, said.get("index"), said.get("name"))
    else:
        bars = _bars(said.get("bars"), len(view["bars"]) - 1)
    return Selection(
        piece, view, bars, None if part is None else count("part", part, 0, DRUMS), said
    )


def work_of(chosen_bars: Selection, before: int) -> tuple[Work, Wish]:
    """What is written for what the desk wants, and the wish with it.

    before: how many pieces were made of this one already, so that each variation is another one.
    Raises TextMusicError for what can't be done.
    """
    verbs: dict[str, Callable[[Selection], tuple[Work, Wish]]] = {
        "rewrite": _rewritten, "add": _added, "harmonise": _harmonised, "form": _formed,
        "chord": _with_chord, "vary": lambda it: _varied(it, before),
    }  # fmt: skip
    verb = verbs.get(text("what", chosen_bars.said.get("what"), MAX_CHARACTERS))
    if verb is None:
        raise TextMusicError("the page is out of date; reload it.")
    return verb(chosen_bars)


def _anew(it: Selection, controls: Controls) -> tuple[Work, Wish]:
    players = [] if it.part is None else [it.part]
    opened = open_to_rewrite(read_piece(it.piece.midi), it.bars, players)
    return opened.rewriting, Wish(it.words, controls)


def _rewritten(it: Selection) -> tuple[Work, Wish]:
    return _anew(it, Controls())


def _with_chord(it: Selection) -> tuple[Work, Wish]:
    _, chords = with_chord(it.view, it.said.get("index"), it.said.get("name"))
    return _anew(it, Controls(chords=chords))


def _formed(it: Selection) -> tuple[Work, Wish]:
    return _anew(it, Controls(form=it.form))


def _varied(it: Selection, before: int) -> tuple[Work, Wish]:
    """Of the whole piece a variation; of some bars other notes over the same chords."""
    if not it.whole:
        return _anew(it, Controls(chords=it.chords))
    theme, wish = Theme(read_piece(it.piece.midi)), Wish(it.words)
    number = None if wish.text else before % len(usual_variations(theme))
    kind = ThemeAndVariations if truth("theme", it.said.get("theme") or False) else Varying
    return partial(kind, theme=theme, number=number), wish


def _added(it: Selection) -> tuple[Work, Wish]:
    player, wish = it.player(), Wish(it.words)
    named = (read_prompt(wish.text).asked.programs or ()) if player is None else [player]
    return open_to_add(read_piece(it.piece.midi), it.bars, named).rewriting, wish


def _harmonised(it: Selection) -> tuple[Work, Wish]:
    """Other chords under a melody: what accompanies it is written anew, or is added to it."""
    melody, events = _melody(it), read_piece(it.piece.midi)
    others = [part for part in it.parts if part not in (melody, DRUMS)]
    player = it.player()
    if player is None:
        player = next(program for program in _ACCOMPANIES if program != melody)
    if len(it.parts) == 1 and it.all_bars:
        tune, wish = read_tune(events), Wish(it.words)
        proposal, players = chosen(tune), (player,)
        return lambda music, brief: Accompaniment(music, tune, proposal, players, brief), wish
    score = to_score(events)
    score.tracks = [t for t in score.tracks if not t.is_drum and t.program == melody]
    wish = Wish(it.words, Controls(chords=_other_chords(read_tune(score), it)))
    if others:
        return open_to_rewrite(events, it.bars, others).rewriting, wish
    return open_to_add(events, it.bars, [player]).rewriting, wish


def _melody(it: Selection) -> int:
    """The part that is harmonised: the selected one, or the only one that has pitches."""
    pitched = [part for part in it.parts if part != DRUMS]
    melody = pitched[0] if it.part is None and len(pitched) == 1 else it.part
    if melody is None or melody == DRUMS:
        raise TextMusicError("there are several parts; select the one that has the melody.")
    return melody


def _other_chords(tune: Tune, it: Selection) -> str:
    """The best of the proposed chords that are not there already, of the selected bars."""
    before = tune.material.before
    first, last = (bar - before for bar in it.bars)
    if first < 1:
        raise TextMusicError(
            f"bar {it.bars[0]} is before the last change of time signature; choose bars from"
            f" {before + 1} on."
        )
    if first > tune.bars:
        raise TextMusicError("the melody has ended before these bars; select others.")
    rows = [_through_rests(one.rows[first - 1 : last]) for one in proposals(tune)]
    found = [in_symbols(bars, tune.key) for bars in rows if bars]
    if not found:
        raise TextMusicError("the melody rests in these bars; select others.")
    return next((chords for chords in found if chords != it.chords), found[0])


def _through_rests(rows: Rows) -> Rows:
    """The chords of bars; a bar without one takes the last before it, or the first after it."""
    sounding = [tuple(change for change in row if change[1] is not None) for row in rows]
    behind = next((row[0][1] for row in sounding if row), None)
    if behind is None:
        return ()
    filled: list[tuple[BeatChord, ...]] = []
    for row in sounding:
        filled.append(row or ((0, filled[-1][-1][1] if filled else behind),))
    return tuple(filled)


def _bars(said: object, total: int) -> tuple[int, int]:
    """Bars as people count them, of [first from 0, the one behind the last]; total: how many."""
    if not isinstance(said, list) or len(said) != 2:
        raise TextMusicError("no bars are selected; drag over them on the roll.")
    first, stop = (count("bars", bar, 0, total) for bar in said)
    return first + 1, stop
