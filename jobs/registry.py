"""The jobs of one application, and the workers that run them."""

from collections.abc import Callable

from flask import Flask

from jobs.worker import Worker


class Jobs:
    """The jobs of one application."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._workers: list[Worker] = []

    def add(self, name: str, work: Callable[[], float | None]) -> None:
        """Register a job; ``work`` is described at ``Worker``."""
        worker = Worker(self._app, name, work)
        self._app.after_request(worker.after_request)
        self._workers.append(worker)

    def stop(self, seconds: float | None = None) -> None:
        """Stop all workers, and wait for each for at most this long."""
        for worker in self._workers:
            worker.ask_to_stop()
        for worker in self._workers:
            worker.wait(seconds)


def init_app(app: Flask) -> Jobs:
    """Give an application an empty registry, and return it."""
    jobs = app.extensions["jobs"] = Jobs(app)
    return jobs
