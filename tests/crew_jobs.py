"""Jobs for worker processes: some do not end well."""

from __future__ import annotations

import os
import signal
import time


def work(job: str) -> str:
    match job:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "toil":
            while True:
                pass
        case "hang":
            time.sleep(60)
        case "raise":
            raise ValueError("no music\nat all")
        case "memory":
            return bytes(1 << 40).decode()
        case "pid":
            return str(os.getpid())
        case "slow":
            time.sleep(0.3)
        case "print":
            os.write(1, b"a parser's opinion\n")
    return f"{job} done"
