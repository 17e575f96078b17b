"""The command line. Commands import what they need when they run: `--version` answers within 100 ms."""

from __future__ import annotations

import gc
import math
import sys
from pathlib import Path
from typing import Any, BinaryIO

import click

from statuspulse import __version__
from statuspulse.cli.incident_commands import incidents
from statuspulse.cli.key_commands import probes, tokens
from statuspulse.cli.maintenance_commands import maintenance
from statuspulse.cli.monitor_commands import monitors
from statuspulse.cli.sending_commands import integrations, webhooks
from statuspulse.cli.slo_commands import slos
from statuspulse.cli.status_commands import healthcheck, openapi, status
from statuspulse.cli.token_commands import token

# Nearly everything here goes when its last reference does. Under the interpreter's own thresholds (700, 10, 10) the
# search for cycles took a tenth of a start and of a probe's time, and of the control plane's up to a half.
_SEARCHED_EVERY = (10_000, 20, 50)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", message="statuspulse %(version)s")
def main() -> None:
    """Watches HTTP, TCP, DNS, TLS, ICMP and gRPC targets and jobs that call, tells the truth about them, and gets the
    right person to act.

    \b
    Examples:
      statuspulse serve
      statuspulse check --repeat 5 https://example.com
    """
    gc.set_threshold(*_SEARCHED_EVERY)


@main.command()
@click.option("--no-probe", is_flag=True, help="Run no checks on this host; other probes may.")
def serve(*, no_probe: bool) -> None:
    """Run API, engine and dispatcher, and a probe for the region `local`.

    Settings are environment variables (STATUSPULSE_LISTEN, STATUSPULSE_DATA_DIR, …) or stand in statuspulse.toml.

    \b
    Examples:
      statuspulse serve
      STATUSPULSE_LISTEN=127.0.0.1:9000 statuspulse serve --no-probe
    """
    from statuspulse.cli.serve import run

    run(no_probe=no_probe)


@main.command()
@click.option("--server", required=True, metavar="URL", help="Where the control plane answers.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="Holds the probe's key; without it the key is read from STATUSPULSE_PROBE_KEY.",
)
@click.option("--data-dir", type=click.Path(path_type=Path), help="Keeps assignments and results through restarts.")
@click.option("--end-with-stdin", is_flag=True, hidden=True)  # for the probe that is the child of a server
def probe(*, server: str, key_file: Path | None, data_dir: Path | None, end_with_stdin: bool) -> None:
    """Run checks for the region that the key belongs to.

    The key is never an argument: it would show in the list of processes.

    \b
    Examples:
      STATUSPULSE_PROBE_KEY=prb_live_… statuspulse probe --server https://status.example.com
      statuspulse probe --server https://status.example.com --key-file /etc/statuspulse/probe.key
    """
    from statuspulse.cli.probe import run

    run(server=server, key_file=key_file, folder=data_dir, ends_with_stdin=end_with_stdin)


class Plugin(click.Command):
    """A command whose wrong usage is told with --nagios as a plugin tells it: one line and UNKNOWN."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        as_nagios = "--nagios" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if not as_nagios:
                raise
            from statuspulse.cli.nagios import Level, plain

            click.echo(plain(Level.UNKNOWN, error.format_message()))
            sys.exit(Level.UNKNOWN)


class Seconds(click.FloatRange):
    """A range of numbers; what is no number, which would pass every comparison, is refused."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return seconds


def _not_both(ctx: click.Context, _: click.Parameter, value: bool) -> bool:
    if value and (ctx.params.get("as_json") or ctx.params.get("as_nagios")):
        raise click.UsageError("--json and --nagios exclude each other.", ctx)
    return value


@main.command(cls=Plugin)
@click.argument("url")
@click.option(
    "--timeout",
    type=Seconds(0.1, 60),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="The one deadline of a look: name, connection, TLS, redirects and answer.",
)
@click.option("--expect-status", metavar="STATUS", help="200, 2xx or 200-299, or several with commas.  [default: 2xx]")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=_not_both,
    help="One line of JSON for each look, with the members of a result.",
)
@click.option(
    "--nagios", "as_nagios", is_flag=True, callback=_not_both, help="One line with perfdata; exit status 0, 1, 2 or 3."
)
@click.option("--repeat", type=click.IntRange(1), default=1, metavar="N", help="Look N times, a second apart.")
def check(*, url: str, timeout: float, expect_status: str | None, as_json: bool, as_nagios: bool, repeat: int) -> None:
    """Look at a target once, from here, without a server.

    URL is http(s)://…, tcp://host:port or dns://name[?type=MX&resolver=9.9.9.9]. Exit status 0: it is up, 1: it is
    down, 2: wrong usage, 3: unknown, for nothing could be seen from here. STATUSPULSE_PROBE_DENY applies.

    \b
    Examples:
      statuspulse check --expect-status 200 https://example.com
      statuspulse check --nagios tcp://db.example:5432
    """
    from statuspulse.cli.check import Form, Wish, run

    form = Form.NAGIOS if as_nagios else Form.JSON if as_json else Form.TEXT
    run(Wish(url=url, timeout_ms=round(timeout * 1000), expected_status=expect_status, form=form, count=repeat))


@main.group()
def admin() -> None:
    """Work on the data directory of a server that is stopped.

    \b
    Examples:
      statuspulse admin seed --file seed.json
      statuspulse admin --help
    """


admin.add_command(token)
for command in (
    monitors,
    incidents,
    maintenance,
    slos,
    webhooks,
    integrations,
    status,
    tokens,
    probes,
    openapi,
    healthcheck,
):
    main.add_command(command)


@admin.command()
@click.option("--file", "file", required=True, type=click.File("rb"), help='JSON; "-" reads standard input.')
def seed(*, file: BinaryIO) -> None:
    """Store objects with ids that you choose: for demos, migrations and the examples of the API reference.

    What exists is left as it is, so running it twice changes nothing.

    \b
    Examples:
      statuspulse admin seed --file seed.json
      statuspulse admin seed --file - < seed.json
    """
    from statuspulse.cli.seed import run

    run(file.read(), place=getattr(file, "name", "standard input"))
