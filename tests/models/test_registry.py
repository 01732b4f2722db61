"""``models.yaml``: the product's own list, and what is refused."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.conftest import MakeEntry, registry_of
from vv_core.errors import ConfigError, InputMissingError
from vv_core.models import registry_file
from vv_core.models.registry import Registry, is_trustworthy, shipped_path
from vv_core.models.registry_file import find_registry_file, load_registry, parse_registry
from vv_core.settings import Settings
from vv_core.yaml_file import YamlFile

ROOT = Path(__file__).resolve().parents[2]

ONE = """schema: vv.models/1
models:
  - name: small
    kind: summary
    version: "1"
    url: https://example.org/small.gguf
    licence: MIT
    licence_link: https://example.org/licence
    notes:
      pt-BR: "nota"
      en: "note"
"""


def read(tmp_path: Path, text: str) -> Registry:
    """Return the registry of a file with some text."""
    path = tmp_path / "models.yaml"
    path.write_text(text, "utf-8")
    return load_registry(Settings(home=tmp_path, models_file=path))


def test_the_shipped_list_is_right_and_complete() -> None:
    registry = load_registry(Settings(home=Path("/")))
    assert registry.source == ROOT / "models.yaml"
    kinds = [entry.kind for entry in registry.entries]
    assert kinds.count("summary") >= 4
    assert "detector" in kinds
    shipped = registry.shipped("summary")
    assert shipped is not None
    assert (shipped.path or PurePosixPath()).parent == PurePosixPath("summarize_scene/model")
    for entry in registry.entries:
        assert entry.is_shipped or (entry.url or "").startswith("https://")


def test_every_hash_of_the_shipped_list_has_its_source_above_it() -> None:
    lines = (ROOT / "models.yaml").read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.strip().startswith("sha256:"):
            above = "\n".join(lines[max(0, number - 6) : number])
            assert "# sha256" in above or "sha256 and size:" in above
            assert "https://github.com/" in above or "docs/" in above or "model card" in above


def test_a_minimal_entry_is_read(tmp_path: Path) -> None:
    entry = read(tmp_path, ONE).get("small")
    assert (entry.kind, entry.file_name, entry.sha256, entry.size) == (
        "summary",
        "small.gguf",
        None,
        None,
    )
    assert entry.min_kept_percent == 1


SHA = "a" * 64
WRONG = {
    "not YAML": ("schema: [", "line 1"),
    "empty": ("", "it is empty"),
    "a list": ("- a\n", "must be a mapping"),
    "another schema": (ONE.replace("vv.models/1", "vv.models/2"), "line 1, key 'schema'"),
    "an unknown key": (ONE + "    colour: red\n", "line 12, key 'colour'"),
    "a key twice": (ONE + "    kind: summary\n", "line 12, key 'kind': stands twice"),
    "no licence": (ONE.replace("    licence: MIT\n", ""), "line 3, key 'licence': is missing"),
    "a kind of its own": (ONE.replace("summary", "writer"), "line 4, key 'kind'"),
    "a version that is a number": (ONE.replace('"1"', "1"), "line 5, key 'version'"),
    "a name that leads out": (ONE.replace("small\n", "../small\n", 1), "line 3, key 'name'"),
    "no source": (ONE.replace("    url: https://example.org/small.gguf\n", ""), "key 'url'"),
    "two sources": (ONE + "    path: summarize_scene/model/a.gguf\n", "key 'url'"),
    "a path that leads out": (
        ONE.replace("url: https://example.org/small.gguf", "path: ../a/b.gguf"),
        "line 6, key 'path'",
    ),
    "an absolute path": (
        ONE.replace("url: https://example.org/small.gguf", "path: /a/b.gguf"),
        "line 6, key 'path'",
    ),
    "a file address": (ONE.replace("https://example.org/s", "file:///s"), "line 6, key 'url'"),
    "plain http without a hash": (
        ONE.replace("url: https:", "url: http:"),
        "must be https where no sha256 is given",
    ),
    "a user in the address": (ONE.replace("//ex", "//me:pw@ex", 1), "line 6, key 'url'"),
    "another kind of file": (ONE.replace(".gguf", ".bin"), "must end in .gguf"),
    "a short hash": (ONE + "    sha256: abc\n", "line 12, key 'sha256'"),
    "a hash in capitals": (ONE + f"    sha256: {SHA.upper()}\n", "line 12, key 'sha256'"),
    "a size of zero": (ONE + "    size: 0\n", "line 12, key 'size'"),
    "a negative size": (ONE + "    size: -1\n", "line 12, key 'size'"),
    "a size in words": (ONE + "    size: big\n", "line 12, key 'size'"),
    "more than all": (ONE + "    min_kept_percent: 101\n", "line 12, key 'min_kept_percent'"),
    "notes in one language": (ONE.replace('      en: "note"\n', ""), "key 'en': is missing"),
    "two of one name": (ONE + ONE[ONE.index("  - name") :], "two models are called 'small'"),
    "no models": ("schema: vv.models/1\nmodels: []\n", "at least one entry"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_list_is_refused_with_file_line_and_key(tmp_path: Path, case: str) -> None:
    text, expected = WRONG[case]
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert expected in caught.value.message
    assert "models.yaml" in caught.value.message
    assert caught.value.advice


def test_plain_http_is_accepted_with_a_hash(tmp_path: Path) -> None:
    text = ONE.replace("url: https:", "url: http:") + f"    sha256: {SHA}\n"
    assert read(tmp_path, text).get("small").sha256 == SHA


def test_a_list_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent"):
        load_registry(Settings(home=tmp_path, models_file=Path("absent.yaml")))


def test_a_list_that_is_not_text_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_registry(Settings(home=tmp_path, models_file=Path("m.yaml")))


def test_a_huge_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_bytes(b"#" * (256 * 1024 + 1))
    with pytest.raises(ConfigError, match="larger than"):
        load_registry(Settings(home=tmp_path, models_file=Path("m.yaml")))


@given(st.text(max_size=200))
def test_no_text_brings_the_reader_down(text: str) -> None:
    reader = YamlFile("a list", "correct it")
    with pytest.raises(ConfigError, match=r"m\.yaml"):
        parse_registry(reader.parse(text.encode("utf-8", "replace"), "m.yaml"), Path("m.yaml"))


def test_the_list_is_found_beside_the_packages() -> None:
    assert find_registry_file(Settings(home=Path("/"))) == ROOT / "models.yaml"


def test_the_list_of_a_wheel_is_found_by_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pip leaves it: packages in one folder, data files in another."""
    site, share = tmp_path / "lib" / "site", tmp_path / "share"
    metadata = site / "vv_video_ai_system-9.9.dist-info"
    metadata.mkdir(parents=True)
    share.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: vv-video-ai-system\nVersion: 9.9\n"
    )
    (metadata / "RECORD").write_text("../../share/models.yaml,,\n")
    (share / "models.yaml").write_text(ONE)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(registry_file, "PACKAGES", site)
    assert load_registry(Settings(home=tmp_path)).source == share / "models.yaml"
    (share / "models.yaml").unlink()
    with pytest.raises(ConfigError, match="is not installed"):
        load_registry(Settings(home=tmp_path))


def test_an_unknown_name_lists_the_known_ones(make_entry: MakeEntry) -> None:
    with pytest.raises(InputMissingError) as caught:
        registry_of(make_entry("a"), make_entry("b")).get("c")
    assert "a, b" in caught.value.advice


def test_a_shipped_file_is_found_in_its_package(make_entry: MakeEntry) -> None:
    entry = make_entry(url=None, path=PurePosixPath("summarize_scene/model/a.gguf"))
    assert shipped_path(entry) == ROOT / "summarize_scene" / "model" / "a.gguf"
    elsewhere = make_entry(url=None, path=PurePosixPath("no_such_package/a.gguf"))
    assert shipped_path(elsewhere) == ROOT / "no_such_package" / "a.gguf"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/a", True),
        ("http://127.0.0.1:80/a", True),
        ("http://[::1]/a", True),
        ("http://localhost/a", True),
        ("http://127.0.0.1.example.org/a", False),
        ("http://example.org/a", False),
    ],
)
def test_only_https_and_this_machine_are_trusted(url: str, expected: bool) -> None:
    assert is_trustworthy(url) is expected
