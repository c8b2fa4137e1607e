"""The page as others are served it: settings of its surroundings, tools, who asks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from textmusic.errors import TextMusicError

if TYPE_CHECKING:
    from textmusic.writing.text_to_music import TextToMusic


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TEXTMUSIC_MAX_BARS", "many", "from 1 to 256"),
        ("TEXTMUSIC_USER", "me", "set both"),
    ],
)
def test_a_wrong_environment_is_said(
    tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    from textmusic.page.layout import serve

    monkeypatch.setenv(name, value)
    with pytest.raises(TextMusicError, match=said):
        serve({"default": tiny})


def test_without_its_extra_mcp_is_refused(
    tiny: TextToMusic, monkeypatch: pytest.MonkeyPatch
) -> None:
    from textmusic.page.layout import serve

    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(TextMusicError, match=r"pip install 'textmusic\[mcp\]'"):
        serve({"default": tiny}, mcp=True)


def test_its_functions_are_tools_for_assistants(tiny: TextToMusic, tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="needs the mcp extra")
    import httpx

    from textmusic.page.endpoints import functions_of
    from textmusic.page.layout import serve
    from textmusic.page.service import Service

    app, url, _ = serve({"default": tiny}, mcp=True, prevent_thread_lock=True, quiet=True)
    try:
        tools = httpx.get(f"{url}gradio_api/mcp/schema").json()
        names = {tool["name"].rpartition("textmusic_")[2] for tool in tools}
        wanted = functions_of(Service({"default": tiny}, tmp_path))
        assert names == {function.__name__ for function in wanted.values()}
    finally:
        app.get_blocks().close(verbose=False)


@pytest.mark.bundled
def test_app() -> None:
    """app.py imports without starting anything, and its models make a page."""
    import runpy

    from textmusic.page.layout import build_page

    app = runpy.run_path(str(Path(__file__).parents[2] / "app.py"))
    models = app["load_models"]([], threads=1)
    assert list(models) == ["default", "lstm"]
    assert build_page(models).fns


@pytest.mark.parametrize(
    ("host", "counted"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
     ("2001:db8:1:2::9", "2001:db8:1:2::/64"), ("::ffff:192.0.2.7", "192.0.2.7"),
     ("testclient", "testclient")],
)  # fmt: skip
def test_addresses_are_counted_by_house(host: str, counted: str) -> None:
    from textmusic.page.forms import network_of

    assert network_of(host) == counted


def test_a_client_that_names_its_session_is_counted_by_its_address() -> None:
    from types import SimpleNamespace

    from textmusic.page.forms import visitor_of

    request: Any = SimpleNamespace(session_hash="mine", client=SimpleNamespace(host="192.0.2.7"))
    assert (visitor_of(request).name, visitor_of(request).counted) == ("mine", "192.0.2.7")
    assert visitor_of(None).counted == "program"


@pytest.mark.parametrize(
    ("proxy", "believed"),
    [("", ""), ("127.0.0.1", "127.0.0.1/32"), ("10.0.0.0/8, ::1", "10.0.0.0/8,::1/128")],
)
def test_only_proxies_that_are_named_are_believed(proxy: str, believed: str) -> None:
    from textmusic.page.launch import trusted

    assert trusted(proxy) == believed
    with pytest.raises(TextMusicError, match="is not an address or a network; give one such as"):
        trusted(f"{proxy},*")
