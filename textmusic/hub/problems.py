"""Problems with the Hub, as sentences that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textmusic.errors import TextMusicError, one_line
from textmusic.hub.files import CARD

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError


@contextmanager
def in_words(model: str, *, revision: str | None = None, pushing: bool = False) -> Iterator[None]:
    """Turn exceptions of the Hub's client in this block into a TextMusicError."""
    from huggingface_hub import errors

    # HTTPError is that of requests, httpx or httpx2, on which the client is built in its versions;
    # a failed upload of a large file is wrapped in a RuntimeError.
    try:
        yield
    except errors.HFValidationError:
        raise TextMusicError(
            f"'{model}' is neither a folder nor a Hub id; give a folder that exists or user/name."
        ) from None
    except (errors.HTTPError, OSError, RuntimeError) as problem:  # type: ignore[attr-defined]
        raise TextMusicError(_explained(model, problem, revision, pushing)) from None
    except ValueError as problem:
        if not pushing:
            raise
        # the Hub's judgement of the card's metadata
        raise TextMusicError(
            f"'{model}' could not be pushed ({one_line(problem)}); fix the metadata in {CARD}."
        ) from None


def _explained(model: str, problem: Exception, revision: str | None, pushing: bool) -> str:
    from huggingface_hub import errors

    causes = list(_causes(problem))
    answers = [cause for cause in causes if isinstance(cause, errors.HfHubHTTPError)]
    if answers:
        unknown = isinstance(answers[0], errors.RevisionNotFoundError)
        if unknown and revision is not None:
            return f"'{model}' has no revision '{revision}'; choose one of its branches or tags."
        return _refusal(model, answers[0], pushing)
    if any(isinstance(cause, errors.OfflineModeIsEnabled) for cause in causes):
        there = "" if pushing else f"'{model}' is not in the cache, and "
        return f"{there}HF_HUB_OFFLINE blocks the Hub; unset it."
    if isinstance(problem, errors.LocalEntryNotFoundError):
        return (
            f"'{model}' is not a folder here and the Hub cannot be reached; check the name and the"
            " connection."
        )
    return (
        f"the connection to the Hub failed ({one_line(problem)}); try again, and complete files"
        " are kept."
    )


def _refusal(model: str, answer: HfHubHTTPError, pushing: bool) -> str:
    """What an HTTP status of the Hub means; the client has tried again by then where that helps."""
    status = answer.response.status_code
    if status == 401 and pushing:
        return (
            "the Hub does not accept your token; create one with write access at"
            " huggingface.co/settings/tokens, and run 'hf auth login' or set HF_TOKEN."
        )
    if status in (401, 404):
        return (
            f"there is no '{model}' on the Hub, or it is private and your token has no access;"
            " check the name, or run 'hf auth login'."
        )
    if status == 403 and pushing:
        return (
            f"your token can't write to '{model}'; use your own user name, or create a token"
            " with write access at huggingface.co/settings/tokens."
        )
    if status == 403:
        return f"you have no access to '{model}'; ask for it at huggingface.co/{model}."
    if status == 429:
        return "the Hub got too many requests from here (429); wait a few minutes and try again."
    if status >= 500:
        return f"the Hub reports a server error ({status}); try again later."
    doing = "pushed" if pushing else "fetched"
    return f"'{model}' could not be {doing} ({one_line(answer)}); check the name and the revision."


def _causes(problem: BaseException | None) -> Iterator[BaseException]:
    while problem is not None:
        yield problem
        problem = problem.__cause__
