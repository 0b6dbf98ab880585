"""The files of docs/deploy do what their guide states: each is run for real, on this machine and on loopback."""

import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from compose_spec import PyCompose

from scraper.folders import Folders
from tests.dbkit import html, one
from tests.fakearchive.run import HOST, write_config
from tests.fakearchive.server import FakeArchive
from tests.test_fetch_ends import wait_for
from tests.webkit import serving

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs/deploy"
UNITS = ("tta-refresh.service", "tta-refresh.timer", "tta-serve.service")
TTA = Path(os.environ.get("VIRTUAL_ENV", ROOT / ".venv")) / "bin/tta"
TIME_OF_DAY = re.compile(r"^17 3 \* \* \* +", re.MULTILINE)


def tool(name: str) -> str:
    """Where a program is; where it is not, the test is skipped with a line, or fails where deployment has to be tried."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if not found:
        if os.environ.get("TTA_REQUIRE_DEPLOY") == "1":
            pytest.fail(f"{name} is not installed, and TTA_REQUIRE_DEPLOY is set")
        pytest.skip(f"{name} is not installed")
    return found


def publish(fake: FakeArchive, *nodes: int, at: str = "20240101000000") -> None:
    for number in nodes:
        page = html({"County": "Suffolk County"}, node=number, title=f"20240101-90000-{number}")
        fake.add(f"https://{HOST}/node/{number}", at, page)


def records(data: Path) -> int:
    return int(one(Folders(data), "SELECT count(*) FROM records"))


# systemd


def done(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)


def test_systemd_accepts_the_units_and_confines_the_services(tmp_path: Path) -> None:
    """Exposure from 0 (none) to 10; an unconfined service has 9.6. The threshold is in tenths."""
    analyze, units = tool("systemd-analyze"), [tmp_path / name for name in UNITS]
    for path in units:
        path.write_text((DEPLOY / path.name).read_text().replace("/opt/tta/.venv/bin/tta", str(TTA)))
    verified = done(analyze, "verify", *units)
    assert (verified.returncode, verified.stderr) == (0, "")
    for path in units:
        if path.suffix == ".service":
            rated = done(analyze, "security", "--offline=true", "--threshold=20", path)
            assert rated.returncode == 0, rated.stdout[-300:]


def test_the_units_command_is_a_refresh_that_works(fake: FakeArchive, tmp_path: Path) -> None:
    publish(fake, 1, 2)
    config = write_config(tmp_path / "tta.toml", fake.url)
    (command,) = re.findall(r"^ExecStart=(.+)$", (DEPLOY / "tta-refresh.service").read_text(), re.MULTILINE)
    here = {
        "/opt/tta/.venv/bin/tta": TTA,
        "/var/lib/tta": tmp_path / "data",
        "/etc/tta/tta.toml": config,
        "/var/log/tta": tmp_path,
    }
    words = [
        next((word.replace(far, str(near)) for far, near in here.items() if far in word), word) for word in shlex.split(command)
    ]
    ran = done(*words, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert records(tmp_path / "data") == 2
    assert (tmp_path / "refresh.jsonl").read_text().count("\n") > 2


# cron


@pytest.fixture
def home(fake: FakeArchive, tmp_path: Path) -> Path:
    """A home folder as the guide leaves it: the program in ~/tta, and beside it its configuration and its data."""
    program = tmp_path / "home/tta"
    (program / "data").mkdir(parents=True)
    (program / ".venv").symlink_to(TTA.parents[1])
    write_config(program / "tta.toml", fake.url)
    return tmp_path / "home"


def cron_command() -> str:
    (line,) = [line for line in (DEPLOY / "crontab").read_text().splitlines() if line[:1].isdigit()]
    return TIME_OF_DAY.sub("", line)


def as_cron(home: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command with no more than cron gives it."""
    bare = {"HOME": str(home), "LOGNAME": "somebody", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    return done("/bin/sh", "-c", command, env=bare, cwd=home)


def test_cron_accepts_the_crontab() -> None:
    read = done(tool("crontab"), "-n", DEPLOY / "crontab")
    assert read.returncode == 0, read.stderr
    assert "%" not in cron_command()  # a percent sign ends a command there


def test_a_good_night_keeps_its_report_and_a_bad_one_sends_mail_that_states_what_to_look_at(
    fake: FakeArchive, home: Path
) -> None:
    publish(fake, 1)
    good = as_cron(home, cron_command())
    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    assert "committed" in (home / "tta/data/refresh.log").read_text()
    assert records(home / "tta/data") == 1
    assert (home / "tta/data/tta.db").stat().st_mode & 0o007 == 0
    (home / "tta/tta.toml").write_text("[nonsense]\n")
    fake.requests.clear()
    bad = as_cron(home, cron_command())
    assert (bad.returncode != 0, bad.stdout, "tta.toml" in bad.stderr, fake.requests) == (True, "", True, [])


# a scheduled workflow

_GH = """#!/bin/sh
# A release is a folder of its name.
cd "$RELEASES" || exit 1
command="$1 $2"; tag="$3"; shift 3
[ -d "$tag" ] || { echo "release not found" >&2; exit 1; }
case "$command" in
  "release view") ls "$tag" ;;
  "release download") cp "$tag/$2" "$OLDPWD/" ;;
  "release upload") for file; do [ "$file" = --clobber ] || cp "$OLDPWD/$file" "$tag/" || exit 1; done ;;
  "release delete-asset") rm "$tag/$1" ;;
  *) echo "unknown: $command" >&2; exit 1 ;;
esac
"""


class Workflow:
    """The workflow's steps, run as GitHub runs them, in a new checkout each night."""

    def __init__(self, fake: FakeArchive, folder: Path) -> None:
        self.releases = folder / "releases"
        self._folder, self._fake, self._nights = folder, fake, 0
        for name in ("archive", "data"):
            (self.releases / name).mkdir(parents=True)
        (folder / "bin").mkdir()
        (folder / "bin/gh").write_text(_GH)
        (folder / "bin/gh").chmod(0o755)
        self.steps = yaml.safe_load((DEPLOY / "publish.yml").read_text())["jobs"]["refresh"]["steps"]

    def night(self) -> dict[str, bool]:
        """How each step that ran ended."""
        self._nights += 1
        checkout = self._folder / f"night{self._nights}"
        (checkout / "data").mkdir(parents=True)
        (checkout / ".venv").symlink_to(TTA.parents[1])
        write_config(checkout / "tta.toml", self._fake.url)
        paths = {"PATH": f"{self._folder / 'bin'}:{os.environ['PATH']}", "RELEASES": str(self.releases)}
        ended: dict[str, bool] = {}
        self.errors = ""
        for step in self.steps:
            if "run" not in step or step["run"] == "make install":
                continue
            condition = step.get("if")
            assert condition in (None, "${{ always() && steps.restore.outcome == 'success' }}")
            if ended["Fetch the archive of last night"] if condition else all(ended.values()):
                # GitHub's own words for `shell: bash`
                command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
                environment = os.environ | paths | {"GITHUB_STEP_SUMMARY": str(checkout / "summary.md")}
                ran = done(*command, cwd=checkout, env=environment)
                ended[step["name"]] = ran.returncode == 0
                self.errors += ran.stderr
        return ended

    def archives(self) -> list[Path]:
        return sorted((self.releases / "archive").iterdir())


def test_the_workflow_publishes_without_contacts_and_keeps_what_a_refused_night_captured(
    fake: FakeArchive, tmp_path: Path
) -> None:
    workflow = Workflow(fake, tmp_path)
    publish(fake, 1)
    steps = ("Fetch the archive of last night", "Refresh", "Keep the archive", "Publish")
    assert workflow.night() == dict.fromkeys(steps, True), workflow.errors
    published = workflow.releases / "data"
    assert {path.name for path in published.iterdir()} == {"csv.tar.gz", "records.jsonl.gz", "tta.db.gz"}
    subprocess.run(["gunzip", "-k", str(published / "tta.db.gz")], check=True)
    with closing(sqlite3.connect(published / "tta.db")) as db:
        assert db.execute("SELECT count(*), count(submitted_by) FROM records").fetchone() == (1, 0)
    assert b"Hope Fiori" not in (published / "tta.db").read_bytes()
    with tarfile.open(published / "csv.tar.gz") as files:
        assert "csv/records.csv" in files.getnames()
        assert b"Hope Fiori" not in b"".join(file.read() for name in files if (file := files.extractfile(name)))
    for number in range(100, 150):
        fake.add(f"https://{HOST}/node/{number}", "20240301000000", b"<html><body><h1>Something else</h1></body></html>")
    asked = len(fake.requests)
    assert workflow.night() == {"Fetch the archive of last night": True, "Refresh": False, "Keep the archive": True}
    sizes = []
    for path in workflow.archives():
        with tarfile.open(path) as files:
            sizes.append(sum(member.size for member in files if member.name.endswith(".warc.gz")))
    before, after = sizes
    assert after > before > 0
    fetched = [path.rpartition("/")[2] for path, _ in fake.requests[asked:] if path.startswith("/web/")]
    assert fetched and "1" not in fetched, "what was kept is not fetched again"


def test_the_workflow_keeps_the_newest_three_archives_and_stops_where_there_are_none(fake: FakeArchive, tmp_path: Path) -> None:
    workflow = Workflow(fake, tmp_path)
    for year in (2021, 2022, 2023, 2024):
        with tarfile.open(workflow.releases / f"archive/archive-{year}0101T000000.tar", "w"):
            pass
    workflow.steps = [step for step in workflow.steps if step.get("name") not in ("Refresh", "Publish")]
    assert all(workflow.night().values())
    assert [path.name[8:12] for path in workflow.archives()][:2] == ["2023", "2024"]
    assert len(workflow.archives()) == 3
    shutil.rmtree(workflow.releases / "archive")
    assert (workflow.night(), fake.requests) == ({"Fetch the archive of last night": False}, [])


# containers

STEPS = [
    line.split(None, 1) for line in re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text()).splitlines() if line[:1].isupper()
]
HEALTH = next(json.loads(text.partition("CMD")[2]) for step, text in STEPS if step == "HEALTHCHECK")


