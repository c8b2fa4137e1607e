"""Written music of others -> scores: MusicXML, compressed MusicXML, ABC and Humdrum kern.

bytes -> text -> (musicxml, abc, kern) sheet: parts of measures of notes -> (bars) score
"""

__all__ = ["abc_text", "packed", "reading", "sheet"]
