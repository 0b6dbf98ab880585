"""Runs docs/deploy/crontab under the real cron daemon and reads its mail: `python -m tests.campaigns.cron_line`.

Needs root and the packages cron and util-linux. The daemon gets a mount namespace of its own: it sees no crontab but ours and
posts to nobody, and nothing of the machine changes. Cron counts in minutes, so this takes two: a good night, and a bad one.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scraper.folders import Folders
from tests.dbkit import html, query
from tests.deploykit import DEPLOY, TIME_OF_DAY, TTA
from tests.fakearchive.run import HOST, write_config
from tests.fakearchive.server import FakeArchive

MOST_SECONDS = 100.0
_NAMESPACE = """
set -e
mount --make-rprivate /
mount -t tmpfs none "$WORK/layers"
mkdir "$WORK/layers/upper" "$WORK/layers/work"
mount -t overlay overlay -o "lowerdir=/usr/sbin,upperdir=$WORK/layers/upper,workdir=$WORK/layers/work" /usr/sbin
printf '#!/bin/sh\\ncat > "%s/mail.$$"\\n' "$WORK" > /usr/sbin/sendmail
chmod 755 /usr/sbin/sendmail
for folder in /etc/cron.d /var/spool/cron/crontabs /run; do mount -t tmpfs none "$folder"; done
: > "$WORK/empty"
mount --bind "$WORK/empty" /etc/crontab
cp "$WORK/crontab" /etc/cron.d/tta
chmod 644 /etc/cron.d/tta
exec cron -f -L 15
"""


def crontab(home: Path) -> str:
    """The guide's lines, for every minute and with a user, as a file in /etc/cron.d has it."""
    text = (DEPLOY / "crontab").read_text(encoding="utf-8")
    changed, count = TIME_OF_DAY.subn("* * * * * root ", text)
    assert count == 1
    return f"HOME={home}\n{changed}"


def wait_for(what: str, seen: Callable[[], bool]) -> None:
    """Raises TimeoutError after MOST_SECONDS."""
    until = time.monotonic() + MOST_SECONDS
    while not seen():
        if time.monotonic() > until:
            raise TimeoutError(f"cron did not bring about in {MOST_SECONDS:.0f} s: {what}")
        time.sleep(0.2)


def main() -> None:
    """Prints what came of each night."""
    if os.geteuid() != 0:
        sys.exit("this needs root, for a mount namespace")
    with tempfile.TemporaryDirectory() as scratch, FakeArchive().running() as fake:
        work = Path(scratch)
        program = work / "home/tta"
        (program / "data").mkdir(parents=True)
        (work / "layers").mkdir()
        (program / ".venv").symlink_to(TTA.parents[1])
        write_config(program / "tta.toml", fake.url)
        fake.add(f"https://{HOST}/node/1", "20240101000000", html({"County": "Suffolk County"}, node=1))
        (work / "crontab").write_text(crontab(work / "home"))
        daemon = subprocess.Popen(["unshare", "--mount", "sh", "-c", _NAMESPACE], env=os.environ | {"WORK": scratch})
        try:
            report = program / "data/refresh.log"
            wait_for("a report", lambda: report.is_file() and "committed" in report.read_text())
            assert query(Folders(program / "data"), "SELECT count(*) FROM records") == [(1,)]
            assert not list(work.glob("mail.*")), "a good night sent mail"
            print("a good night: one record, a report, no mail")  # noqa: T201
            (program / "tta.toml").write_text("[nonsense]\n")
            wait_for("mail", lambda: any(mail.stat().st_size for mail in work.glob("mail.*")))
            time.sleep(0.5)
            mail = next(work.glob("mail.*")).read_text()
            assert "To: you@example.org" in mail, mail
            assert "tta.toml" in mail.partition("\n\n")[2], mail
            print(f"a bad night: mail\n{mail}")  # noqa: T201
        finally:
            daemon.terminate()
            daemon.wait(timeout=10)


if __name__ == "__main__":
    main()
