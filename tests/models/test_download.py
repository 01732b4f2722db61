"""Downloads from a real server that cuts, lies, hides and hangs."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.model_server import Behaviour, serve
from vv_core.errors import TemporaryError, UnavailableError
from vv_core.models.download import Download, Patience, Surroundings
from vv_core.models.transfer import Expected

DATA = random.Random(1).randbytes(300_000)
QUICK = Patience(answer_s=5.0, attempts=3, first_wait_s=0.01, longest_wait_s=0.02, reserve_bytes=0)

Get = Callable[..., Download]


@pytest.fixture
def get(tmp_path: Path) -> Get:
    """Return a function that prepares a download into the test's folder."""

    def prepare(
        url: str,
        *,
        size: int | None = None,
        has_hash: bool = False,
        max_bytes: int = 10_000_000,
        patience: Patience = QUICK,
        surroundings: Surroundings | None = None,
    ) -> Download:
        expected = Expected(url, size, max_bytes, has_hash)
        return Download(tmp_path / "m.gguf", expected, patience, surroundings)

    return prepare


def test_a_file_arrives_whole(get: Get) -> None:
    told = Behaviour(DATA)
    with serve(told) as url:
        assert get(url, size=len(DATA)).run().read_bytes() == DATA
    assert len(told.requests) == 1


def test_a_cut_costs_only_what_was_not_there(get: Get) -> None:
    told = Behaviour(DATA, cuts=[100_000, 50_000])
    with serve(told) as url:
        assert get(url).run().read_bytes() == DATA
    assert [request.get("range") for request in told.requests] == [
        None,
        "bytes=100000-",
        "bytes=150000-",
    ]
    assert told.requests[1]["if-range"] == '"one"'
    assert told.sent == len(DATA)


def test_a_later_call_goes_on_where_the_last_one_ended(get: Get) -> None:
    told = Behaviour(DATA, cuts=[100_000, 0, 0, 0])
    with serve(told) as url:
        with pytest.raises(UnavailableError) as caught:
            get(url).run()
        assert "run the same command again" in caught.value.advice
        again = get(url)
        assert again.run().read_bytes() == DATA
        assert again.was_resumed
    assert told.sent == len(DATA)


def test_a_complete_part_is_not_asked_for_again(get: Get) -> None:
    told = Behaviour(DATA)
    with serve(told) as url:
        get(url).run()
        assert get(url).run().read_bytes() == DATA
    assert told.sent == len(DATA)


def test_a_server_that_ignores_ranges_starts_anew(get: Get) -> None:
    told = Behaviour(DATA, has_ranges=False, cuts=[200_000])
    with serve(told) as url:
        assert get(url).run().read_bytes() == DATA
    assert told.sent == len(DATA) + 200_000


def test_a_file_that_changed_meanwhile_is_not_mixed(get: Get) -> None:
    told = Behaviour(DATA, cuts=[100_000, 0, 0, 0])
    with serve(told) as url:
        with pytest.raises(UnavailableError):
            get(url).run()
        told.data, told.etag = DATA[::-1], '"two"'
        assert get(url).run().read_bytes() == DATA[::-1]


def test_without_validator_and_hash_nothing_is_joined(get: Get) -> None:
    told = Behaviour(DATA, etag=None, cuts=[100_000])
    with serve(told) as url:
        assert get(url).run().read_bytes() == DATA
    assert [request.get("range") for request in told.requests] == [None, None]


def test_with_a_known_hash_a_part_without_validator_is_joined(get: Get) -> None:
    told = Behaviour(DATA, etag=None, cuts=[100_000])
    with serve(told) as url:
        assert get(url, has_hash=True).run().read_bytes() == DATA
    assert told.requests[1]["range"] == "bytes=100000-"


def test_a_date_is_a_validator_too(get: Get) -> None:
    date = "Fri, 20 Nov 2026 12:00:00 GMT"
    told = Behaviour(DATA, etag=None, last_modified=date, cuts=[100_000, 100_000])
    with serve(told) as url:
        assert get(url).run().read_bytes() == DATA
    assert [request.get("if-range") for request in told.requests] == [None, date, date]


def test_a_file_of_unknown_length_ends_with_the_connection(get: Get) -> None:
    with serve(Behaviour(DATA, has_length=False)) as url:
        assert get(url, size=len(DATA)).run().read_bytes() == DATA


def test_a_file_of_unknown_length_that_was_cut_is_found_out_by_its_size(get: Get) -> None:
    with serve(Behaviour(DATA, has_length=False, cuts=[1000])) as url:
        download = get(url, size=len(DATA))
        with pytest.raises(UnavailableError, match="1000 bytes"):
            download.run()
        assert not download.part_path.exists()


def test_faults_that_pass_are_waited_for(get: Get) -> None:
    waits: list[float] = []
    told = Behaviour(DATA, statuses=[500, 503], retry_after="2")
    with serve(told) as url:
        world = Surroundings(sleep=waits.append)
        assert get(url, surroundings=world).run().read_bytes() == DATA
    assert waits == [2.0, 2.0]


def test_waits_grow(get: Get) -> None:
    waits: list[float] = []
    patience = Patience(attempts=5, first_wait_s=1.0, longest_wait_s=4.0, reserve_bytes=0)
    with serve(Behaviour(DATA, statuses=[500] * 9)) as url:
        download = get(url, patience=patience, surroundings=Surroundings(sleep=waits.append))
        with pytest.raises(UnavailableError, match="answered 500"):
            download.run()
    assert waits == sorted(waits)
    assert waits[-1] == 4.0


