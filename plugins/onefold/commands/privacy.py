"""onefold privacy: what a data protection authority is shown, and what a person is told of their own data.

No identifier of a person is an argument of a command: arguments stand in the process list and the shell's history.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from onefold.privacy.records import GoldenId
from onefold.privacy.values import PersonalValue


@click.group()
def privacy() -> None:
    """The record of processing, and reports on one person."""


@privacy.command(epilog="Example: onefold privacy record > record-of-processing.md")
@click.option("--json", "as_json", is_flag=True, help="As JSON instead of Markdown.")
def record(as_json: bool) -> None:
    """Print the record of processing activities (Art. 30 GDPR), made from the catalogue.

    Purposes, bases, persons, recipients and periods are said in the systems' YAML and in catalog/privacy.yaml.
    """
    from onefold.catalog.data_protection import check_data_protection
    from onefold.catalog.reader import read_catalog
    from onefold.insight.processing_record import as_markdown, make_processing_record

    catalog = read_catalog()
    made = make_processing_record(catalog, check_data_protection(catalog))
    click.echo(json.dumps(made.as_json(), indent=2, ensure_ascii=False) if as_json else as_markdown(made), nl=as_json)


@privacy.command(epilog="Example: onefold privacy report --output report.json (it then asks for the address or PESEL)")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file that is written, for its owner alone (0600).",
)
@click.option(
    "--pdf", type=click.Path(dir_okay=False, path_type=Path), help="The same as a PDF, for its owner alone too."
)
@click.option(
    "--font",
    "fonts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="With --pdf: a font file (.ttf, .otf, .ttc) for letters that DejaVu Sans lacks, as Chinese ones; repeatable.",
)
@click.option(
    "--file",
    "given",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of mode 0600 with an e-mail address or a PESEL a line; default: standard input.",
)
@click.option("--golden-record", metavar="ENTITY/ID", help="A golden record of the person, as employee/0b6f….")
def report(
    output: Path, pdf: Path | None, fonts: tuple[Path, ...], given: Path | None, golden_record: str | None
) -> None:
    """Write all that the warehouse has of one person (Art. 15 GDPR), with sources, purposes and recipients.

    Other people's data in it is replaced by "[of somebody else]". That the report was made is in the audit chain, with
    the person's golden records and counts, and no value.
    """
    from onefold.audit import actor
    from onefold.catalog.data_protection import check_data_protection
    from onefold.catalog.reader import read_catalog
    from onefold.platform.warehouse import connect_as, url_as
    from onefold.private_files import write_private
    from onefold.subject_report.make import make_subject_report
    from onefold.warehouse.post_commit import after_commit

    catalog = read_catalog()
    said = check_data_protection(catalog)
    golden = _golden(golden_record) if golden_record else None
    values = _identifiers(given) if given or not golden else frozenset()
    with connect_as("loader", autocommit=True) as connection:
        made = make_subject_report(connection, catalog, said, values, actor(), golden=golden)
    after_commit(url_as("loader"))
    write_private(output, json.dumps(made.as_json(), indent=2, ensure_ascii=False, default=str).encode())
    if pdf:
        from onefold.subject_report.pdf import as_pdf

        pages = as_pdf(made, fonts)
        write_private(pdf, pages.content)
        if pages.letters_named:
            click.echo(
                f"{pages.letters_named:,} letters are in no font of {pdf}: they stand there as their numbers, [U+…]. "
                "Give a font that has them with --font."
            )
    counts = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in made.counts().items())
    click.echo(f"Report {made.report_id} is in {output}: {counts}.")


def _identifiers(given: Path | None) -> frozenset[PersonalValue]:
    from onefold.privacy.secret_file import read_secret
    from onefold.subject_report.identifiers import parse_identifiers

    if given:
        return parse_identifiers(read_secret(given).decode())
    if sys.stdin.isatty():
        return parse_identifiers(click.prompt("E-mail address or PESEL (not shown)", hide_input=True, err=True))
    return parse_identifiers(sys.stdin.read())


def _golden(text: str) -> GoldenId:
    entity, slash, golden_id = text.partition("/")
    if not (entity and slash and golden_id):
        raise click.UsageError("--golden-record is ENTITY/ID, as employee/0b6f….")
    return entity, golden_id
