"""Programs that the tests run as jobs. Light to import, since every job that runs one imports this."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def give(value=None):
    return value


def loaded(names):
    return [name for name in names if name in sys.modules]


def count_loaded(names):
    return len(loaded(names))


def fail(text="no luck"):
    raise ValueError(text)


def describe(names=()):
    return {
        "interpreter": sys.executable,
        "prefix": sys.prefix,
        "cwd": os.getcwd(),
        "sys_path": sys.path,
        "environment": {name: os.environ.get(name) for name in names},
        "main": sorted(vars(sys.modules["__main__"])),
        "pid": os.getpid(),
        "group": os.getpgid(0),
        "session": os.getsid(0),
        "descriptors": sorted(int(fd) for fd in os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else [],
        "stdin": sys.stdin.read(),
        "encoding": sys.stdout.encoding,
    }


def describe_signals():
    """What this process ignores, and what it holds back."""
    # Python itself ignores two of them, in every process.
    usual = {signal.SIGPIPE, signal.SIGXFSZ}
    numbers = signal.valid_signals() - usual
    return {
        "ignored": sorted(int(number) for number in numbers if signal.getsignal(number) is signal.SIG_IGN),
        "handled": sorted(int(number) for number in numbers if callable(signal.getsignal(number))),
        "held back": sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
    }


def mark(path):
    """Say that the program runs: write this process's pid to a file, whole at once."""
    temporary = Path(f"{path}.new")
    temporary.write_text(str(os.getpid()))
    temporary.rename(path)


def wait_for(path):
    while not Path(path).exists():
        time.sleep(0.005)


def hold(started, release):
    mark(started)
    wait_for(release)
    return "released"


def record_order(path, number):
    with open(path, "a") as log:
        log.write(f"{number}\n")


def sleep_on(started):
    mark(started)
    time.sleep(600)


def spin(started):
    mark(started)
    while True:
        pass


def spin_on(started):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    spin(started)


def multiply_for_long(started):
    import numpy

    matrix = numpy.random.default_rng(0).random((3000, 3000))
    mark(started)
    while True:
        matrix @ matrix @ matrix @ matrix


def ignore_signals(started):
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    mark(started)
    while True:
        time.sleep(600)


def clean_up(started, cleaned, seconds):
    mark(started)
    try:
        time.sleep(600)
    finally:
        time.sleep(seconds)
        mark(cleaned)


def swallow_interrupts(started):
    mark(started)
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(600)


def publish_until_stopped(user_messenger, started):
    mark(started)
    for signal_number in (signal.SIGINT,):
        handler = signal.getsignal(signal_number)
    number = 0

    def note_only(*given):
        with contextlib.suppress(KeyboardInterrupt):
            handler(*given)

    signal.signal(signal.SIGINT, note_only)
    while True:
        user_messenger.publish(number)
        number += 1
        time.sleep(0.01)


def finish_in_spite_of_interrupt(started):
    mark(started)
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        return "finished"


def exit_with(code):
    sys.exit(code)


def end_at_once(code):
    os._exit(code)


def crash():
    import ctypes

    ctypes.string_at(0)


def kill_itself():
    os.kill(os.getpid(), signal.SIGKILL)


def fill_memory():
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (400 << 20, resource.RLIM_INFINITY))
    held = []
    while True:
        held.append(bytearray(10 << 20))


def close_stdout():
    sys.stdout.close()
    os.close(1)
    return "still here"


def close_all_descriptors():
    os.closerange(0, 1000)
    return "still here"


def write_everywhere():
    print("from print")
    sys.stderr.write("from stderr\n")
    os.write(1, b"from a descriptor\n")
    subprocess.run(["sh", "-c", "echo from a subprocess; echo and its stderr >&2"], check=True)
    import ctypes

    libc = ctypes.CDLL(None)
    libc.puts(b"from C")
    libc.fflush(None)
    print("lone \ud800 surrogate")
    print("50 %\r100 %", end="")


def exit_handlers(path):
    import atexit
    import threading

    def late():
        time.sleep(0.1)
        with open(path, "a") as log:
            log.write("thread\n")

    def handler():
        with open(path, "a") as log:
            log.write("handler\n")

    atexit.register(handler)
    threading.Thread(target=late).start()
    return "returned"


