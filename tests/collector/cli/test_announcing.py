import sys

from weft_collector.cli import announcing


def test_at_the_default_port_nothing_needs_to_be_set():
    shown = announcing.welcome("1.2", "http://127.0.0.1:4318", "/data")
    assert "Weft 1.2" in shown
    assert "nothing to set" in shown
    assert "--collector" not in shown


def test_at_another_port_the_lines_to_paste_name_it():
    shown = announcing.welcome("1.2", "http://127.0.0.1:5000", "/data")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:5000" in shown
    assert "weft run --service NAME --collector http://127.0.0.1:5000 -- uvicorn app:app" in shown


def test_the_address_of_grpc_is_told_where_there_is_one():
    assert "OTLP/gRPC  127.0.0.1:4317" in announcing.welcome("1.2", "http://x:1", "/data", "127.0.0.1:4317")
    assert "gRPC" not in announcing.welcome("1.2", "http://x:1", "/data")


def test_a_log_file_gets_one_line_for_each_thing_begun(capsys):
    announcer = announcing.announcer()
    for text in ("preparing kernels", "reading the log, 5 spans so far", "reading the log, 9 spans so far"):
        announcer.progress(text)
    announcer.say("here I am")
    announcer.done()
    announcer.done()
    out, err = capsys.readouterr()
    assert err.splitlines() == ["preparing kernels ...", "reading the log ..."]
    assert out == "here I am\n"


def test_a_terminal_sees_what_is_being_done_now(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    announcer = announcing.announcer()
    announcer.progress("preparing kernels")
    announcer.say("here I am")
    announcer.done()
    announcer.done()
    out, err = capsys.readouterr()
    assert "preparing kernels" in err
    assert out == "here I am\n"
