"""What stood of the person in a log, against the rule, is overwritten, while the service goes on writing it."""

from __future__ import annotations

from pathlib import Path

from onefold.erasure.log_files import lines_naming, overwrite_in_logs
from onefold.privacy.values import KnownValues, email, full_name, pesel
from tests.erasure.office import EMAIL, PESEL, Office, adam, bytes_on_disk, zofia

KNOWN = KnownValues([email(EMAIL), pesel(PESEL), name] if (name := full_name(["Zofia", "Brzezińska"])) else [])
LOG = f'{{"event": "żółw {EMAIL}, {PESEL}"}}\nnothing\nZOFIA  brzezinska\n'.encode() + b"\xff\xfe and " + PESEL.encode()


def test_a_log_loses_the_person_byte_for_byte_and_whoever_appends_to_it_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "tasks" / "run" / "attempt=1.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(LOG)
    with log.open("ab") as service:
        assert lines_naming(tmp_path, KNOWN) == {"tasks/run/attempt=1.log": 3}
        assert log.read_bytes() == LOG
        assert overwrite_in_logs(tmp_path, KNOWN) == {"tasks/run/attempt=1.log": 3}
        service.write(b"\ngoes on")
    left = log.read_bytes()
    marks = (b"#" * len(EMAIL), b"#" * 11, b"#" * len("ZOFIA  brzezinska"), b"#" * 11)
    expected = '{"event": "żółw %s, %s"}\nnothing\n%s\n'.encode() + b"\xff\xfe and %s"
    assert left == expected % marks + b"\ngoes on"
    assert lines_naming(tmp_path, KNOWN) == {}


def test_an_erasure_searches_the_logs_and_says_so(office: Office) -> None:
    logs = office.home / "logs"
    logs.mkdir(parents=True)
    (logs / "scheduler.log").write_text(f"a bug wrote {EMAIL}\n")
    office.load("hr.employee", zofia(), adam())
    assert "overwritten: scheduler.log (1)" in office.erase().text
    assert bytes_on_disk(logs) == []
