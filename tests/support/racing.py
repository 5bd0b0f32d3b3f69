"""Calls of several threads at one moment."""

import threading
from concurrent.futures import ThreadPoolExecutor


def together(calls):
    """Run calls at one moment, and return what they return."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))
