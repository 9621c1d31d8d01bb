"""The smallest Textual application worth the name: what the dashboard is measured against."""

from textual.app import App, ComposeResult
from textual.widgets import Footer, Header, Static


class MinimalApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Header()
        yield Static("A line of text that is long enough to be seen as the first paint of a program. " * 3)
        yield Footer()


if __name__ == "__main__":
    MinimalApp().run()
