"""The `tta` command: its options, and how an error becomes one line and an exit status. `scraper.commands` has the commands."""

import os
import sqlite3
import sys
import tomllib
from pathlib import Path
from pkgutil import resolve_name

import click

from scraper.config import load_config
from scraper.errors import ExitStatus, Stopped, TtaError
from scraper.folders import Folders
from scraper.terminal import escape

_COMMANDS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("commands").joinpath("commands.toml").read_text("utf-8"))
_PATH = click.Path(path_type=Path)


class _Commands(click.Group):
    """Imports a command's module when the command is called: Datasette and the HTTP client take a second to import."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return resolve_name(f"scraper.commands.{_COMMANDS[cmd_name][0]}") if cmd_name in _COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--data", metavar="DIR", type=_PATH, envvar="TTA_DATA", default="data", show_envvar=True, help="The data folder.")
@click.option(
    "--config", metavar="FILE", type=_PATH, envvar="TTA_CONFIG", show_envvar=True, help="Configuration file; else tta.toml."
)
@click.version_option(package_name="tta")
@click.pass_context
def cli(ctx: click.Context, data: Path, config: Path | None) -> None:
    """Keep, read and explore the training and technical assistance records of the BJA NTTAC."""
    load_config(config)  # a mistake in it is reported before anything is done
    ctx.obj = Folders(data, config)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command and exits with its status (DESIGN.md, "Command line")."""
    message = ""
    try:
        status = cli.main(args=arguments, prog_name="tta", standalone_mode=False)
    except click.exceptions.Exit as done:
        status = done.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code  # 2 for wrong usage, else 1, as in ExitStatus
    except (KeyboardInterrupt, Stopped, click.Abort):
        message, status = "stopped", ExitStatus.PARTLY_DONE
    except TtaError as error:
        message, status = escape(error, 1000), error.status
    except BrokenPipeError:
        # the reader of standard output, such as `head`, has exited: flushing at the end must not raise again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = ExitStatus.ERROR
    except OSError as error:
        message, status = f"{escape(error.filename or 'a file')}: {error.strerror}", ExitStatus.ERROR
    except sqlite3.Error as error:
        message = f"the data folder can't be read or written ({escape(error)}): check its disk, run `tta doctor`"
        status = ExitStatus.ERROR
    if message:
        click.echo(f"tta: {message}", err=True)
    sys.exit(int(status or 0))
