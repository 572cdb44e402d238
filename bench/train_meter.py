"""How long a step takes, and how much memory all of them: one line of JSON."""

import json
import os
import resource
import time


def measure(step, steps):
    """The first step, which makes what later ones find made, is not counted."""
    losses, times, work = [step()], [], []
    for _ in range(steps):
        wall, cpu = time.perf_counter(), time.process_time()
        losses.append(step())
        times.append(time.perf_counter() - wall)
        work.append(time.process_time() - cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": times, "cpu": work, "peak": peak, "losses": losses}))