def test_what_is_not_there_is_not_asked_for_twice(get: Get) -> None:
    told = Behaviour(DATA, statuses=[404])
    with serve(told) as url, pytest.raises(UnavailableError, match="404") as caught:
        get(url).run()
    assert len(told.requests) == 1
    assert "vv-models import" in caught.value.advice


def test_nobody_at_home_is_told(get: Get) -> None:
    with serve(Behaviour(DATA)) as url:
        pass
    with pytest.raises(UnavailableError, match="3 times in a row"):
        get(url).run()


def test_a_server_that_hangs_is_given_up(get: Get) -> None:
    told = Behaviour(DATA, hang_s=30)
    patience = Patience(answer_s=0.1, attempts=2, first_wait_s=0.01, reserve_bytes=0)
    with serve(told) as url, pytest.raises(UnavailableError, match="timed out"):
        get(url, patience=patience).run()
    assert len(told.requests) == 2


def test_redirects_are_followed_with_the_range(get: Get) -> None:
    told = Behaviour(DATA, cuts=[100_000])
    entrance = Behaviour(b"")
    with serve(told) as url, serve(entrance) as door:
        entrance.location = [url, url]
        assert get(door).run().read_bytes() == DATA
    assert told.requests[1]["range"] == "bytes=100000-"


@pytest.mark.parametrize("target", ["http://example.org/m.gguf", "ftp://127.0.0.1/m.gguf"])
def test_an_unsafe_redirect_is_refused_at_once(get: Get, target: str) -> None:
    told = Behaviour(DATA, location=[target])
    with serve(told) as url, pytest.raises(UnavailableError, match=r"leads to|not allowed"):
        get(url).run()
    assert len(told.requests) == 1


def test_redirects_in_a_circle_end(get: Get) -> None:
    told = Behaviour(DATA)
    with serve(told) as url:
        told.location = [url] * 50
        with pytest.raises(UnavailableError):
            get(url).run()
    assert len(told.requests) < 50


@pytest.mark.parametrize("declared", [1, 100_000])
def test_a_length_other_than_published_is_refused_at_once(get: Get, declared: int) -> None:
    told = Behaviour(DATA, declared=declared)
    with serve(told) as url, pytest.raises(UnavailableError, match="were expected"):
        get(url, size=len(DATA)).run()
    assert len(told.requests) == 1


def test_a_promise_of_more_than_comes_is_given_up(get: Get) -> None:
    told = Behaviour(DATA, declared=len(DATA) + 10)
    with serve(told) as url, pytest.raises(UnavailableError, match="3 times in a row"):
        get(url).run()


def test_too_much_is_refused(get: Get) -> None:
    with serve(Behaviour(DATA)) as url, pytest.raises(UnavailableError, match="at most"):
        get(url, max_bytes=1000).run()


def test_too_much_without_a_length_is_stopped(get: Get) -> None:
    with serve(Behaviour(DATA, has_length=False)) as url:
        download = get(url, max_bytes=1000)
        with pytest.raises(UnavailableError, match="more than 1000"):
            download.run()
        assert not download.part_path.exists()


def test_a_compressed_answer_is_refused(get: Get) -> None:
    with serve(Behaviour(DATA, encoding="gzip")) as url, pytest.raises(UnavailableError):
        get(url).run()


def test_chunks_that_break_off_are_gone_on_with(get: Get) -> None:
    told = Behaviour(DATA, has_length=False, is_chunked=True, cuts=[100_000])
    with serve(told) as url:
        assert get(url).run().read_bytes() == DATA
    assert told.requests[1]["range"] == "bytes=100000-"


def test_another_range_than_asked_does_not_damage_the_file(get: Get) -> None:
    told = Behaviour(DATA, cuts=[100_000], wrong_range=True)
    with serve(told) as url:
        assert get(url).run().read_bytes() == DATA


def test_a_full_disk_is_seen_beforehand(get: Get) -> None:
    told = Behaviour(DATA)
    world = Surroundings(free_bytes=lambda _path: len(DATA) - 1)
    with serve(told) as url:
        download = get(url, surroundings=world)
        with pytest.raises(TemporaryError, match="are free") as caught:
            download.run()
        assert not download.part_path.exists()
    assert "Free disk space" in caught.value.advice


def test_the_time_for_one_call_ends(get: Get) -> None:
    now = iter(range(1000))
    world = Surroundings(monotonic=lambda: float(next(now)))
    patience = Patience(total_s=1.0, reserve_bytes=0, chunk_bytes=1000)
    with serve(Behaviour(DATA)) as url:
        download = get(url, patience=patience, surroundings=world)
        with pytest.raises(TemporaryError, match="not complete in time"):
            download.run()


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b'{"schema": "vv.models.part/1"}'])
def test_damaged_state_starts_anew(get: Get, tmp_path: Path, state: bytes) -> None:
    (tmp_path / "m.gguf.part").write_bytes(b"rubbish")
    (tmp_path / "m.gguf.part.json").write_bytes(state)
    with serve(Behaviour(DATA)) as url:
        assert get(url, has_hash=True).run().read_bytes() == DATA
