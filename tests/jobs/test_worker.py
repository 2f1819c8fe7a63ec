"""The background worker goes on after any failure."""

import threading

from flask import Flask

from jobs.worker import Worker


def test_an_exception_in_a_job_does_not_end_the_worker():
    ended = threading.Event()
    works = iter([ValueError("a fault of ours"), None])

    def work() -> None:
        error = next(works)
        if error:
            raise error
        ended.set()

    worker = Worker(Flask(__name__), "a job", work)
    worker.call()
    while worker._thread is not None and worker._thread.is_alive():
        worker._thread.join(5)
    worker.call()
    assert ended.wait(5)
    worker.ask_to_stop()
    worker.wait(5)
