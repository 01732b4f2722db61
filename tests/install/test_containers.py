"""Boxes of containers on real engines: installed, updated, updated badly, removed; and all of it with no network."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.engines import (
    ContainerBox,
    on_an_engine_of_its_own,
    on_this_engine,
    own_names,
    replace_image,
    take_images,
    write_offline,
)
from tests.install.throwaway import MAIN, commit_all, docker
from tests.pipeline.subjects import require_engine
from vv_core.tlog.signing_key import create_signing_key

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.torture,
    pytest.mark.timeout(3600),
]

HANGS = 'ENTRYPOINT ["sleep", "3600"]\nCMD []'
"""A program that is there and does nothing."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that other users may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="vv-inst-") as raw:
        Path(raw).chmod(0o755)
        yield Path(raw)


def test_a_box_of_containers_from_a_repository(source: Path, folder: Path) -> None:
    require_engine()
    with own_names(folder) as names, on_this_engine(source, folder, names) as box:
        ran = box.install("/src/install.sh", "--rooms", "writer,monitor")
        assert "done; changes:" in ran.out, ran
        box.check_healthy()
        box.add_logline("20261121-020304")
        again = box.install("/src/install.sh")
        assert "no change was needed" in again.out, str(again)
        check_remembered(box)
        check_updates(box, source)
        box.install("/src/install.sh", "--uninstall", "--purge")
        assert not os.path.lexists(box.prefix)
        assert box.containers() == {}
        assert box.image_ids() == {}


def check_remembered(box: ContainerBox) -> None:
    """Check that the weekly rebuild finds nothing to do after an installation."""
    said = box.as_user("-m", "vv_core.images.command", "--dry-run").out
    assert {line.split("  ", 1)[1].strip() for line in said.splitlines()} == {"up to date"}, said


def check_updates(box: ContainerBox, source: Path) -> None:
    """Check that a version that does not get healthy is taken back, and a better one stays."""
    before, files, good = (
        box.image_ids(),
        box.own_files(),
        box.root.read(f"{box.prefix}/models.yaml"),
    )
    program = source / "tv_scheduler" / "__init__.py"
    text = program.read_text()
    program.write_text(f"import time\n\ntime.sleep(3600)\n{text}")
    (source / "models.yaml").write_text(f"{good}# broken\n")
    commit_all(source, "a service that hangs")
    ran = box.install("/src/install.sh", "--upgrade", check=False)
    assert ran.code == 70, ran
    assert "containers did not become healthy" in ran.err, ran
    assert "playlist_manager" in ran.err, ran
    check_is_back(box, ran.out, before, files)
    assert box.root.read(f"{box.prefix}/models.yaml") == good

    program.write_text(f"{text}\n# newer\n")
    stage = source / "logline_generator" / "logline_generator.py"
    kept = stage.read_text()
    future = "from __future__ import annotations\n"
    assert future in kept
    stage.write_text(kept.replace(future, f"{future}raise SystemExit(70)\n", 1))
    commit_all(source, "a stage that does not start")
    ran = box.install("/src/install.sh", "--upgrade", check=False)
    assert ran.code == 70, ran
    assert "the stage does not start: logline_writer" in ran.err, ran
    check_is_back(box, ran.out, before, files)

    stage.write_text(kept)
    commit_all(source, "all is well")
    box.install("/src/install.sh", "--upgrade")
    after = box.image_ids()
    assert after.keys() == before.keys()
    name = f"{box.names['IMAGE_PREFIX']}/playlist-manager:local"
    assert after[name] != before[name]
    box.check_healthy()
    assert box.own_files() == files
    assert len(box.root.run("ls", f"{box.prefix}-backups").out.split()) == 3
    box.add_logline("20261122-020304")
    check_remembered(box)


def check_is_back(
    box: ContainerBox, said: str, before: dict[str, str], files: dict[str, str]
) -> None:
    """Check that code, images and settings are the former ones, and the box's own as it was."""
    assert "back at the former version, which works" in said, said
    box.check_healthy()
    assert box.image_ids() == before
    assert box.own_files() == files
    label = f"label=com.docker.compose.project={box.names['COMPOSE_PROJECT_NAME']}"
    dangling = ["docker", "images", "--quiet", "--filter", "dangling=true", "--filter", label]
    assert box.root.run(*dangling).out == ""


def test_a_box_of_containers_with_no_network(source: Path, tmp_path: Path, folder: Path) -> None:
    """Two files are all that it gets; its engine has no image, and nothing leads out of its container."""
    require_engine()
    key = tmp_path / "keys" / "key.pem"
    create_signing_key(key)
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    with own_names(folder) as names, on_an_engine_of_its_own(nothing, folder, names) as box:
        images = take_images(names)
        stick = box.root.shared

        def write(name: str, *options: str) -> list[str]:
            output = stick / name
            bundle, vkey = write_offline(
                source, output, names, sys.executable, "--key", str(key), *options
            )
            return ["--offline", f"/shared/{name}/{bundle}", "--vkey", vkey]

        first = write("first")
        ran = box.install("/shared/first/install.sh", *first, "--rooms", "writer,monitor")
        assert "done; changes:" in ran.out, ran
        assert set(images) == set(box.image_ids())
        box.check_healthy()
        box.add_logline("20261121-020304")
        again = box.install("/shared/first/install.sh", *first)
        assert "no change was needed" in again.out, str(again)
        check_remembered(box)

        before, files = box.image_ids(), box.own_files()
        name = f"{names['IMAGE_PREFIX']}/playlist-manager:local"
        good = docker("image", "inspect", "--format", "{{.Id}}", name).strip()
        replace_image(name, HANGS)
        (source / "models.yaml").write_text((source / "models.yaml").read_text() + "# broken\n")
        commit_all(source, "a service that hangs")
        broken = write("broken", "--images", name)
        ran = box.install("/shared/broken/install.sh", *broken, "--upgrade", check=False)
        assert ran.code == 70, ran
        assert "containers did not become healthy" in ran.err, ran
        check_is_back(box, ran.out, before, files)

        docker("tag", good, name)
        replace_image(name, "LABEL newer=yes")
        (source / "models.yaml").write_text((source / "models.yaml").read_text() + "# well\n")
        commit_all(source, "all is well")
        better = write("better", "--images", name)
        box.install("/shared/better/install.sh", *better, "--upgrade")
        after = box.image_ids()
        assert {each for each in before if after[each] != before[each]} == {name}
        box.check_healthy()
        assert box.own_files() == files
        box.add_logline("20261122-020304")
        check_boots(box)


def check_boots(box: ContainerBox) -> None:
    """Check that systemd brings the containers down and up again: by hand, at a boot, and after a power cut."""
    files = box.own_files()
    box.root.run("systemctl", "stop", MAIN)
    assert {row["State"] for row in box.containers().values()} == {"exited"}
    box.root.run("systemctl", "start", MAIN, timeout=400)
    box.check_healthy()
    for number, end in enumerate((box.root.reboot, box.root.cut_power)):
        end()
        # Booted means that all which starts at boot is there: the service waits until its containers are healthy.
        assert box.root.run("systemctl", "is-active", MAIN).out.strip() == "active"
        assert box.root.system_state() == "running"
        box.check_healthy()
        assert box.own_files() == files
        box.add_logline(f"20261123-02030{number}")
        files = box.own_files()
