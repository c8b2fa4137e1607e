"""Facts read out of free text, one fact per file.

Each `read_*` function takes prepared text (`text.prepare`) and returns a `Reading`: the value (None
when nothing is said), what was said but could not be used, and the places it was read from. A fact
is read only where the words can hardly mean anything else: a missed fact stays in the caption,
where the model sees it, but a wrongly forced one can't be undone.
"""
