"""What the dispatcher keeps of small payloads."""

from covalent_lab.dispatcher.cache import PayloadCache
from covalent_lab.ids import DispatchId, PayloadRef

A, B = DispatchId("a"), DispatchId("b")


def ref(name: str) -> PayloadRef:
    """Some payload of four bytes."""
    return PayloadRef(name, 4)


def kept(cache: PayloadCache, *keys: tuple[DispatchId, str]) -> list[bool]:
    """Which of these are there."""
    return [cache.get(dispatch_id, ref(name)) is not None for dispatch_id, name in keys]


def test_a_payload_belongs_to_its_dispatch() -> None:
    """Another does not get it, and it goes with its own."""
    cache = PayloadCache()
    cache.put(A, ref("x"), b"1234")
    assert cache.get(A, ref("x")) == b"1234"
    assert kept(cache, (B, "x"), (A, "y")) == [False, False]
    cache.forget(A)
    cache.forget(A)
    assert kept(cache, (A, "x")) == [False]


def test_the_dispatch_that_was_served_longest_ago_gives_up_its_oldest_payload() -> None:
    """Until there is room; what is put twice counts once."""
    cache = PayloadCache(limit=12)
    for dispatch_id, name in ((A, "1"), (A, "2"), (A, "2"), (B, "3")):
        cache.put(dispatch_id, ref(name), b"1234")
    cache.put(B, ref("4"), b"1234")
    assert kept(cache, (A, "1"), (B, "3"), (B, "4"), (A, "2")) == [False, True, True, True]
    cache.put(A, ref("5"), b"1234")
    assert kept(cache, (B, "3"), (B, "4"), (A, "2"), (A, "5")) == [False, True, True, True]


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    """Nor is anything else then; later ones find all the room."""
    cache = PayloadCache(limit=8)
    cache.put(A, ref("1"), b"1234")
    cache.put(B, ref("2"), b"123456789")
    assert kept(cache, (A, "1"), (B, "2")) == [False, False]
    for name in "34":
        cache.put(A, ref(name), b"1234")
    assert kept(cache, (A, "3"), (A, "4")) == [True, True]
