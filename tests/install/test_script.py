"""install.sh without a machine to install on: its words, its refusals, and that half of it does nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.install.throwaway import ROOT

SCRIPT = ROOT / "install.sh"
LIBRARIES = sorted((ROOT / "deploy" / "install").glob("*.sh"))


def bash(text: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a text as bash -c does."""
    return subprocess.run(
        ["bash", "-c", text, "bash", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "VV_LANGUAGE": "en", **env},
    )


def with_functions(tmp_path: Path, text: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a text that may use all functions of the installer, for a prefix below a folder of the test."""
    prefix = tmp_path / "opt" / "box"
    read = "\n".join(f"source '{path}'" for path in LIBRARIES)
    return bash(
        f"set -euo pipefail; source '{SCRIPT}'; set_defaults; PREFIX='{prefix}'; WORK=$PREFIX/.git/vv-install\n"
        f"{read}\n{text}",
        **env,
    )


def run_script(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run install.sh as a file."""
    return bash(f"exec bash '{SCRIPT}' \"$@\"", *arguments, **env)


@pytest.mark.integration
def test_shellcheck_has_nothing_to_say() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    scripts = [SCRIPT, *LIBRARIES, ROOT / "deploy" / "cron" / "daily_tests.sh"]
    scripts.append(ROOT / "scripts" / "run_tests.sh")
    result = subprocess.run(
        ["shellcheck", "-x", *map(str, scripts)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.stdout + result.stderr == ""


def test_a_download_that_was_cut_off_anywhere_does_nothing(tmp_path: Path) -> None:
    """Whatever runs is found on PATH, and there only a trap is found."""
    text = SCRIPT.read_bytes()
    trap = tmp_path / "bin"
    trap.mkdir()
    ran = tmp_path / "ran"
    for name in (
        "mkdir",
        "apt-get",
        "dpkg-query",
        "git",
        "flock",
        "sudo",
        "id",
        "sed",
        "cat",
        "readlink",
    ):
        (trap / name).write_text(f"#!/bin/bash\necho {name} >>{ran}\n")
        (trap / name).chmod(0o755)
    last = len(text.rstrip())
    cuts = [*range(0, last - 120, 1499), *range(last - 120, last)]
    for cut in cuts:
        subprocess.run(
            ["/bin/bash", "-s", "--", "--prefix", str(tmp_path / "opt" / "x")],
            input=text[:cut],
            env={"PATH": str(trap)},
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert not ran.exists(), (cut, text[max(0, cut - 60) : cut], ran.read_text())
    # The whole of it does something.
    subprocess.run(
        ["/bin/bash", "-s", "--", "--prefix", str(tmp_path / "opt" / "x")],
        input=text,
        env={"PATH": str(trap)},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert ran.exists()


def test_help_needs_no_rights_and_names_every_option() -> None:
    result = run_script("--help")
    assert result.returncode == 0
    text = SCRIPT.read_text()
    options = {
        word
        for line in text.splitlines()
        if line.startswith("      --")
        for word in line.split()
        if word[:2] == "--"
    }
    for option in options:
        name = option.removesuffix(")").partition("=")[0].removesuffix("*")
        assert name in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--frobnicate"], "unknown option: --frobnicate"),
        (["--prefix"], "its value is missing"),
        (["--prefix="], "its value is missing"),
        (["--prefix", "relative/path"], "an absolute path"),
        (["--prefix", "/opt"], "below a folder"),
        (["--prefix", "/opt/a b"], "an absolute path"),
        (["--prefix", "/opt/../etc/x"], "an absolute path"),
        (["--prefix", "/opt/$(reboot)/x"], "an absolute path"),
        (["--rooms", "writer;reboot"], "names and commas"),
        (["--ref", "-x"], "no valid name"),
        (["--source", "--upload-pack=reboot"], "no valid address"),
        (["--boot-delay", "soon"], "seconds"),
        (["--purge"], "only with --uninstall"),
        (["--vkey", "x"], "only with --offline"),
    ],
)
def test_a_wrong_command_line_is_refused(arguments: Sequence[str], words: str) -> None:
    result = run_script(*arguments)
    assert result.returncode == 64
    assert words in result.stderr
    assert "→ See install.sh --help." in result.stderr
    assert result.stdout == ""


def test_a_bundle_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = run_script("--offline", str(tmp_path / "none"))
    assert result.returncode == 66
    assert "the bundle does not exist" in result.stderr


def test_a_prefix_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert "is a link" in run_script("--prefix", str(tmp_path / "link")).stderr


@pytest.mark.parametrize(
    ("release", "code"),
    [
        ('ID=debian\nVERSION_ID="12"\n', 0),
        ('ID=debian\nVERSION_ID="13"\n', 0),
        ("ID=debian\n", 0),
        ('ID=ubuntu\nVERSION_ID="22.04"\n', 0),
        ('ID="ubuntu"\nVERSION_ID="24.04"\n', 0),
        ('ID=debian\nVERSION_ID="11"\n', 78),
        ('ID=ubuntu\nVERSION_ID="20.04"\n', 78),
        ('ID=fedora\nVERSION_ID=41\nID_LIKE="debian"\n', 78),
        ("", 78),
    ],
)
def test_other_systems_are_refused_clearly(tmp_path: Path, release: str, code: int) -> None:
    (tmp_path / "os-release").write_text(release)
    result = with_functions(tmp_path, f"OS_RELEASE='{tmp_path}/os-release'; check_system")
    assert result.returncode == code, result.stderr
    if code:
        assert "this system will not do" in result.stderr
        assert "Debian 12 or newer" in result.stderr


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "→ See install.sh --help."),
        ("pt-BR", "→ Veja install.sh --help."),
        ("", "→ Veja install.sh --help. / See install.sh --help."),
    ],
)
def test_it_speaks_portuguese_and_english(language: str, words: str) -> None:
    assert words in run_script("--nonsense", VV_LANGUAGE=language).stderr.splitlines()


