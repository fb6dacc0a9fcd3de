"""A binary RBM in NumPy, float32, as fast as we could make it: buffers that are kept, one
product a half-step, one product for both phases of the gradient, added to the weights by the
BLAS itself where SciPy has it. Where two ways are to be had, the faster on this machine
is taken."""
import harness

try:
    import numpy as np
except ImportError:
    harness.missing("numpy")

blas = harness.blas_in_use(np)
try:
    from scipy.linalg.blas import sgemm
except ImportError:
    sgemm = None
else:
    blas = harness.blas_in_use(np)  # SciPy may have brought its own

np.seterr(over="ignore", under="ignore")
X = harness.numpy_rows(np)
ONE, HALF = np.float32(1), np.float32(0.5)


def logistic_exp(x):
    np.negative(x, out=x)
    np.exp(x, out=x)
    np.add(x, ONE, out=x)
    np.reciprocal(x, out=x)


def logistic_tanh(x):
    np.multiply(x, HALF, out=x)
    np.tanh(x, out=x)
    np.multiply(x, HALF, out=x)
    np.add(x, HALF, out=x)


def choose_logistic():
    x = X[:100].copy()
    return harness.fastest([lambda f=f: (f(x), f)[1] for f in (logistic_exp, logistic_tanh)])()


logistic = choose_logistic()


class Machine:
    def __init__(self, hidden, n):
        self.w, self.b, self.c = harness.numpy_model(np, hidden)
        self.rng = np.random.Generator(np.random.SFC64(1))
        visible = len(self.b)
        # The upper half is the positive phase, the lower half the negative one.
        self.v = np.empty((2 * n, visible), np.float32)
        self.p = np.empty((2 * n, hidden), np.float32)
        self.h = np.empty((n, hidden), np.float32)
        self.u = np.empty(n * max(visible, hidden), np.float32)
        self.bit = np.empty(len(self.u), bool)
        self.ones = np.ones(2 * n, np.float32)
        self.sign = np.repeat(np.float32([1, -1]), n)
        self.dw = np.empty_like(self.w)
        self.db, self.dc = np.empty_like(self.b), np.empty_like(self.c)
        self.n = n

    def up(self, v, out):
        np.dot(v, self.w.T, out=out)
        np.add(out, self.c, out=out)
        logistic(out)

    def down(self, h, out):
        np.dot(h, self.w, out=out)
        np.add(out, self.b, out=out)
        logistic(out)

    def draw(self, p, out):
        u, bit = self.u[:p.size].reshape(p.shape), self.bit[:p.size].reshape(p.shape)
        self.rng.random(out=u, dtype=np.float32)
        np.less(u, p, out=bit)
        np.copyto(out, bit)

    def sweep(self, p, v):
        """Draws hidden units with probabilities p, then v given them."""
        self.draw(p, self.h)
        self.down(self.h, v)
        self.draw(v, v)

    def add_dot(self):
        np.dot(self.p.T, self.v, out=self.dw)
        np.add(self.w, self.dw, out=self.w)

    def add_sgemm(self):
        sgemm(1, self.v.T, self.p.T, trans_b=True, beta=1, c=self.w.T, overwrite_c=True)

    def choose_add(self):
        self.v.fill(0)
        self.p.fill(0)
        ways = [self.add_dot]
        if sgemm is not None:
            ways.append(self.add_sgemm)
        self.add = harness.fastest(ways, 10)

    def step(self, rows, k, rate):
        n = self.n
        np.copyto(self.v[:n], rows)
        self.up(self.v[:n], self.p[:n])
        self.sweep(self.p[:n], self.v[n:])
        self.up(self.v[n:], self.p[n:])
        for _ in range(k - 1):
            self.sweep(self.p[n:], self.v[n:])
            self.up(self.v[n:], self.p[n:])
        rate = np.float32(rate / n)
        np.multiply(self.p[:n], rate, out=self.p[:n])
        np.multiply(self.p[n:], -rate, out=self.p[n:])
        self.add()
        np.dot(self.sign, self.v, out=self.db)
        np.multiply(self.db, rate, out=self.db)
        np.add(self.b, self.db, out=self.b)
        np.dot(self.ones, self.p, out=self.dc)
        np.add(self.c, self.dc, out=self.c)


def start_step(case):
    n, k, rate = case["n"], case["k"], case["rate"]
    m, following = Machine(case["hidden"], n), harness.batches(X, n)
    m.choose_add()

    def work():
        m.step(following(), k, rate)
        return n

    work.result = m.w
    return work


def start_gibbs(case):
    n = case["n"]
    m = Machine(case["hidden"], n)
    v, p = X[:n].copy(), np.empty_like(m.h)

    def work():
        m.up(v, p)
        m.sweep(p, v)
        return n

    return work


def start_energy(case, block=250):  # which stays in the cache
    w, b, c = harness.numpy_model(np, case["hidden"])
    x = X[:case["n"]]
    f = np.empty(len(x), np.float32)
    z, s = (np.empty((block, len(c)), np.float32) for _ in range(2))
    ones = np.ones(len(c), np.float32)

    def softplus_sum(z, s):  # max(z, 0) + log(1 + exp(-|z|))
        np.maximum(z, 0, out=s)
        total = np.dot(s, ones)
        np.abs(z, out=z)
        np.negative(z, out=z)
        np.exp(z, out=z)
        np.add(z, ONE, out=z)
        np.log(z, out=z)
        return total + np.dot(z, ones)

    def work():
        np.dot(x, b, out=f)
        for i in range(0, len(x), block):
            v = x[i:i + block]
            zi, si = z[:len(v)], s[:len(v)]
            np.dot(v, w.T, out=zi)
            np.add(zi, c, out=zi)
            f[i:i + block] += softplus_sum(zi, si)
        np.negative(f, out=f)
        return len(x)

    work.result = f
    return work


def start(case):
    return {"step": start_step, "gibbs": start_gibbs, "free energy": start_energy}[case["kind"]](case)


if __name__ == "__main__":
    harness.serve("NumPy " + np.__version__, blas, start)
