"""The `gesso` command: what it offers, and the one way out of it, an exit code."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from gesso.cli.errors import SOME_FAILED, USAGE, BadUsage, problem_of
from gesso.cli.session import Finding, Session, State, Wiring, debug_option, session_of
from gesso.cli.text import note, plain, say

__all__ = ["Finding", "State", "Wiring", "run"]

COMMANDS = {
    "run": ("recipe_commands", "Run a recipe over pictures."),
    "recipes": ("recipe_commands", "List recipes; show or check one."),
    "verify": ("verify", "Check that pictures are what their record says."),
    "reproduce": ("reproduce", "Make pictures again from their record, and compare."),
    "operations": ("info", "List the operations and their parameters."),
    "limits": ("info", "Show the limits that inputs must keep."),
    "doctor": ("info", "Show what is installed and usable, and why not."),
    "warm-up": ("info", "Prepare once what the first run would wait for."),
}
"""The commands beside the operations' verbs: the module that has them, loaded when one is called, and what they do."""


class Verbs(click.Group):
    """The operations' verbs and the other commands. A verb's options are built only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, verbs first."""
        return [o.id for o in session_of(ctx).operations] + list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name."""
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"gesso.cli.{COMMANDS[cmd_name][0]}")
            commands: tuple[click.Command, ...] = module.COMMANDS
            return next(c for c in commands if c.name == cmd_name)
        operation = next((o for o in session_of(ctx).operations if o.id == cmd_name), None)
        if operation is None:
            return None
        from gesso.cli.verbs import command_of

        return command_of(operation)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with; an unknown one is refused with the nearest name."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from gesso.recipes.suggest import did_you_mean

            hint = did_you_mean(args[0], self.list_commands(ctx)) or "see `gesso --help`"
            raise BadUsage(f"there is no command {args[0][:80]!r}", code="unknown_command", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Two lists: what to do with pictures, and the rest."""
        verbs = [(o.id, o.title) for o in session_of(ctx).operations]
        if verbs:
            with formatter.section("Operations"):
                formatter.write_dl(verbs)
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def run(wiring: Wiring, argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; never raises, never shows a traceback unless ``--debug`` asks for it.

    Exit codes: 0 all ok · 1 some failed · 2 usage · 3 model missing · 4 out of memory · 5 refused by policy · 130 cancelled.
    """
    session = Session(wiring)
    try:
        return _run(session, list(sys.argv[1:] if argv is None else argv))
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except BrokenPipeError:
        _forget_stdout()
        return SOME_FAILED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (the outermost door)
        if session.debug and not isinstance(error, click.UsageError):
            import traceback

            traceback.print_exception(error)
        problem = problem_of(error)
        with contextlib.suppress(OSError, ValueError):
            for line in problem.lines():
                note(plain(line))
        return problem.exit_code


def _run(session: Session, argv: list[str]) -> int:
    group = _group(session.wiring.version)
    outcome = group.main(args=argv or ["--help"], prog_name="gesso", standalone_mode=False, obj=session)
    with contextlib.suppress(ValueError):
        sys.stdout.flush()
    return (outcome if isinstance(outcome, int) else 0) if argv else USAGE


def _group(version: str) -> Verbs:
    def show_version(context: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            say(f"gesso {version}")
            context.exit()

    options: list[click.Parameter] = [
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=show_version,
            help="Show the version.",
        ),
        debug_option(),
    ]

    def nothing(**_: Any) -> None:
        return None

    return Verbs(
        "gesso",
        params=options,
        callback=nothing,
        no_args_is_help=False,
        help="Make and edit images: on one file, a folder, or thousands.",
        epilog="`gesso VERB --help` lists the options of a verb. Exit codes: 0 all ok, 1 some failed, 2 usage, "
        "3 model missing, 4 out of memory, 5 refused by policy, 130 cancelled.",
        context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 110},
    )


def _forget_stdout() -> None:
    """Nobody reads on: let the interpreter's own flush at exit go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
