"""A figure with its interval, and the sections of an evaluation's report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A share or mean with its 95 % bootstrap interval, low to high. n: how many it rests on.

    Unit and range are those of what was averaged; a share is 0 to 1, and printed as per cent.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:6.1%} [{self.low:.1%}, {self.high:.1%}] n={self.n}"


@dataclass(frozen=True, slots=True)
class Section:
    """Figures of one kind. share: they are 0 to 1, shown as per cent."""

    title: str
    about: str
    share: bool


SECTIONS = {
    "asked": Section(
        "What was asked for and what came out",
        "Facts of the prompt, heard in the notes. An answer that is missing or can't be read is"
        " not valid, and counts for no other figure. CK: key; CKD: key or its relative;"
        " CTS: time signature; TB: tempo band; TBT: that band or the next. Keys are judged by"
        " music21; the report of a piece has textmusic's own estimate, which steers the writing,"
        " and the two differ in some pieces. As sketched: the share"
        " of time in which the sketch's chords are heard, and of its repeated bars that are"
        " repeated.",
        True,
    ),
    "alone": Section(
        "Planned by the model alone", "The model reads the prompt; nothing is forced.", True
    ),
    "words": Section(
        "Single mood words",
        "Nothing is forced; the held-out words and scenes were in no training caption.",
        True,
    ),
    "likelihood": Section(
        "Prediction of real music", "For the real answers to the prompts; lower is better.", False
    ),
    "beside": Section(
        "Compared with real music",
        "How similar the distributions of features are (1: identical), and figures of the pieces.",
        False,
    ),
    "data": Section(
        "Compared with the training data",
        "The longest run shared with a training piece; whether a classifier recognises the genre.",
        False,
    ),
    "sound": Section(
        "How it sounds",
        "Distance from real music, same soundfont; lower is better.",
        False,
    ),
}
