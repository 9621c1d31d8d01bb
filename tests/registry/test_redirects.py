"""Where a registry may lead to."""

from __future__ import annotations

import pytest

from llmstack_tui.registry.redirects import leads_inside, why_not_followed

OUTSIDE, INSIDE = "https://93.184.215.14/v2/", "https://10.1.2.3/v2/"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("origin", "target", "kind"),
    [
        (OUTSIDE, "https://93.184.215.15/x", None),
        (OUTSIDE, "HTTPS://93.184.215.15/x", None),
        (OUTSIDE, "http://93.184.215.14/x", "registry.unsafe_redirect"),
        (INSIDE, "http://10.1.2.3/x", "registry.unsafe_redirect"),
        (INSIDE.replace("https", "http"), "http://93.184.215.15/x", None),
        (INSIDE, "https://192.168.1.1/x", None),
        (OUTSIDE, "https://192.168.1.1/x", "registry.inward_redirect"),
        (OUTSIDE, OUTSIDE, None),
    ],
)
async def test_redirects(origin: str, target: str, kind: str | None) -> None:
    assert await why_not_followed(origin, target) == kind


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1"),
        *(
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "localhost",
            "a.localhost",
        ),
        # Forms that only the system's look-up knows.
        *("127.1", "2130706433", "0x7f000001"),
    ],
)
async def test_what_is_inside(host: str) -> None:
    assert await leads_inside(OUTSIDE, f"https://{host}:5000/x")
    assert not await leads_inside(f"https://{host}:5000/x", OUTSIDE)
    assert not await leads_inside(INSIDE, f"https://{host}:5000/x")


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "172.32.0.1", "198.18.0.1", "[2606:4700::1]", "registry.invalid", ""]
)
async def test_what_is_outside(host: str) -> None:
    assert not await leads_inside(OUTSIDE, f"https://{host}:5000/x")
