"""Models of scikit-learn and of NumPy, which main.go beside this file reads, and one of its own, which is read here.

    exchange.py write DIR
    go run main.go DIR
    exchange.py check DIR

The check fails unless the parameters are the same bits on both sides, and the free energies and hidden probabilities
of 600 rows the same numbers but for rounding.
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import BernoulliRBM

TOLERANCE = 1e-12
SKLEARN = ("components_", "intercept_visible_", "intercept_hidden_")
OURS = ("W", "b", "c")


def digits():
    return (load_digits().data > 7)[:600].astype(float)


def train(v):
    return BernoulliRBM(n_components=50, learning_rate=0.05, batch_size=20, n_iter=8, random_state=1).fit(v)


def parameters(r):
    return [getattr(r, name) for name in SKLEARN]


def models():
    """Yields the name, the parameters, the names of the arrays and what writes them."""
    r, f4 = train(digits()), train(digits().astype("f4"))
    p = parameters(r)
    # Another one, whose biases are as large as its weights.
    rng = np.random.default_rng(2)
    q = [rng.normal(size=(30, 64)), rng.normal(size=64), rng.normal(size=30)]
    for order, ordered in (("c", np.ascontiguousarray), ("fortran", np.asfortranarray)):
        for descr in "<f8", ">f8", "<f4", ">f4":
            x = [ordered(a.astype(descr)) for a in p]
            y = [ordered(a.astype(descr)) for a in q]
            name = f"{order}-{'big' if descr[0] == '>' else 'little'}-{descr[1:]}"
            yield "sklearn-" + name, x, SKLEARN, np.savez
            yield "sklearn-compressed-" + name, x, SKLEARN, np.savez_compressed
            yield "numpy-" + name, y, OURS, np.savez
            yield "numpy-compressed-" + name, y, OURS, np.savez_compressed
    yield "sklearn-as-it-is", p, SKLEARN, np.savez
    yield "sklearn-of-float32", parameters(f4), SKLEARN, np.savez
    yield "numpy-version2", q, OURS, lambda path, **arrays: save_version((2, 0), path, arrays)
    yield "numpy-version3", q, OURS, lambda path, **arrays: save_version((3, 0), path, arrays)


def save_version(version, path, arrays):
    with zipfile.ZipFile(path, "w") as z:
        for name, x in arrays.items():
            f = io.BytesIO()
            np.lib.format.write_array(f, x, version=version)
            z.writestr(name + ".npy", f.getvalue())


def write(dir):
    v = digits()
    with open(f"{dir}/rows", "w") as f:
        for row in v:
            print("".join("01"[int(x)] for x in row), file=f)
    for name, p, names, save in models():
        save(f"{dir}/{name}.npz", **dict(zip(names, p)))


def sklearn_of(p):
    r = BernoulliRBM(n_components=len(p[2]))
    r.components_, r.intercept_visible_, r.intercept_hidden_ = p
    return r


def free_energy(p, v):
    w, b, c = p
    return -v @ b - np.logaddexp(0, v @ w.T + c).sum(axis=1)


def hidden(p, v):
    w, _, c = p
    return 1 / (1 + np.exp(-(v @ w.T + c)))


def read(path):
    with open(path) as f:
        return np.array([[float.fromhex(x) for x in line.split()] for line in f])


class Comparison:
    def __init__(self):
        self.worst, self.failed = 0.0, 0

    def fail(self, what):
        print("FAILED:", what)
        self.failed += 1

    def bits(self, what, got, want):
        want = want.astype("f8")
        if got.shape != want.shape:
            self.fail(f"{what}: shape is {got.shape}, want {want.shape}")
        elif not np.array_equal(got.view("u8"), want.view("u8")):
            at = tuple(np.argwhere(got.view("u8") != want.view("u8"))[0])
            self.fail(f"{what}{list(map(int, at))} is {got[at]!r}, want {want[at]!r}")

    def near(self, what, got, want):
        if got.shape != want.shape:
            self.fail(f"{what}: shape is {got.shape}, want {want.shape}")
            return
        difference = np.abs(got - want) / np.abs(want)
        at = np.unravel_index(np.argmax(difference), difference.shape)
        worst = float(difference[at])
        if not worst <= TOLERANCE:
            self.fail(f"{what}{list(map(int, at))} is {got[at]!r}, want {want[at]!r}: relative difference {worst:.2g}")
        self.worst = max(self.worst, worst)


def check(dir):
    v = digits()
    c = Comparison()

    def compare(name, p):
        for part, x in zip(OURS, p):
            c.bits(f"{name}: {part}", read(f"{dir}/{name}.{part}").reshape(x.shape), np.ascontiguousarray(x))
        p = [x.astype("f8") for x in p]
        free, probs = read(f"{dir}/{name}.free")[:, 0], read(f"{dir}/{name}.hidden")
        r = sklearn_of(p)
        c.near(f"{name}: free energy, by NumPy: ", free, free_energy(p, v))
        c.near(f"{name}: hidden probabilities, by NumPy: ", probs, hidden(p, v))
        c.near(f"{name}: free energy, by scikit-learn: ", free, r._free_energy(v))
        c.near(f"{name}: hidden probabilities, by scikit-learn: ", probs, r.transform(v))

    paths = sorted(Path(dir).glob("*-*.npz"))
    for path in paths:
        with np.load(path) as f:
            compare(path.stem, [f[name] for name in (OURS if "W" in f else SKLEARN)])
    with np.load(f"{dir}/go.npz") as f:
        if sorted(f.files) != sorted(OURS):
            c.fail(f"go.npz has arrays {f.files}")
        p = [f[name] for name in OURS]
    for name, x in zip(OURS, p):
        if x.dtype != np.dtype("<f8") or not x.flags.c_contiguous:
            c.fail(f"go.npz: {name} is {x.dtype}, {x.flags}")
    if np.abs(p[0]).max() < 0.1:
        c.fail("go.npz: W is that of no training")
    compare("go", p)
    print(f"{len(paths)} models read, 1 written; largest relative difference {c.worst:.2g}, want at most {TOLERANCE}")
    if len(paths) != 36:
        c.fail(f"there are {len(paths)} models, want 36")
    if c.failed:
        sys.exit(f"{c.failed} comparisons failed")


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](sys.argv[2])
