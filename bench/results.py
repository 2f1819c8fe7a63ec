"""Results: figures by server, one value per round, and their medians."""

import statistics
from collections import Counter, defaultdict
from typing import Any


class Results:
    """``values[figure][server]`` holds one value per round."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.sign_ins: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.errors: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, figure: str, server: str, value: float) -> None:
        self.values[figure][server].append(value)

    def median(self, figure: str, server: str) -> float | None:
        values = self.values.get(figure, {}).get(server)
        return statistics.median(values) if values else None

    def ratio(self, figure: str, server: str, other: str, other_figure: str = "") -> float | None:
        above = self.median(figure, server)
        below = self.median(other_figure or figure, other)
        return above / below if above is not None and below else None

    def as_data(self) -> dict[str, Any]:
        return {
            "figures": {
                figure: {
                    server: {"median": statistics.median(values), "rounds": values}
                    for server, values in by_server.items()
                }
                for figure, by_server in self.values.items()
            },
            "sign_ins": dict(self.sign_ins),
            "wrong_persons": dict(self.wrong),
            "errors": {server: dict(found) for server, found in self.errors.items()},
        }