@pytest.mark.parametrize(
    ("seconds", "schedule"),
    [
        ("", "*/5 * * * *"),
        ("300.0", "*/5 * * * *"),
        ("nonsense", "*/5 * * * *"),
        ("10", "* * * * *"),
        ("60", "* * * * *"),
        ("61", "*/2 * * * *"),
        ("3540", "*/59 * * * *"),
        ("3600", "0 */1 * * *"),
        ("7300", "0 */2 * * *"),
        ("90000", "0 0 * * *"),
        ("0300", "*/5 * * * *"),
    ],
)
def test_the_interval_becomes_a_schedule(tmp_path: Path, seconds: str, schedule: str) -> None:
    result = with_functions(tmp_path, f"read_setting() {{ echo '{seconds}'; }}; cron_interval")
    assert result.stdout.strip() == schedule


def jobs_of(tmp_path: Path, mode: str, rooms: str, *, has_systemctl: bool) -> str:
    prefix = tmp_path / "opt" / "box"
    if not (prefix / "deploy").exists():
        shutil.copytree(ROOT / "deploy", prefix / "deploy")
    path = f'command() {{ [[ $2 == systemctl ]] && return {0 if has_systemctl else 1}; builtin command "$@"; }};'
    return with_functions(tmp_path, f"{path} MODE={mode} ROOMS={rooms}; job_lines").stdout


def test_each_way_of_running_has_its_jobs(tmp_path: Path) -> None:
    def programs(text: str) -> set[str]:
        return {
            word.rsplit("/", 1)[-1]
            for line in text.splitlines()
            if line[:1] and line[0] in "0123456789*"
            for word in line.split(">")[0].split()
            if word.endswith((".py", ".sh"))
        }

    always = {"cleanup_old_files.py", "log_exporter.py"}
    text = jobs_of(tmp_path, "docker", "writer,selftest", has_systemctl=True)
    assert programs(text) == {
        *always,
        "orchestrator.py",
        "self_monitor.py",
        "rebuild_changed.sh",
        "daily_tests.sh",
    }
    assert "@" not in text.replace("@box", "")
    assert programs(jobs_of(tmp_path, "process", "writer", has_systemctl=True)) == always
    assert programs(jobs_of(tmp_path, "process", "writer", has_systemctl=False)) == {
        *always,
        "orchestrator.py",
    }
    # Both ways of running test themselves, unless somebody chose rooms without.
    for rooms in ("$DOCKER_ROOMS", "$PROCESS_ROOMS", "writer,dev"):
        assert "daily_tests.sh" in programs(jobs_of(tmp_path, "process", rooms, has_systemctl=True))
    # What a schedule starts exists.
    for name in programs(text) - {"daily_tests.sh"}:
        assert (ROOT / "scripts" / name).is_file()


def test_what_systemd_does_not_know_is_not_stopped(tmp_path: Path) -> None:
    """As with the first installation of containers: systemctl stop would end with an error."""
    systemctl = (
        "has_systemd() { true; }\n"
        "systemctl() { case $1 in show) echo inactive;; is-enabled) return 1;; *) return 5;; esac; }\n"
    )
    result = with_functions(tmp_path, f"{systemctl} drop_programs; stop_box; echo $CHANGES")
    assert (result.returncode, result.stdout.strip()) == (0, "0"), result.stderr


