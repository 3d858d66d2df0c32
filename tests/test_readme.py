"""The promises of README and docs: their commands, keys and options are those of the program.

``python -m tests.test_readme`` writes the generated parts anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from latvar_tui.cli import cli
from latvar_tui.settings import SETTINGS
from latvar_tui.tui.keys import help_lines

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]

OTHERS_OPTIONS = {"--version", "--help", "--system-site-packages", "--cpu"}
"""Of our command itself, of Python's venv and of stress-ng."""


def _first_sentence(text: str) -> str:
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")


def commands_table() -> str:
    rows = ["| `latvar-tui` | The live screen on three default models, running at once |"]
    for name, command in sorted(cli.commands.items()):
        arguments = [argument for argument in command.params if isinstance(argument, click.Argument)]
        words = [argument.make_metavar(click.Context(command)) for argument in arguments]
        shown = " ".join(["latvar-tui", name, *words]).replace("|", "\\|")
        rows.append(f"| `{shown}` | {_first_sentence(command.help or '')} |")
    return "\n".join(["| command | does |", "|---|---|", *rows])


def keys_table() -> str:
    rows = [
        f"| {' '.join(key if key == '…' else f'`{key}`' for key in shown.split())} | {text} |"
        for shown, text in help_lines()
    ]
    return "\n".join(["| key | does |", "|---|---|", *rows])


def options_table() -> str:
    rows: dict[tuple[str, str], list[str]] = {}
    names = ("live", "record", "sweep")
    for name in names:
        command = cli.commands[name]
        for option in command.params:
            if isinstance(option, click.Option):
                metavar = "" if option.is_flag else f" {option.make_metavar(click.Context(command))}"
                rows.setdefault((option.opts[0] + metavar, (option.help or "").rstrip(".")), []).append(name)
    lines = []
    for (shown, text), where in rows.items():
        only = "" if len(where) == len(names) else f" ({', '.join(f'`{name}`' for name in where)} only)"
        escaped = shown.replace("|", "\\|")
        lines.append(f"| `{escaped}` | {text}{only} |")
    return "\n".join(["| option | means |", "|---|---|", *lines])


def settings_table() -> str:
    rows = []
    for setting in SETTINGS:
        values = setting.values.replace("|", "\\|")
        rows.append(f"| `{setting.name}={values}` | {setting.help} |")
    return "\n".join(["| setting | means |", "|---|---|", *rows])


def models_table() -> str:
    group = cli.commands["models"]
    assert isinstance(group, click.Group)
    rows = []
    for name, command in group.commands.items():
        arguments = [argument for argument in command.params if isinstance(argument, click.Argument)]
        required = [p for p in command.params if isinstance(p, click.Option) and p.required]
        words = [argument.make_metavar(click.Context(command)) for argument in arguments]
        words += [f"{option.opts[0]} {option.make_metavar(click.Context(command))}" for option in required]
        shown = " ".join(["models", name, *words])
        rows.append(f"| `{shown}` | {command.get_short_help_str(120).rstrip('.')} |")
    return "\n".join(["| command | does |", "|---|---|", *rows])


GENERATED = {
    "commands": commands_table,
    "keys": keys_table,
    "options": options_table,
    "settings": settings_table,
    "models": models_table,
}


def generated(name: str) -> str:
    found = re.findall(rf"(?s)<!-- {name} -->\n(.*?)<!-- end of {name} -->", "".join(map(Path.read_text, PAGES)))
    assert len(found) == 1, f"{len(found)} parts '{name}' in README.md and docs"
    return str(found[0]).rstrip("\n")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_parts_are_up_to_date(name: str) -> None:
    assert generated(name) == GENERATED[name](), "run: python -m tests.test_readme"


def test_there_are_two_commands_and_ci_runs_them() -> None:
    commands = [line for line in README.read_text().splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[0].endswith("latvar-tui")
    assert commands[1].endswith("pytest")
    assert "grep '^python3 -m venv' README.md" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_it_shows_exists(page: Path) -> None:
    text = page.read_text()
    for line in re.findall(r"(?m)^latvar-tui (\S+)?.*$", text):
        assert not line or line in cli.commands or line.startswith("0."), line
    commands = list(cli.commands.values())
    commands += [command for group in commands if isinstance(group, click.Group) for command in group.commands.values()]
    known = {opt for command in commands for p in command.params for opt in p.opts} | OTHERS_OPTIONS
    assert set(re.findall(r"(?<=[\s`(])--[a-z-]+", text)) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_it_links_to_exists(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_every_command_explains_itself() -> None:
    for name, command in cli.commands.items():
        assert command.help, name
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or parameter.help, f"{name} {parameter.name}"  # type: ignore[attr-defined]


def main() -> None:
    for page in PAGES:
        text = page.read_text()
        for name, make in GENERATED.items():
            part = f"<!-- {name} -->\n{make()}\n<!-- end of {name} -->"
            text = re.sub(rf"(?s)<!-- {name} -->.*?<!-- end of {name} -->", lambda _, part=part: part, text)
        page.write_text(text)


if __name__ == "__main__":
    main()
