import asyncio
import logging

from opentelemetry import baggage, trace
from opentelemetry import context as otel

from weft import context


def test_the_keys_are_the_apis_own():
    span = trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)
    assert trace.set_span_in_context(span)[context.SPAN_KEY] is span
    assert trace.get_current_span(context.with_span(span, otel.Context())) is span
    assert baggage.get_all(otel.Context({context.BAGGAGE_KEY: {"a": "b"}})) == {"a": "b"}


def test_a_token_of_another_task_restores_nothing_and_logs_nothing(caplog, agent):
    async def main():
        tracer = agent.provider.get_tracer("t")

        async def generate():
            with tracer.start_as_current_span("in the generator"):
                yield 1
                yield 2

        generator = generate()
        await asyncio.create_task(generator.__anext__())
        await generator.aclose()  # closed by another task than the one that entered the span
        assert trace.get_current_span() is trace.INVALID_SPAN

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())
    assert not [record for record in caplog.records if "detach" in record.message]


def test_suppression_is_seen_and_taken_back():
    assert not context.suppressed(context.current())
    token = context.suppress()
    assert context.suppressed(context.current())
    context.detach(token)
    assert not context.suppressed(context.current())


def test_a_foreign_runtime_context_detaches_its_own_tokens(monkeypatch):
    detached = []
    monkeypatch.setattr(otel, "detach", detached.append)
    context.detach("a token of theirs")
    assert detached == ["a token of theirs"]