def image(root: Path) -> Path:
    """What the image has as /opt/tta, made by the steps of the Dockerfile's first stage; a temporary folder is its root."""
    environment, folder = os.environ | {"PATH": f"{TTA.parent}:{os.environ['PATH']}"}, root
    for step, written in STEPS[2 : [step for step, _ in STEPS].index("FROM", 2)]:
        text = re.sub(r"/(?=opt/tta|src\b)", f"{root}/", written)
        if step == "WORKDIR":
            folder = Path(text)
            folder.mkdir()
        elif step == "COPY":
            *sources, target = text.split()
            for name in sources:
                (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / target)
        elif step in ("ENV", "ARG"):
            environment |= dict(pair.split("=", 1) for pair in shlex.split(text) if pair != "UV_NO_CACHE=1")
        elif "pip install" not in text:
            ran = done("sh", "-c", text, cwd=folder, env=environment)
            assert ran.returncode == 0, ran.stderr
    return root / "opt/tta"


@pytest.mark.timeout(300)
def test_the_image_refreshes_at_once_and_every_night_and_serves_the_result(fake: FakeArchive, tmp_path: Path) -> None:
    publish(fake, 1)
    program, data, slept, sleep = image(tmp_path) / "bin", tmp_path / "data", tmp_path / "slept", tmp_path / "sleep"
    sleep.write_text(f'#!/bin/sh\ndate -u -d "$1 seconds" +%R >> {slept}; exec /bin/sleep 0.1\n')
    sleep.chmod(0o755)
    here = {"PATH": f"{tmp_path}:{program}:/usr/bin:/bin", "TTA_DATA": str(data), "TTA_AT": "03:17"}
    here["TTA_CONFIG"] = str(write_config(tmp_path / "tta.toml", fake.url))
    nightly = subprocess.Popen([DEPLOY / "nightly.sh"], env=here, stdout=subprocess.PIPE, text=True)
    wait_for(lambda: slept.exists() and slept.read_text().count("\n") >= 2)
    nightly.terminate()
    report, _ = nightly.communicate(timeout=30)
    assert (nightly.returncode, records(data), report.count("committed") > 1) == (0, 1, True)
    assert set(slept.read_text().split()) <= {"03:16", "03:17"}
    command = [program / "tta", "serve", "--port", "0", "--host", "127.0.0.2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=here) as server:
        address = server.stdout.readline().split()[0] if server.stdout else ""
        assert address.startswith("http://127.0.0.2:")
        assert httpx.get(f"{address}tta/records", timeout=30).status_code == 200
        healthy = [word.replace("http://127.0.0.1:8001/", address) for word in HEALTH]
        assert done(*healthy).returncode == 0 and done(*healthy[:-1], healthy[-1].replace("health", "none")).returncode
        server.terminate()


def test_the_dockerfile_and_the_services_are_valid_and_confined(tmp_path: Path) -> None:
    linted = done(TTA.parent / "hadolint", "--failure-threshold", "style", ROOT / "Dockerfile")
    assert (linted.returncode, linted.stdout) == (0, "")
    copied = {name for step, text in STEPS if step == "COPY" and "--from" not in text for name in text.split()[:-1]}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    (pinned,) = re.findall(r"uv==(\S+)", (ROOT / "Dockerfile").read_text())
    assert f"UV_VERSION = {pinned}\n" in (ROOT / "Makefile").read_text()
    read = yaml.safe_load((ROOT / "compose.yaml").read_text())
    PyCompose.from_yaml(yaml.safe_dump(read))  # raises an error for an unknown key
    for service in read["services"].values():
        assert (service["read_only"], service["cap_drop"], "mem_limit" in service, "pids_limit" in service) == (
            True,
            ["ALL"],
            True,
            True,
        )
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert [one for one in read["services"]["web"]["volumes"] if isinstance(one, str)] == ["data:/data"]


def test_docker_builds_the_image_and_runs_it_without_privileges() -> None:
    if not shutil.which("docker") or done("docker", "info").returncode:
        pytest.skip("no Docker engine answers")
    for command in ("build --quiet --tag tta:test .", "compose config --quiet"):
        ran = done("docker", *command.split(), cwd=ROOT)
        assert ran.returncode == 0, ran.stderr
    inside = f"tta import /samples && tta load && (tta serve & sleep 5; {shlex.join(HEALTH)})"
    limits = f"--read-only --tmpfs /tmp --cap-drop ALL --volume /data --volume {ROOT}/data/samples:/samples:ro"
    ran = done("docker", "run", "--rm", *limits.split(), "--entrypoint", "sh", "tta:test", "-c", inside)
    assert ran.returncode == 0, ran.stderr


# a web server in front

_NGINX = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/tta.conf;
}}
"""


@contextmanager
def nginx(folder: Path, upstream: str, change: tuple[str, str] = ("", "")) -> Iterator[httpx.Client]:
    """A client of nginx, which runs with the guide's file, or a changed one, in front of a server."""
    address, socket = urlsplit(upstream).netloc, folder / "socket"
    text = (DEPLOY / "nginx.conf").read_text()
    here = {"127.0.0.1:8001": address, "listen 80;": f"listen unix:{socket};", "    listen [::]:80;\n": ""}
    for old, new in (*here.items(), change):
        assert old in text
        text = text.replace(old, new) if old else text
    (folder / "tta.conf").write_text(text)
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder))
    server = subprocess.Popen([tool("nginx"), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 10
        while not socket.exists() and server.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert server.poll() is None, server.stderr and server.stderr.read()
        front = httpx.HTTPTransport(uds=str(socket))
        with httpx.Client(transport=front, base_url="http://tta.example.org", timeout=30) as client:
            yield client
    finally:
        server.terminate()
        server.communicate(timeout=10)


def test_nginx_passes_reading_on_and_nothing_else(demo_folders: Folders, tmp_path: Path) -> None:
    tool("nginx")
    with serving(demo_folders) as upstream, nginx(tmp_path, upstream) as client:
        direct, front = httpx.get(f"{upstream}tta/records", timeout=30), client.get("/tta/records")
        assert front.status_code == direct.status_code == 200
        kept = set(direct.headers) - {"date", "content-length", "connection", "transfer-encoding", "link", "etag"}
        assert front.headers["etag"].startswith('W/"')  # it is compressed
        assert {name: front.headers[name] for name in kept} == {name: direct.headers[name] for name in kept}
        assert front.headers["server"] == "nginx"
        assert front.headers["content-encoding"] == "gzip"
        assert client.get("/tta/records.json?_size=5").json()["next_url"].startswith("http://tta.example.org/tta/")
        methods = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS")
        assert {client.request(method, "/tta/records").status_code for method in methods} == {403}
        assert client.get("/tta.db").status_code == 403
        answers = [client.get("/robots.txt").status_code for _ in range(90)]
        assert set(answers) == {200, 429}


def test_nginx_serves_under_a_path_as_in_the_guide(demo_folders: Folders, tmp_path: Path) -> None:
    tool("nginx")
    config = tmp_path / "tta.toml"
    config.write_text('[serve]\nbase_url = "/records/"\n')
    with (
        serving(demo_folders, config=config) as upstream,
        nginx(tmp_path, upstream, ("location / {", "location /records/ {")) as client,
    ):
        home = client.get("/records/").text
        links = set(re.findall(r'(?:href|src)="(/[^"#?]*)', home))
        assert links
        assert not [link for link in links if not link.startswith("/records/")]
        assert [link for link in sorted(links)[:30] if client.get(link).status_code != 200] == []


def test_caddy_accepts_its_file(tmp_path: Path) -> None:
    if not shutil.which("caddy"):
        pytest.skip("caddy is not installed")
    here = os.environ | dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(tmp_path))
    read = done("caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile", env=here)
    assert read.returncode == 0, read.stderr
