"""The one exception that people are meant to read."""


class TextMusicError(Exception):
    """A problem the person can solve: one sentence, "what is wrong; what to do."

    The command line prints the sentence and exits with code 2; the page shows it; Python callers
    catch it. Anything else that escapes is a defect of ours and keeps its traceback.
    """
