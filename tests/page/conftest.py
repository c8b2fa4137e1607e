"""The page in a real browser: a server with tiny models, and browsers by language."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import opened, severe, started

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


@pytest.fixture(scope="module")
def engines() -> list[Any]:
    """Those behind the page, once it is there."""
    return []


@pytest.fixture(scope="module")
def address(
    tiny_model: Path, engines: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("cache")))
        from textmusic.page.layout import serve
        from textmusic.writing.text_to_music import TextToMusic

        load = TextToMusic.from_pretrained
        models = {name: load(tiny_model, threads=1) for name in ("default", "lstm")}
        engines += [music.engine for music in models.values()]
        app, url, _ = serve(models, prevent_thread_lock=True, quiet=True)
        yield url
        app.get_blocks().close(verbose=False)


@pytest.fixture(scope="module")
def browsers() -> Iterator[Callable[..., Chrome]]:
    """Browsers by language, started once."""
    there: dict[Any, Chrome] = {}

    def browser(*which: str) -> Chrome:
        if which not in there:
            there[which] = started(*which)
        return there[which]

    yield browser
    for one in there.values():
        one.quit()


@pytest.fixture
def open_page(address: str, browsers: Callable[..., Chrome]) -> Iterator[Callable[..., Chrome]]:
    """The page as a new visitor sees it; nothing that happens there may be an error."""
    used: list[Chrome] = []

    def visit(*which: str) -> Chrome:
        used.append(browsers(*(which or ("en",))))
        severe(used[-1])
        return opened(used[-1], address)

    yield visit
    for browser in used:
        problems = severe(browser)
        browser.get("about:blank")
        severe(browser)
        assert not problems


@pytest.fixture
def slowly(engines: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """256 bars take minutes."""
    step = engines[0].step

    def slow(ids: Any) -> Any:
        time.sleep(0.01)
        return step(ids)

    monkeypatch.setattr(engines[0], "step", slow)
