"""A box's life on a real Debian: installed, again, updated, updated badly, removed, back, and gone."""

from __future__ import annotations

import re

import pytest

from tests.install.throwaway import OPTIONS, PREFIX, USER, Throwaway, commit_all

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(600)]

DATA = f"{PREFIX}/data"


def test_installs_piped_into_bash_as_a_person_with_sudo(box: Throwaway) -> None:
    """The image of `box` was made so: see ``installed_image``."""
    assert "DVR_IP=10.1.2.3" in box.read(f"{PREFIX}/.env")
    check_installation(box)
    check_no_change(box)


def check_installation(root: Throwaway) -> None:
    """Check owners, modes, units, jobs, and that the box works as its own user."""
    snapshot = root.snapshot()
    for path, owner in {
        f"{PREFIX}/.env": f"600 {USER}:{USER}",
        f"{PREFIX}/secrets": f"700 {USER}:{USER}",
        f"{PREFIX}/secrets/hmac_keys.json": f"600 {USER}:{USER}",
        f"{PREFIX}/secrets/log_signing_key.pem": f"600 {USER}:{USER}",
        "/etc/cron.d/vv-video-ai": "644 root:root",
        "/etc/systemd/system/vv-video-ai.service": "644 root:root",
    }.items():
        assert snapshot[path].split(" ", 1)[1].startswith(owner), (path, snapshot[path])
    for path, facts in snapshot.items():
        own = (f"{PREFIX}/data", f"{PREFIX}/secrets", f"{PREFIX}/faces", f"{PREFIX}/.env")
        if path.startswith(f"{PREFIX}/") and path != f"{PREFIX}/logs":
            expected = f" {USER}:{USER} " if path.startswith(own) else " root:root "
            # .env.example begins as .env does
            assert expected in f"{facts} " or path.startswith(f"{PREFIX}/.env."), (path, facts)
    as_user = ["runuser", "-u", USER, "--", f"{PREFIX}/.venv/bin/python"]
    cycle = root.run(*as_user, f"{PREFIX}/scripts/orchestrator.py", "--once")
    assert cycle.code == 0
    assert root.run("ffprobe", "-v", "error", f"{DATA}/fallback/loop_silencioso.mp4").code == 0


def check_no_change(root: Throwaway, *options: str) -> None:
    """Check that one more run changes nothing and says so."""
    before = root.snapshot()
    ran = root.install(*options)
    assert "no change was needed" in ran.out, ran
    after = root.snapshot()
    assert {
        path: (before.get(path), after.get(path))
        for path in {*before, *after}
        if before.get(path) != after.get(path)
    } == {}


def test_updates_and_goes_back_from_what_is_not_healthy(box: Throwaway) -> None:
    good = box.commit()
    keys = box.read(f"{PREFIX}/secrets/hmac_keys.json")
    box.add_clip()
    box.run("bash", "-c", f"echo VV_LANGUAGE=en >>{PREFIX}/.env")
    box.run("bash", "-c", f"echo '# mine' >>{PREFIX}/models.yaml")

    # A version whose environment is made and whose orchestrator does not start.
    program = box.source / "vv-core" / "pipeline" / "orchestrate.py"
    text = program.read_text()
    program.write_text("raise SystemExit('broken')\n" + text)
    broken = commit_all(box.source, "broken")
    ran = box.install("--upgrade", check=False)
    assert ran.code == 70, ran
    assert "the orchestrator does not work" in ran.err
    assert "back at the former version, which works" in ran.out, ran
    assert box.commit() == good != broken
    assert box.state()["installed"] == good
    assert box.state()["updating_from"] == ""
    status = box.run("runuser", "-u", USER, "--", "python3", f"{PREFIX}/scripts/status.py")
    assert status.out

    # One that fails earlier, while cycles are held off: the way back holds them off too, and must not wait for itself.
    lock = f"{DATA}/orchestrator_data/orchestrator.lock"
    box.run("install", "-o", USER, "-g", USER, "-m", "644", "/dev/null", lock)
    project = box.source / "pyproject.toml"
    needs = project.read_text()
    assert "\ndependencies = [" in needs
    lacking = '\ndependencies = [\n    "vv-there-is-no-such-package",'
    project.write_text(needs.replace("\ndependencies = [", lacking))
    commit_all(box.source, "lacks a package")
    ran = box.install("--upgrade", check=False)
    assert "bootstrap.py did not end well" in ran.err, ran
    assert "back at the former version, which works" in ran.out, ran
    assert box.commit() == good == box.state()["installed"]
    project.write_text(needs)

    # A version that is well, with other needs: its environment is renewed.
    program.write_text(text)
    with (box.source / "pyproject.toml").open("a") as stream:
        stream.write("# newer\n")
    better = commit_all(box.source, "better")
    old_stamp = box.read(f"{PREFIX}/.venv/.vv-installed")
    ran = box.install("--upgrade")
    assert box.commit() == better == box.state()["installed"]
    assert box.read(f"{PREFIX}/.venv/.vv-installed") != old_stamp

    # What is the box's own is as it was, and the backup has it.
    assert box.read(f"{PREFIX}/secrets/hmac_keys.json") == keys
    assert box.read(f"{DATA}/input/a.mp4") == "clip\n"
    assert "VV_LANGUAGE=en" in box.read(f"{PREFIX}/.env")
    backups = box.run("ls", f"{PREFIX}-backups").out.split()
    assert len(backups) == 3
    assert box.run("stat", "-c", "%a", f"{PREFIX}-backups").out.strip() == "700"
    folder = f"{PREFIX}-backups/{backups[0]}"
    assert "# mine" in box.read(f"{folder}/local-changes.patch")
    packed = box.run("tar", "-tzf", f"{folder}/box.tar.gz").out
    for name in (".env", "secrets/hmac_keys.json", "data/orchestrator_data", "data/loglines"):
        assert f"{PREFIX}/{name}".lstrip("/") in packed
    assert "newest version already" in box.install("--upgrade").out


