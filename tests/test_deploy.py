"""The files of docs/deploy do what their guide states: each is run for real, on this machine and on loopback."""

import os
import re
import shlex
import shutil
import subprocess
import tarfile
from pathlib import Path

import httpx
import pytest
import yaml

from scraper.folders import Folders
from tests.dbkit import sql
from tests.deploykit import (
    DEPLOY,
    HEALTH,
    ROOT,
    STEPS,
    TTA,
    UNITS,
    Workflow,
    as_cron,
    cron_command,
    done,
    nginx,
    publish,
    records,
    tool,
)
from tests.fakearchive.run import HOST, wait_for, write_config
from tests.fakearchive.server import FakeArchive
from tests.webkit import serving

# systemd


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
    assert sql(published / "tta.db", "SELECT count(*), count(submitted_by) FROM records") == [(1, 0)]
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
    shutil.rmtree(workflow.releases / "archive")
    assert workflow.night() == {"Fetch the archive of last night": False}, "without an archive it stops"


# containers


def test_the_images_command_refreshes_at_once_and_every_night_and_its_check_tells_whether_a_server_answers(
    fake: FakeArchive, tmp_path: Path
) -> None:
    publish(fake, 1)
    program, data, slept, sleep = TTA.parent, tmp_path / "data", tmp_path / "slept", tmp_path / "sleep"
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
    from compose_spec import PyCompose  # takes a third of a second

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
