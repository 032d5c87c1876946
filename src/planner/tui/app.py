"""The application: it wires session, screens, themes, autosave and the ways it can end.

Nothing of the engine is imported up here: a first screen is painted, and keys are taken, before it is.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.binding import Binding
from textual.screen import Screen

from planner.exchange import settings
from planner.tui import keymap, screens, theme
from planner.tui.actions import ACTIONS, bindings, keys_of, modes, rebind, spell
from planner.tui.keyboard import Keyboard
from planner.tui.screens.base import LeanScreen, ModeScreen
from planner.tui.screens.first import FirstScreen
from planner.tui.terminal import terminal_is_gone, writes_unicode
from planner.tui.wire import Tight, Wire

STYLES: Final = Path(__file__).parent / "styles"
AUTOSAVE_S: Final = 0.5
"""Time after a change until the session is written."""
WATCH_S: Final = 2.0
"""How often a vanished terminal is looked for."""
LAST_S: Final = 3
"""Seconds a program told to end gets to do so."""
SWITCH_S: Final = 0.0005
"""Python lets a waiting thread have its turn after this; its own 5 ms are a good part of an answer."""


if TYPE_CHECKING:
    from planner.catalog import Catalog
    from planner.engine.result import Outcome
    from planner.spec.plan import Plan, Resolved
    from planner.tui.jumping import Jump
    from planner.tui.screens.workbench import WorkbenchScreen
    from planner.tui.state import Session
    from planner.tui.thinking import Tools


class PlannerApp(Keyboard):
    """The terminal UI.

    Args:
        plan: the plan to show; None: the preset that `source` names.
        source: the file or preset it came from; None as well: the last session, and the first time a preset.
        catalog: what a plan may name; None: the built-in presets and the user's.
        engine: computes an outcome; None: the planner's own.
        tools: what works beside the keys; None: the planner's own.
        flags: settings the command line gives.
    """

    TITLE = "planner"
    CSS_PATH = [STYLES / f"{name}.tcss" for name in ("app", "workbench", "pages", "parts")]
    BINDINGS = [*bindings("everywhere"), *bindings("modes"), Binding("ctrl+c", "how_to_quit", show=False)]
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        plan: Plan | None = None,
        source: str | None = None,
        *,
        catalog: Catalog | None = None,
        engine: Callable[[Resolved], Outcome] | None = None,
        tools: Tools | None = None,
        flags: Mapping[str, str | bool | None] | None = None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        sys.setswitchinterval(SWITCH_S)
        self.settings = settings.load(flags)
        ascii_only = self.settings.text("glyphs") == "ascii" or not writes_unicode()
        self._wire = Wire(ascii_only=ascii_only, colour=not os.environ.get("NO_COLOR"))
        self._source = source
        self._beginning = plan, source, catalog, engine, tools
        self._told = False
        """To end, while the workbench was not there yet."""
        self._saving = False
        self._jump: Jump | None = None
        self._notes: list[str] = [*self.settings.problems]
        self._notes += self._load_themes(self.settings.text("theme"))
        self.stylesheet.set_variables(self.get_css_variables())
        self._first_theme = True
        chosen, wrong = keymap.load()
        self._notes += wrong
        rebind(chosen)
        spell(arrows=not ascii_only)
        self.set_keymap({name: ",".join(keys) for name, keys in chosen.items()})
        self.set_class(self.settings.text("density") == "compact", "-compact")
        self.set_class(ascii_only, "-ascii")

    @cached_property
    def session(self) -> Session:
        """The plan being worked on, read and computed when first asked for."""
        from planner.tui import session_file

        session = session_file.begin(*self._beginning)
        self._notes += [session.trouble] if session.trouble else []
        return session

    def _load_themes(self, wanted: str) -> list[str]:
        """Read all themes and choose one; what is wrong with those that cannot be used."""
        notes: list[str] = []
        self._themes = theme.stamp()
        found = []
        for loaded in theme.load_all():
            if isinstance(loaded, theme.ThemeError):
                notes.append(str(loaded))
            else:
                found.append(loaded)
        for name in set(self.available_themes) - {one.name for one in found}:
            self.unregister_theme(name)
        for one in found:
            self.register_theme(one)
        if wanted not in self.available_themes:
            notes.append(theme.missing(wanted, self.available_themes))
            wanted = theme.DEFAULT
        self.theme = wanted
        return notes

    def refresh_css(self, animate: bool = True) -> None:  # noqa: FBT001, FBT002 - Textual's signature
        """Read the style sheets again, but not when Textual first hears of the theme: it was there before them."""
        if self._first_theme:
            self._first_theme = False
        else:
            super().refresh_css(animate)

    def _watch_themes(self) -> None:
        """Take up changes in the user's theme files while they are being edited."""
        if theme.stamp() != self._themes:
            notes = self._load_themes(self.theme)
            self.refresh_css(animate=False)
            self.say(notes[0] if notes else f"theme: {self.theme}, read again")

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Write through the wire, which sends what the terminal does not show yet."""
        update: object = renderable
        if isinstance(update, ChopsUpdate | LayoutUpdate):
            update = Tight(update, self._wire, self.size.width)
        super()._display(screen, update)  # type: ignore[arg-type]  # updates are renderables, Textual's types forgot

    async def answer(self, event: events.Event) -> None:
        """What was said stands until the next key; what works beside waits while it is answered."""
        if isinstance(event, events.Key):
            from planner.tui.thinking import a_key

            a_key()
            if self._jump is not None:
                if self._jump.key(event.character):
                    self._end_jump()
                return
            self._unsay()
        await super().answer(event)

    def _unsay(self) -> None:
        """What was said has been read."""
        if isinstance(self.screen, LeanScreen) and self.screen.said:
            self.screen.say("")

    def _end_jump(self) -> None:
        self._jump = None
        self._unsay()

    def on_resize(self) -> None:
        """A terminal may show anything after a change of size."""
        if self._jump is not None:
            self._jump.end()
            self._end_jump()
        self._wire.forget()

    # ----------------------------------------------------------------------------------------------- beginning

    def get_default_screen(self) -> Screen[None]:
        """On a terminal a first picture, and the workbench when that is shown; elsewhere the workbench at once."""
        if self.is_headless:
            return self.workbench
        self.listening = False
        return FirstScreen(self._source, lambda: self.call_later(self._begin))

    @cached_property
    def workbench(self) -> WorkbenchScreen:
        """The screen of the plan, below those of the other modes."""
        from planner.tui.screens.workbench import WorkbenchScreen

        return WorkbenchScreen(self.session)

    async def _begin(self) -> None:
        """Bring in engine and plan, which takes a moment, and put the workbench over the first picture."""
        from planner.spec.base import PlanError

        try:
            workbench = self.workbench
        except PlanError as error:
            self.exit(return_code=2, message="\n".join(error.lines()))
            return
        await self.push_screen(workbench)
        workbench.call_after_refresh(self.call_later, self._listen)

    async def _listen(self) -> None:
        """Answer what was typed meanwhile, and from now on at once."""
        if self._told:
            self.end()
            return
        self.listening = True
        self._say_notes()
        await self.answer_typed()
        gc.enable()
        gc.freeze()  # what is there by now stays; a key does not wait for a look through all of it

    def on_load(self) -> None:
        """Save and end when the connection is lost or the system asks, from before the first picture on."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(name, self._told_to_end)

    def on_mount(self) -> None:
        """Watch what happens outside; say what was wrong with the user's own files."""
        self._suspend_between_events(asyncio.get_running_loop())
        self.app_resume_signal.subscribe(self, lambda _: self.action_redraw())
        if not self.is_headless and not self.is_web:
            self.set_interval(WATCH_S, self._watch_terminal)
            self.set_interval(WATCH_S, self._watch_themes)
        if self.listening:
            self.call_after_refresh(self._say_notes)

    def _say_notes(self) -> None:
        if self._notes:
            more = f" · {len(self._notes) - 1} more: planner config validate" if len(self._notes) > 1 else ""
            self.say(self._notes[0] + more)

    def _suspend_between_events(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop and go on from the event loop: Textual does so amid whatever runs, for ever where that holds a lock."""
        for name, driven in ((signal.SIGTSTP, "_sigtstp_application"), (signal.SIGCONT, "_sigcont_application")):
            if handler := getattr(self._driver, driven, None):
                loop.add_signal_handler(name, handler)

    def say(self, words: str) -> None:
        """Say something on the screen in front, until the next key."""
        if isinstance(self.screen, LeanScreen):
            self.screen.say(words)

    def _watch_terminal(self) -> None:
        """A closed terminal whose hang-up signal was ignored would otherwise leave the program running for ever."""
        if terminal_is_gone():
            self._told_to_end()

    def _told_to_end(self) -> None:
        """Save, then exit, come what may: Textual's own way out waits for ever to write to a terminal that is gone."""
        if terminal_is_gone() and not self.is_headless:
            self.save_session()
            os._exit(0)
        if not self.is_headless:
            signal.alarm(LAST_S)
        if self.listening:
            self.end()
        else:
            self._told = True

    # ------------------------------------------------------------------------------------------------- saving

    def autosave(self) -> None:
        """Write the session soon; many changes in a row are written once."""
        if self.settings.on("autosave") and not self._saving and self.is_running:
            self._saving = True
            self.set_timer(AUTOSAVE_S, self.save_session)

    def save_session(self) -> str:
        """Write the session now; what went wrong, or an empty string."""
        if "session" not in vars(self):  # ended before it began
            return ""
        from planner.spec.base import PlanError
        from planner.tui import session_file

        self._saving = False
        try:
            session_file.save(self.session, session_file.session_path())
        except PlanError as error:
            return f"The session was not saved: {error}"
        return ""

    def end(self) -> None:
        """Save and exit."""
        trouble = self.save_session()
        saved = trouble or "Session saved; `planner` takes it up again."
        self.exit(message="\n".join(filter(None, (saved, self.session.trouble))))

    # ------------------------------------------------------------------------------------------------- actions

    def action_leave(self) -> None:
        """Save and exit."""
        self.end()

    def action_how_to_quit(self) -> None:
        """Ctrl+C alone must not end a session; say what does."""
        self.say("q or ^q quits; the session is saved")

    def action_redraw(self) -> None:
        """Write every cell again, where something else wrote on the terminal."""
        self._wire.forget()
        self.screen.refresh()

    def action_next_theme(self) -> None:
        """The next of the themes there are."""
        names = sorted(self.available_themes, key=lambda name: (name not in {"dark", "light"}, name))
        self.theme = names[(names.index(self.theme) + 1) % len(names)]
        self.say(f"theme: {self.theme}")

    def action_jump(self) -> None:
        """Letters on what is on screen; the next key goes to one, or ends it."""
        from planner.tui.jumping import Jump

        self._jump = Jump(self.screen)
        self.say("type the letters of a place; any other key goes on")

    def action_copy(self) -> None:
        """Copy what is in front."""
        from planner.tui.outside import copy

        if isinstance(self.screen, LeanScreen):
            self.say(copy(self, *self.screen.to_copy()))

    def action_mode(self, name: str) -> None:
        """Go to a mode; a list or a form on screen has to be left first."""
        from planner.tui.screens.workbench import WorkbenchScreen

        here = self.screen
        if not isinstance(here, WorkbenchScreen | ModeScreen) or here.query("Picker.-floating"):
            return
        if name == "workbench":
            if isinstance(here, ModeScreen):
                self.pop_screen()
                self.workbench.changed()
        elif not self.is_screen_installed(name) or self.get_screen(name) is not here:
            if not self.is_screen_installed(name):
                self.install_screen(screens.make(name, self.session), name)
            if isinstance(here, ModeScreen):
                self.switch_screen(name)
            else:
                self.push_screen(name)

    def action_deadline(self) -> None:
        """Ask for a deadline on the screen that answers it."""
        self.action_mode("scale")
        screen = self.screen
        if isinstance(screen, ModeScreen) and screen.MODE == "scale":
            screen.call_later(screen.run_action, "deadline")

    def action_commands(self) -> None:
        """Every action by name, with its keys; on the workbench every setting too."""
        from planner.tui.picking import fields
        from planner.tui.screens.workbench import WorkbenchScreen
        from planner.tui.widgets.picker import Option, Picker

        screen = self.screen
        if not isinstance(screen, WorkbenchScreen | ModeScreen) or screen.query("Picker.-floating"):
            return
        back = screen.focused
        here = screen.MODE if isinstance(screen, ModeScreen) else "workbench"
        actions = [*(a for a in ACTIONS if a.where in {here, "panels"}), *modes(),
                   *(a for a in ACTIONS if a.where == "everywhere")]  # fmt: skip
        entries = [Option(a.call, a.title, keys_of(a), a.help)
                   for a in actions if a.call and a.id not in {"commands", "back", here}]  # fmt: skip
        entries += fields(self.session) if here == "workbench" else []

        async def run(call: str) -> None:
            await self.run_action(call, default_namespace=screen)

        def done(value: object | None) -> None:
            screen.set_focus(back)
            if value is not None:
                self.call_later(run, str(value))

        picker = Picker("Commands", entries, done)
        screen.mount(picker)
        screen.set_focus(picker)