def fork_beside_a_thread():
    """What a process that the program forks knows of the threads that are not in it."""
    import json
    import threading

    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    mine, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(theirs, json.dumps([threading.active_count(), thread.is_alive()]).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    end.set()
    return json.loads(os.read(mine, 100))


def fork_and_return_twice(fails):
    """Come back in two processes; the one that was forked comes first."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return "parent"
    if fails:
        raise ValueError("in the fork")
    return "fork"


def native_id_of_the_main_thread():
    import threading

    return [threading.main_thread().native_id, os.getpid()]


def log_into_a_buffer(path):
    import logging.handlers

    buffer = logging.handlers.MemoryHandler(100, target=logging.FileHandler(path))
    logging.getLogger("a program").addHandler(buffer)
    logging.getLogger("a program").warning("kept until the end")


def hang_in_thread(started):
    import threading

    threading.Thread(target=time.sleep, args=(600,)).start()
    mark(started)
    return "returned"


def _square(number):
    return number * number


def use_process_pool():
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_square, range(5)))


def use_threads_of_numpy():
    import numpy

    matrix = numpy.ones((600, 600))
    return float((matrix @ matrix)[0, 0])


def leave_children(folder, program):
    """Start processes of every kind that outlive their parent, then go on as `program` says."""
    folder = Path(folder)
    subprocess.Popen([sys.executable, "-c", _SLEEPER, str(folder / "same-group")])
    subprocess.Popen([sys.executable, "-c", _SLEEPER, str(folder / "own-session")], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            mark(folder / "daemon")
            time.sleep(600)
        os._exit(0)
    os.wait()
    for name in ("same-group", "own-session", "daemon"):
        wait_for(folder / name)
    mark(folder / "parent")
    if program == "sleep":
        time.sleep(600)
    if program == "ignore":
        ignore_signals(folder / "ignoring")
    if program == "crash":
        kill_itself()


def leave_one_that_ends(seconds):
    """Leave a process behind, in a session of its own, that ends by itself; return who buries it."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(seconds)
        os._exit(0)
    os.wait()
    return os.getppid()


_SLEEPER = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1] + ".new", "w").write(str(os.getpid())); os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(600)
"""


def publish_numbers(user_messenger, acknowledged, pause=0.0):
    """Publish 0, 1, 2, … and note each on the side once it is durable."""
    number = 0
    with open(acknowledged, "a", buffering=1) as log:
        while True:
            user_messenger.publish(number)
            log.write(f"{number}\n")
            number += 1
            if pause:
                time.sleep(pause)


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def take_memory(size):
    held = bytearray(size)
    for place in range(0, size, 4096):
        held[place] = 1
    return len(held)


def forbid_files_to_grow(seconds, patience):
    """Make every write to a file fail, as on a full disk; `seconds` later it is allowed again, if ever."""
    import resource
    import threading

    import jobdeck.engines.local.keeping

    jobdeck.engines.local.keeping.PATIENCE = patience
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    if seconds is not None:
        allow = threading.Timer(seconds, resource.setrlimit, (resource.RLIMIT_FSIZE, (most, most)))
        allow.daemon = True
        allow.start()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, most))
    return "kept " * 50_000  # too much to be handed over


def end_on_a_full_disk(seconds):
    """Let the store be full for so long after the program, which is long beside the patience for other faults."""
    import errno

    import jobdeck.engines.local.keeping
    from jobdeck.store import SQLiteStore, faults

    jobdeck.engines.local.keeping.PATIENCE = seconds / 10
    until = time.monotonic() + seconds
    store = SQLiteStore.set_outcome

    def set_outcome(self, job_id, outcome):
        if time.monotonic() < until:
            raise faults.in_words(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), self.home)
        store(self, job_id, outcome)

    SQLiteStore.set_outcome = set_outcome
    return "kept " * 50_000  # too much to be handed over


def forbid_to_open_files():
    """Go on with as many open files as there are."""
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    return {"kept": "here"}


def forbid_to_open_files_and_fail():
    forbid_to_open_files()
    raise ValueError("too far apart: ö")


def list_open_files():
    return sorted(os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if os.path.lexists(entry.path))


def publish_and_list_open_files(user_messenger, count):
    for number in range(count):
        user_messenger.publish(number)
    return list_open_files()


def parents_libraries(names):
    """Whether the process that this one was forked from has Qiskit's compiled part."""
    del names
    with open(f"/proc/{os.getppid()}/maps") as maps:
        return any("qiskit" in line for line in maps)


def random_numbers(unused):
    """What numpy's and Python's global generators give first."""
    import random

    import numpy as np

    del unused
    return float(np.random.random()), random.random()


def wait_for_a_thread(started):
    """Wait for a thread that hears no interrupt, as Qiskit's primitives do for a simulator."""
    from concurrent.futures import ThreadPoolExecutor

    executor = ThreadPoolExecutor(max_workers=1)
    future = executor.submit(time.sleep, 600)
    executor.shutdown(wait=False)
    mark(started)
    future.result()
