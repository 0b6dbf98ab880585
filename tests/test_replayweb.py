"""replayweb.page's own player shows the captures of a WACZ; `make replayweb` fetches it from the registry of npm."""

import io
import os
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import IO

import pytest
from playwright.sync_api import expect

from tests.dbkit import day, exported, html, loaded, node, page
from tests.webkit import CHROMIUM, browser

PLAYER = Path(os.environ.get("TTA_REPLAYWEB", "/nowhere"))
"""A folder with `ui.js` and `sw.js` of the npm package replaywebpage."""
SHOWS = """<!doctype html><title>replay</title><script src="replay/ui.js"></script><body style="height: 95vh">
<replay-web-page source="a.wacz" url="{}" ts="{}" embed="replayonly"></replay-web-page>"""


class Ranged(SimpleHTTPRequestHandler):
    """Sends parts of a file, as every web server but Python's does; the player reads a WACZ by its directory."""

    def send_head(self) -> IO[bytes] | None:  # type: ignore[override]
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("range", ""))
        path = Path(self.translate_path(self.path))
        if not asked or not path.is_file():
            return super().send_head()
        content = path.read_bytes()
        first = int(asked[1]) if asked[1] else max(0, len(content) - int(asked[2]))
        last = min(int(asked[2]) if asked[1] and asked[2] else len(content), len(content) - 1)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        return io.BytesIO(content[first : last + 1])


@pytest.mark.browser
@pytest.mark.skipif(not (PLAYER / "sw.js").is_file() or not CHROMIUM, reason="no replayweb.page or no Chromium: make replayweb")
def test_replayweb_shows_each_capture(tmp_path: Path) -> None:
    seen = {"Kings": 0, "Queens": 9}
    made = [page(html({"County": county}), url=node(1), when=day(n)) for county, n in seen.items()]
    exported("wacz", loaded(tmp_path / "data", made), tmp_path / "a.wacz")
    (tmp_path / "replay").symlink_to(PLAYER)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranged, directory=str(tmp_path)))
    Thread(target=server.serve_forever, daemon=True).start()
    with browser(tmp_path / "profile") as context:
        for county, n in seen.items():
            (tmp_path / f"{county}.html").write_text(SHOWS.format(node(1), day(n).strftime("%Y%m%d%H%M%S")))
            shown = context.new_page()
            shown.goto(f"http://127.0.0.1:{server.server_port}/{county}.html")
            expect(shown.frame_locator("iframe").frame_locator("iframe").get_by_text(county)).to_be_visible(timeout=60_000)
    server.shutdown()