def test_removal_keeps_what_is_the_boxs_own_and_purge_keeps_nothing(box: Throwaway) -> None:
    keys = box.read(f"{PREFIX}/secrets/hmac_keys.json")
    box.add_clip()
    shown = box.install("--uninstall", "--dry-run")
    assert "+ rm -rf" in shown.out
    check_no_change(box)

    box.install("--uninstall")
    left = set(box.run("ls", "-A", PREFIX).out.split())
    assert left == {".env", ".vv-kept", "data", "faces", "logs", "secrets"}
    assert not box.exists("/etc/cron.d/vv-video-ai")
    assert not box.exists("/etc/systemd/system/vv-video-ai.service")
    assert box.read(f"{PREFIX}/secrets/hmac_keys.json") == keys
    assert box.read(f"{DATA}/input/a.mp4") == "clip\n"

    box.install()  # remembers how it was installed
    assert box.state()["mode"] == "process"
    assert box.read(f"{PREFIX}/secrets/hmac_keys.json") == keys
    check_installation(box)

    box.install("--uninstall")
    box.install("--uninstall", "--purge")
    assert not box.exists(PREFIX)
    assert not box.exists(f"{PREFIX}-backups")
    assert box.run("id", USER, check=False).code
    for place in ("/etc/cron.d", "/etc/systemd/system", "/etc/logrotate.d", "/etc", "/var/lib"):
        assert "vv-video" not in box.run("ls", "-A", place).out
    assert "nothing to do" in box.install("--uninstall", "--purge").out


def test_dry_run_on_a_bare_machine_shows_the_steps_and_changes_nothing(root: Throwaway) -> None:
    before = root.snapshot()
    ran = root.install(*OPTIONS, "--dry-run")
    assert "nothing was changed" in ran.out
    assert "useradd --system" in ran.out
    script = (root.source / "install.sh").read_text()
    piped = root.run(
        "bash", "-s", "--", "--dry-run", "--source", "/src", stdin=script, VV_LANGUAGE="en"
    )
    assert "bootstrap.py" in piped.out
    assert root.snapshot() == before
    assert not root.exists(PREFIX)
    assert not root.exists("/run/lock/vv-video-ai-install.lock")


def test_cron_takes_the_jobs_and_runs_them(box: Throwaway) -> None:
    jobs = box.read("/etc/cron.d/vv-video-ai")
    lines = [
        (line, re.match(r"([0-9*]\S*(?: \S+){4}) (\S+) (.+)", line)) for line in jobs.splitlines()
    ]
    # crontab -n knows no user column.
    plain = "\n".join(f"{job[1]} {job[3]}" if job else line for line, job in lines) + "\n"
    assert box.run("crontab", "-n", "-", stdin=plain).code == 0
    bad = plain.replace("*/5 *", "*/5 99", 1)
    assert bad != plain
    assert box.run("crontab", "-n", "-", stdin=bad, check=False).code != 0
    # Each command by hand, as cron would: its shell, its user, its few variables.
    found = [job for _, job in lines if job]
    assert len(found) == 4
    for job in found:
        bare = ["env", "-i", "HOME=/var/lib/vv-video-ai", "PATH=/usr/bin:/bin", "sh", "-c"]
        box.run("runuser", "-u", job[2], "--", *bare, job[3])
    log = box.read(f"{PREFIX}/logs/cron.log")
    assert "Traceback" not in log
    assert box.run("logrotate", "--debug", "/etc/logrotate.d/vv-video-ai").code == 0


def test_other_peoples_folder_is_left_alone(root: Throwaway) -> None:
    root.run("bash", "-c", f"mkdir -p {PREFIX}; echo x >{PREFIX}/theirs")
    before = root.snapshot()
    ran = root.install(*OPTIONS, check=False)
    assert ran.code == 78
    assert "not of this product" in ran.err
    assert root.snapshot() == before


def test_the_source_may_be_out_of_reach_once_it_is_installed(box: Throwaway) -> None:
    gone = ["--source", "/nowhere/at/all"]
    again = box.install(*gone)
    assert "the installed version stays" in again.err
    check_no_change(box)
    refused = box.install("--upgrade", *gone, check=False)
    assert refused.code == 69
    assert "no access to /nowhere/at/all" in refused.err
