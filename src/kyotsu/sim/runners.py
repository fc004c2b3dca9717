"""Who does the work of a sweep: the threads of this machine, or a Ray cluster.

A runner takes tasks and a function, and yields the answers as they come, few tasks at a time under way. It neither
reads nor writes files: tasks go out from, and answers come back to, the process that asked. So the workers of a
cluster need no disk in common, and a task that runs twice, because its worker was lost, still counts once.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from kyotsu import __version__
from kyotsu.errors import InputError, Location, Problem

TRIES = 20  # of a task whose worker is lost, before the sweep stops
PATIENCE = 600.0  # s without an answer and without a processor, before a cluster counts as lost
REACHED = 10.0  # s, to reach the cluster

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Runner(Protocol):
    """Calls a function of every task, in any order, and yields what comes back."""

    def __call__(self, tasks: Iterator[Asked], work: Callable[[Asked], Answer]) -> Generator[Answer, None, None]:
        """Pull tasks as workers get free; never hold more than a few."""
        ...


def local(threads: int | None) -> Runner:
    """The threads of this process; by default one for each processor that it may use."""
    if threads is not None and threads < 1:
        raise InputError([Problem(Location(key="threads"), str(threads), "1 or more", "Give a whole number.")])
    if threads is None:
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = threads

    def run(tasks: Iterator[Asked], work: Callable[[Asked], Answer]) -> Generator[Answer, None, None]:
        pool = ThreadPoolExecutor(workers)
        running: set[Future[Answer]] = set()
        try:
            for task in tasks:  # the first by itself: it compiles what the others will use
                yield work(task)
                break
            for task in tasks:
                running.add(pool.submit(work, task))
                if len(running) > workers:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    return run


def ray(threads: int | None) -> Runner:
    """The workers of the Ray cluster that RAY_ADDRESS names, one task for each processor of it.

    RAY_ADDRESS is `host:port` of a running cluster, `auto` for the one of this machine, or `local` to start one here
    for this sweep. kyotsu must be installed on every node, in this version. `threads` is of no meaning here.
    """
    del threads
    library = _library()

    def run(tasks: Iterator[Asked], work: Callable[[Asked], Answer]) -> Generator[Answer, None, None]:
        ours = not library.is_initialized()
        if ours:
            _connect(library)
        try:
            yield from _on_cluster(library, tasks, work)
        finally:
            if ours:
                library.shutdown()

    return run


RUNNERS: Mapping[str, Callable[[int | None], Runner]] = {"local": local, "ray": ray}


def _library() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray as library  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        found, action = "no package 'ray', which runner 'ray' needs", "pip install 'kyotsu[ray]'"
        raise InputError([Problem(Location("installation"), found, "the extra 'ray'", action)]) from error
    return library


def _connect(library: Any) -> None:
    address = os.environ.get("RAY_ADDRESS", "")
    place, action = Location(key="RAY_ADDRESS"), "Start a cluster (ray start --head) and set RAY_ADDRESS."
    if not address:
        expected = "host:port of a Ray cluster, or local to start one here"
        raise InputError([Problem(place, "nothing", expected, action)])
    try:
        _reach(address)
        library.init(address=address, log_to_driver=False, logging_level="error", include_dashboard=None)
    except (OSError, ConnectionError, RuntimeError, ValueError, library.exceptions.RayError) as error:
        found = f"{address!r}: {str(error).splitlines()[0]}"
        raise InputError([Problem(place, found, "a Ray cluster that answers", action)]) from error


def _reach(address: str) -> None:
    """Fail at once where nobody listens; Ray itself goes on trying for minutes."""
    if address in ("auto", "local"):
        return
    parts = urlsplit(address if "://" in address else f"ray://{address}")
    if parts.hostname is None or parts.port is None:
        raise ValueError("not host:port")
    with socket.create_connection((parts.hostname, parts.port), timeout=REACHED):
        pass


def _on_cluster(library: Any, tasks: Iterator[Asked], work: Callable[[Asked], Answer]) -> Generator[Answer, None, None]:
    remote = library.remote(num_cpus=1, max_retries=TRIES)(_same_version)
    running: list[Any] = []
    heard, more = time.monotonic(), True
    try:
        while more or running:
            limit = 2 * max(int(library.cluster_resources().get("CPU", 0)), 1)
            while more and len(running) < limit:
                task = next(tasks, None)
                more = task is not None
                if more:
                    running.append(remote.remote(__version__, work, task))
            done, running = library.wait(running, timeout=5.0) if running else ([], [])
            if done:
                heard = time.monotonic()
            elif time.monotonic() - heard > PATIENCE and not library.cluster_resources().get("CPU"):
                raise _lost("no worker is left")
            for answer in done:
                try:
                    yield library.get(answer)
                except library.exceptions.RayTaskError as error:
                    if "failed to import" in str(error) or isinstance(error, ImportError):
                        raise _lost("a worker that cannot import kyotsu") from error
                    raise
                except library.exceptions.RayError as error:
                    raise _lost(str(error).splitlines()[0]) from error
    finally:
        for rest in running:
            library.cancel(rest, force=True)


def _same_version(version: str, work: Callable[[Asked], Answer], task: Asked) -> Answer:
    if version != __version__:
        found = f"kyotsu {__version__} on {socket.gethostname()}"
        action = "Install the same version on every node."
        raise InputError([Problem(Location("cluster"), found, f"kyotsu {version}, as here", action)])
    return work(task)


def _lost(found: str) -> InputError:
    action = "See to the cluster and resume the sweep: what is written is whole."
    return InputError([Problem(Location("cluster"), found, "workers that answer", action)])