@pytest.mark.parametrize(
    ("rooms", "programs"),
    [
        ("writer", "vv-capture"),
        ("writer,playlists", "vv-playlist vv-capture"),
        ("writer,api,playlists", "vv-playlist vv-tv-api vv-capture"),
    ],
)
def test_a_program_whose_room_is_not_installed_is_no_service(
    tmp_path: Path, rooms: str, programs: str
) -> None:
    folder = tmp_path / "opt" / "box" / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("vv-playlist", "vv-tv-api", "vv-capture"):
        (folder / name).touch(mode=0o755)
    wanted = with_functions(tmp_path, f"MODE=process ROOMS={rooms}; wanted_programs")
    assert wanted.stdout.strip() == programs
    assert with_functions(tmp_path, f"MODE=docker ROOMS={rooms}; wanted_programs").stdout == "\n"


@pytest.mark.parametrize(
    ("os_id", "offers", "packages"),
    [
        (
            "debian",
            {"docker.io": "26.1.5+dfsg1-9", "docker-compose": "2.26.1-4"},
            "docker.io docker-cli docker-buildx docker-compose",
        ),
        (
            "ubuntu",
            {"docker.io": "27.5.1-0ubuntu3", "docker-compose-v2": "2.33.0"},
            "docker.io docker-cli docker-buildx docker-compose-v2",
        ),
        (
            "debian",
            {"docker.io": "20.10.24+dfsg1", "docker-compose": "1.29.2-3"},
            "docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin",
        ),
        (
            "debian",
            {},
            "docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin",
        ),
    ],
)
def test_docker_comes_from_the_system_where_that_is_new_enough(
    tmp_path: Path, os_id: str, offers: dict[str, str], packages: str
) -> None:
    lines = " ".join(f"[{name}]={version}" for name, version in offers.items())
    result = with_functions(
        tmp_path,
        f"declare -A offers=({lines}); os_field() {{ echo {os_id}; }}; add_docker_source() {{ echo added; }}\n"
        'apt-cache() { printf \'%s:\\n  Installed: (none)\\n  Candidate: %s\\n\' "$2" "${offers[$2]:-(none)}"; }\n'
        "engine_packages",
    )
    assert result.stdout.strip() == packages
    assert ("added" in result.stderr) == packages.startswith("docker-ce")


def test_a_setting_is_added_or_replaced_and_nothing_else_changes(tmp_path: Path) -> None:
    prefix = tmp_path / "opt" / "box"
    prefix.mkdir(parents=True)
    env = prefix / ".env"
    env.write_text(
        "# a\nVV_LANGUAGE=en\n#ORCHESTRATOR_RUNNER=process\nORCHESTRATOR_RUNNER=process\nA='b c'\n"
    )
    env.chmod(0o600)
    result = with_functions(
        tmp_path,
        "set_setting ORCHESTRATOR_RUNNER compose >/dev/null; set_setting BOX_UID 7 >/dev/null\n"
        "read_setting ORCHESTRATOR_RUNNER; read_setting A; read_setting NONE",
    )
    assert result.stdout.splitlines() == ["compose", "b c"]
    assert env.read_text() == (
        "# a\nVV_LANGUAGE=en\n#ORCHESTRATOR_RUNNER=process\nA='b c'\nORCHESTRATOR_RUNNER=compose\nBOX_UID=7\n"
    )
    assert env.stat().st_mode & 0o777 == 0o600


def test_a_branch_is_not_mistaken_for_another_name_with_the_same_end(tmp_path: Path) -> None:
    from tests.install.throwaway import commit_all, git

    upstream, checkout = tmp_path / "upstream", tmp_path / "checkout"
    upstream.mkdir()
    git(upstream, "init", "--quiet", "--initial-branch=main")
    (upstream / "a").write_text("1")
    old = commit_all(upstream, "one")
    git(upstream, "tag", "--annotate", "v1", "--message", "one")
    git(tmp_path, "clone", "--quiet", str(upstream), str(checkout))
    (checkout / "a").write_text("2")
    new = commit_all(checkout, "two")
    git(checkout, "branch", "side/main", old)
    for ref, commit in {"HEAD": new, "main": new, "side/main": old, "v1": old}.items():
        result = with_functions(
            tmp_path, f"SOURCE='{checkout}' REF={ref}; find_target; echo $TARGET"
        )
        assert result.stdout.strip() == commit, (ref, result.stderr)
    result = with_functions(tmp_path, f"SOURCE='{checkout}' REF=nothing; find_target")
    assert result.returncode == 69
