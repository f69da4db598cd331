import pytest

from tests.collector.wire.otlp_factory import NOW, request, span
from weft_collector.wire.limits import Limits
from weft_collector.wire.otlp_protobuf import Decoder
from weft_collector.wire.strings import Strings


def names(decoder: Decoder, *texts: str, service: str = "") -> list[str]:
    """The span names as a decoder gives them back."""
    decoded = decoder.decode(request([span(text) for text in texts], service), NOW)
    return [decoder.strings.text(id_) for id_ in decoded.spans.name.tolist()]


def test_a_fresh_table_knows_the_empty_text_and_other():
    strings = Strings(Limits())
    assert len(strings) == 2
    assert strings.text(0) == ""
    assert strings.text(1) == "other"
    assert strings.overflowed == strings.used_bytes == 0


@pytest.mark.parametrize("id_", [2, -1, 10**9])
def test_an_id_that_was_never_given_out_is_an_error(id_):
    with pytest.raises(IndexError):
        Strings(Limits()).text(id_)


def test_texts_of_every_length_are_told_apart():
    decoder = Decoder()
    texts = [letter * length for length in range(1, 40) for letter in "ab"]
    texts += ["a" * i + "b" + "a" * (20 - i) for i in range(21)]
    assert names(decoder, *texts, *reversed(texts)) == [*texts, *reversed(texts)]
    assert len(decoder.strings) == 2 + len(set(texts))


def test_a_span_named_other_is_not_the_bucket():
    decoder = Decoder()
    decoded = decoder.decode(request([span("other")]), NOW)
    assert decoded.spans.name[0] > 1
    assert decoder.strings.overflowed == 0


def test_a_full_table_answers_other_and_counts():
    decoder = Decoder(Limits(strings=80))
    texts = [f"n{i}" for i in range(100)]
    assert names(decoder, *texts) == texts[:68] + ["other"] * 32  # 80 less an eighth less the first two
    assert decoder.strings.overflowed == 32
    assert names(decoder, "n0", "n67", "n68") == ["n0", "n67", "other"]
    assert decoder.strings.overflowed == 33


def test_services_have_room_when_names_have_filled_theirs():
    decoder = Decoder(Limits(strings=80))
    names(decoder, *(f"n{i}" for i in range(100)))
    services = [f"s{i}" for i in range(12)]
    for service in services[:10]:
        decoded = decoder.decode(request([span("n0")], service), NOW)
        assert decoder.strings.text(int(decoded.resources.service[0])) == service
    for service in services[10:]:
        decoded = decoder.decode(request([span("n0")], service), NOW)
        assert decoder.strings.text(int(decoded.resources.service[0])) == "other"


@pytest.mark.parametrize(
    "key", ["db.namespace", "peer.service", "server.address", "messaging.destination.name"]
)
def test_a_flood_of_values_hides_no_new_name_and_no_new_service(key):
    decoder = Decoder(Limits(strings=80))
    flood = [span(attributes={key: f"v{i}"}) for i in range(1000)]
    decoded = decoder.decode(request(flood, service=""), NOW)
    column = {
        "db.namespace": "db_namespace",
        "peer.service": "peer_service",
        "server.address": "server_address",
    }
    ids = getattr(decoded.spans, column.get(key, "messaging_destination")).tolist()
    kept = 80 - 80 // 4 - 2 - 1  # three quarters, less the first two and the spans' own name
    assert [decoder.strings.text(id_) for id_ in ids] == [f"v{i}" for i in range(kept)] + ["other"] * (
        1000 - kept
    )
    assert names(decoder, *(f"n{i}" for i in range(10))) == [f"n{i}" for i in range(10)]
    assert names(decoder, "n10", service="a new one") == ["other"]
    assert [decoder.strings.text(id_) for id_ in range(len(decoder.strings))][-1] == "a new one"


def test_memory_stands_still_once_the_table_is_full():
    decoder = Decoder(Limits(strings=1000))
    for start in range(0, 50_000, 5000):
        decoder.decode(
            request([span(attributes={"db.namespace": f"{i}"}) for i in range(start, start + 5000)]), NOW
        )
        assert len(decoder.strings) <= 750 + 1  # and the service
    assert decoder.strings.overflowed >= 49_000


def test_the_bytes_of_all_texts_are_bounded():
    decoder = Decoder(Limits(strings_total_bytes=800))
    found = names(decoder, *(f"{i:0100}" for i in range(20)))
    assert found.count("other") == 13  # seven times 100 bytes are seven eighths
    assert decoder.strings.used_bytes == 700


def test_a_text_over_the_limit_is_other():
    decoder = Decoder(Limits(string_bytes=10))
    assert names(decoder, "a" * 10, "a" * 11) == ["a" * 10, "other"]
    assert decoder.strings.overflowed == 1


def test_many_texts_keep_their_ids():
    decoder = Decoder()
    texts = [f"name {i * i}" for i in range(100_000)]
    first = decoder.decode(request([span(text) for text in texts]), NOW).spans.name
    again = decoder.decode(request([span(text) for text in texts]), NOW).spans.name
    assert first.tolist() == again.tolist() == list(range(first[0], first[0] + 100_000))
    assert decoder.strings.text(int(first[77_777])) == texts[77_777]


@pytest.mark.parametrize("seed", [0, 1, 2**62 - 1])
def test_ids_depend_on_order_and_not_on_the_seed(seed):
    decoder = Decoder(seed=seed)
    assert decoder.decode(
        request([span("a"), span("b"), span("a")], service=""), NOW
    ).spans.name.tolist() == [2, 3, 2]


def test_texts_may_be_any_unicode():
    decoder = Decoder()
    texts = ["größe", "日本語のなまえです", "\U0001f600", "a\0b"]
    assert names(decoder, *texts) == texts
