"""Shared by the peers: the protocol, the data, the clock, and the BLAS in use.

A peer says hello on its first line of output. It then answers each line of its input, a
case, with a line of its own. All lines are JSON. It ends with its input.
"""
import ctypes
import glob
import json
import os
import platform
import sys
import time

# What else is printed, by a library say, must not get between the lines of the protocol.
_lines = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

VISIBLE = int(os.environ["BENCH_VISIBLE"])
FOLDER = os.environ["BENCH_FOLDER"]
THREADS = int(os.environ["BENCH_THREADS"])


class Unsupported(Exception):
    """The peer has nothing that does the work of a case."""


def say(**fields):
    _lines.write(json.dumps(fields) + "\n")
    _lines.flush()


def missing(package):
    say(missing=package)
    sys.exit()


def serve(version, blas, start):
    """Answers cases: start(case) returns a function that does a part of the work and
    returns the number of rows it was."""
    say(version=version, python=platform.python_version(), blas=blas)
    for line in sys.stdin:
        case = json.loads(line)
        try:
            rows, seconds = measure(start(case), case["seconds"])
        except Unsupported as e:
            say(unsupported=str(e))
        except Exception as e:
            say(error=f"{type(e).__name__}: {e}")
        else:
            say(rows=rows, seconds=seconds)


def measure(work, seconds):
    """Repeats work for so long, after a fifth of it to warm up."""
    _repeat(work, seconds / 5)
    return _repeat(work, seconds)


def _repeat(work, seconds):
    rows, start = 0, time.perf_counter()
    while True:
        rows += work()
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return rows, elapsed


def fastest(ways, turns=5):
    """Returns the function that took the shortest time in any of its turns."""
    best = {}
    for _ in range(turns):
        for k, way in enumerate(ways):
            start = time.perf_counter()
            way()
            elapsed = time.perf_counter() - start
            best[k] = min(best.get(k, elapsed), elapsed)
    return ways[min(best, key=best.get)]


def batches(x, n):
    """Returns a function that returns the next n rows of x, a view, and starts over."""
    views = [x[i:i + n] for i in range(0, len(x) - n + 1, n)]
    turn = 0

    def following():
        nonlocal turn
        turn = (turn + 1) % len(views)
        return views[turn]

    return following


def path(name):
    return os.path.join(FOLDER, name)


def parts(hidden):
    """Returns the offsets, in the file of the model, of weights (hidden rows), visible and
    hidden biases, and its end; all are in numbers."""
    w = hidden * VISIBLE
    return w, w + VISIBLE, w + VISIBLE + hidden


def numpy_rows(np):
    """Returns the rows as float32."""
    return np.fromfile(path("rows"), np.uint8).reshape(-1, VISIBLE).astype(np.float32)


def numpy_model(np, hidden):
    """Returns weights, visible and hidden biases as float32."""
    p = np.fromfile(path(f"model-{hidden}"), "<f4").astype(np.float32)
    w, b, c = parts(hidden)
    return p[:w].reshape(hidden, VISIBLE).copy(), p[w:b].copy(), p[b:c].copy()


# The BLAS in use.

_AFFIXES = [("", ""), ("", "64_"), ("scipy_", ""), ("scipy_", "64_")]


def _call(library, name, result):
    for before, after in _AFFIXES:
        f = getattr(library, before + name + after, None)
        if f is not None:
            f.argtypes, f.restype = [], result
            return f()
    return None


def _loaded(np):
    """Returns the files of the libraries that are loaded, as far as they can be known."""
    try:
        with open("/proc/self/maps") as f:
            return sorted({line.split(None, 5)[5].strip() for line in f if len(line.split(None, 5)) == 6})
    except OSError:  # not Linux: the libraries that come in the wheel of NumPy
        folder = os.path.dirname(np.__file__) if np else ""
        return sorted(f for where in (folder + ".libs", folder + "/.libs", folder + "/.dylibs")
                      for f in glob.glob(where + "/*"))


def _configured(np):
    try:
        return np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"].lower()
    except Exception:  # of old versions
        return ""


def _openblas(file):
    try:
        library = ctypes.CDLL(file)
    except OSError:
        return None
    core = _call(library, "openblas_get_corename", ctypes.c_char_p)
    if core is None:
        return None
    config = (_call(library, "openblas_get_config", ctypes.c_char_p) or b"").decode().split()
    return {"name": " ".join(config[:2]) if config[:1] == ["OpenBLAS"] else "OpenBLAS",
            "core": core.decode(), "threads": _call(library, "openblas_get_num_threads", ctypes.c_int) or 0}


def blas_in_use(np=None):
    """Returns what is known about each BLAS that is loaded, after NumPy if that is given."""
    files = _loaded(np)
    found = [b for b in (_openblas(f) for f in files if "openblas" in os.path.basename(f).lower()) if b]
    if found:
        return found
    configured = _configured(np)
    if "mkl" in configured or any("mkl_rt" in f or "mkl_core" in f for f in files):
        return [{"name": "MKL"}]
    if configured == "accelerate":
        return [{"name": "Accelerate"}]
    return [{"name": configured}]
