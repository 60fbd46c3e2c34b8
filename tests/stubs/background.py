# SPDX-License-Identifier: BSD-2-Clause
"""The scripted peers for tests that are ordinary blocking code: an event loop in a thread of its own."""

import asyncio
import threading


class Background:
    """`with Background() as stubs: server = stubs.run(AuthServer(f).start())`.  Every coroutine that is run
    here has `deadline` seconds, so that a test which hangs fails instead."""

    def __init__(self, deadline=30):
        self.deadline = deadline
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(self.deadline)

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(self.deadline)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    @staticmethod
    async def _end():
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
