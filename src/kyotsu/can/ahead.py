"""Work ahead in a second thread: inflating the next piece of a file while this one is parsed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

Item = TypeVar("Item")

DEPTH = 4  # items that wait, which bounds the memory
PATIENCE_S = 0.05  # how soon the thread notices that nobody wants more


def ahead(items: Generator[Item, None, None], depth: int = DEPTH) -> Iterator[Item]:
    """The items in their order, made by a second thread; what that raises is raised here, and it ends with this."""
    box: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(depth)
    unwanted = threading.Event()

    def put(item: Item | None, error: BaseException | None = None) -> None:
        while not unwanted.is_set():
            try:
                box.put((item, error), timeout=PATIENCE_S)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put(item)
                if unwanted.is_set():
                    break
            items.close()
            put(None)
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=work, name="kyotsu-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = box.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        unwanted.set()
        thread.join()
