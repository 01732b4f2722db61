"""The power fails in the middle, again and again: the next run finishes."""

from __future__ import annotations

import pytest

from tests.install.test_journey import DATA, check_installation, check_no_change
from tests.install.throwaway import OPTIONS, PREFIX, Throwaway, commit_all

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(600)]


def test_an_installation_that_was_cut_off_is_finished_by_the_next(root: Throwaway) -> None:
    marks = ("the product's files", "placing the files", "user of the service")
    marks += ("creating the virtual", "instalando (", "checking what", "cron:")
    reached = [mark for mark in marks if root.install_until(mark, *OPTIONS)]
    # The first ones at least were cut off where they should be.
    assert set(marks[:5]) <= set(reached)
    root.install(*OPTIONS)
    check_installation(root)
    check_no_change(root)


def test_a_user_that_was_made_by_half_is_finished_by_the_next_run(root: Throwaway) -> None:
    assert root.install_until("creating the virtual", *OPTIONS)
    # What is left when the power fails between useradd's files: a user, no name for its group, no home.
    root.run(
        "bash", "-c", "sed -i /^vv-video:/d /etc/group /etc/gshadow && rm -r /var/lib/vv-video-ai"
    )
    root.install(*OPTIONS)
    assert (
        root.run("stat", "-c", "%a:%U:%G", "/var/lib/vv-video-ai").out == "700:vv-video:vv-video\n"
    )
    check_installation(root)
    check_no_change(root)
    root.install("--uninstall", "--purge")
    for base in ("passwd", "group"):
        assert not root.run("getent", base, "vv-video", check=False).out


def test_an_update_that_was_cut_off_is_finished_by_the_next(box: Throwaway) -> None:
    keys = box.read(f"{PREFIX}/secrets/hmac_keys.json")
    box.add_clip()
    with (box.source / "pyproject.toml").open("a") as stream:
        stream.write("# newer\n")
    newer = commit_all(box.source, "newer")
    marks = ("update from", "placing the files", "instalando (", "health check")
    assert [mark for mark in marks if box.install_until(mark, "--upgrade")] == list(marks)
    box.install()
    assert box.commit() == newer == box.state()["installed"]
    assert box.read(f"{PREFIX}/secrets/hmac_keys.json") == keys
    assert box.read(f"{DATA}/input/a.mp4") == "clip\n"
    assert not box.exists(f"{PREFIX}/.git/vv-install/venv-before")
    check_installation(box)
    check_no_change(box)


def test_a_way_back_that_was_cut_off_is_taken_by_the_next_run(box: Throwaway) -> None:
    good = box.commit()
    program = box.source / "vv-core" / "pipeline" / "orchestrate.py"
    program.write_text("raise SystemExit('broken')\n" + program.read_text())
    commit_all(box.source, "broken")
    assert box.install_until("going back to", "--upgrade")
    ran = box.install(check=False)
    assert "back at the former version, which works" in ran.out, ran
    assert box.commit() == good == box.state()["installed"]
    check_installation(box)


def test_a_removal_that_was_cut_off_is_finished_by_the_next(box: Throwaway) -> None:
    assert box.install_until("removing systemd", "--uninstall")
    assert box.install_until("removing the program", "--uninstall")
    box.install("--uninstall", "--purge")
    assert not box.exists(PREFIX)
