"""The one exception that people are meant to read, and what other exceptions add to it."""


class TextMusicError(Exception):
    """A problem the person can solve: one sentence, "what is wrong; what to do."

    The command line prints the sentence and exits with code 2; the page shows it; Python callers
    catch it. Anything else that escapes is a defect of ours and keeps its traceback.
    """


def one_line(problem: BaseException, longest: int | None = None) -> str:
    """What a library's exception says, on one line and without a full stop; else its type.

    longest: characters; the rest is cut off.
    """
    return " ".join(str(problem).split())[:longest].rstrip(".") or type(problem).__name__


def first_line(problem: object) -> str:
    """The first line of what a library's exception says, without its last mark; else its type."""
    return str(problem).partition("\n")[0].rstrip(":.\r") or type(problem).__name__
