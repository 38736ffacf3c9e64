"""The command line, bin/onefold. A command's module is imported only when that command is called."""

from __future__ import annotations

import importlib
import sys
from typing import NamedTuple

import click

from onefold import __version__
from onefold.errors import OnefoldError


class Entry(NamedTuple):
    """Where a command is (module:attribute) and what it does, so that --help imports none of them."""

    target: str
    summary: str


COMMANDS = {
    "up": Entry("platform:up", "Start PostgreSQL, Airflow and the sandbox."),
    "down": Entry("platform:down", "End every process of this installation."),
    "backup": Entry("backup:backup", "Save the whole installation in a folder, while it runs."),
    "restore": Entry("backup:restore", "Restore such a folder; erase again who was erased since."),
    "login": Entry("login:login", "Sign in: what is started is started in your name."),
    "logout": Entry("login:logout", "Forget who has signed in."),
    "whoami": Entry("login:whoami", "Say in whose name the commands act."),
    "user": Entry("user:user", "Make, list and remove personal logins to the warehouse."),
    "account": Entry("account:account", "Show, link and end accounts of the identity provider."),
    "status": Entry("platform:status", "Show what runs and where the UI is."),
    "sql": Entry("sql:sql", "Ask the warehouse in SQL."),
    "demo": Entry("demo:demo", "Run the nightly sync of every system and report what came out."),
    "sync": Entry("sync:sync", "Load one system through the scheduler."),
    "backfill": Entry("backfill:backfill", "Load the past of one system again, run by run."),
    "conform": Entry("sync:conform", "Build and publish the entities."),
    "deliver": Entry("deliver:deliver", "Deliver entities and marts to another warehouse, or verify it."),
    "replay": Entry("replay:replay", "Judge quarantined rows again, after a suite or mapping was fixed."),
    "migrate": Entry("migrate:migrate", "Load a window of the past: dry run first, then approval."),
    "explain": Entry("explain:explain", "Explain why a load failed, and what to do."),
    "quarantine": Entry("quarantine:quarantine", "Show which rows wait and which values are withheld, and why."),
    "held-back": Entry("held_back:held_back", "Show which golden records are held back, and why."),
    "rollback": Entry("rollback:rollback", "Remove published loads as if they had never been, or undo that."),
    "retention": Entry("retention:retention", "Show what is kept how long and what is due; delete it."),
    "privacy": Entry("privacy:privacy", "Print the record of processing; report on one person."),
    "erase": Entry("erase:erase", "Erase one person everywhere, with approval."),
    "audit": Entry("audit:audit", "Verify and read the audit trail."),
    "generate": Entry("generate:generate", "Write everything that is generated from the catalogue."),
    "write-back": Entry("write_back:write_back", "Write what changed into another system: plan, approve, run."),
    "plan": Entry("plan:plan", "Show what an edited catalogue would change of the golden records."),
    "apply": Entry("apply:apply", "Make the warehouse follow a plan, exactly or not at all."),
    "new": Entry("new:new", "Make a first draft of a system from its own description."),
    "survey": Entry("survey:survey", "Report what the connected systems hold, before anything is integrated."),
    "map": Entry("map:map_", "Propose how a system's fields map to entities."),
    "reconcile": Entry("reconcile:reconcile", "Compare streams with their sources; repair what differs."),
    "accept": Entry("accept:accept", "Write what a source has changed of its contract into the stream's YAML."),
    "sweep": Entry("sweep:sweep", "List a stream's keys at its source; delete what is gone there."),
    "slots": Entry("slots:slots", "Show what sources keep their logs for; drop what no stream reads any more."),
    "api": Entry("api:api", "Answer what is known of companies."),
    "api-key": Entry("api_key:api_key", "Make, list and revoke keys of the register API."),
    "hooks": Entry("hooks:hooks", "Receive webhooks: the service that senders post their events to."),
    "cost": Entry("cost:cost", "Show what each integration costs in a month."),
    "metrics": Entry("metrics:metrics", "Serve metrics for Prometheus."),
    "check": Entry("check:check", "Check the catalogue before anything runs."),
}


class LazyCommands(click.Group):
    """Lists the table above without importing anything, and loads the one command that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, attribute = entry.target.split(":")
        command: click.Command = getattr(importlib.import_module(f"onefold.commands.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.command(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name=None, version=__version__, prog_name="onefold")
def cli(debug: bool) -> None:
    """Many systems, one record.

    Each command has its own --help with an example.
    """


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        cli(prog_name="onefold", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("onefold: interrupted", err=True)
        sys.exit(130)
    except OnefoldError as error:
        if "--debug" in sys.argv:
            raise
        click.echo(f"onefold: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
