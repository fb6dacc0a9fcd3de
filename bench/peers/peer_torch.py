"""A binary RBM in PyTorch on the CPU, float32: no autograd, buffers that are kept, one product
for both phases of the gradient, which is added to the weights by the BLAS itself."""
import os

# Threads of OpenMP that wait must not take the cores from the BLAS, which may have its own.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
import harness  # noqa: E402

try:
    import torch
except ImportError:
    harness.missing("torch")

torch.set_num_threads(harness.THREADS)
torch.set_grad_enabled(False)
torch.manual_seed(1)


def read(name, dtype):
    with open(harness.path(name), "rb") as f:
        return torch.frombuffer(bytearray(f.read()), dtype=dtype)


X = read("rows", torch.uint8).view(-1, harness.VISIBLE).float()


def model(hidden):
    p = read(f"model-{hidden}", torch.float32)
    w, b, c = harness.parts(hidden)
    return p[:w].view(hidden, harness.VISIBLE).clone(), p[w:b].clone(), p[b:c].clone()


class Machine:
    def __init__(self, hidden, n):
        self.w, self.b, self.c = model(hidden)
        self.n, visible = n, len(self.b)
        # The upper half is the positive phase, the lower half the negative one.
        self.v, self.p = torch.empty(2 * n, visible), torch.empty(2 * n, hidden)
        self.h = torch.empty(n, hidden)
        self.u = torch.empty(n * max(visible, hidden))
        self.ones = torch.ones(2 * n)
        self.sign = torch.ones(2 * n)
        self.sign[n:] = -1

    def up(self, v, out):
        torch.addmm(self.c, v, self.w.t(), out=out).sigmoid_()

    def down(self, h, out):
        torch.addmm(self.b, h, self.w, out=out).sigmoid_()

    def draw(self, p, out):
        u = self.u[:p.numel()].view_as(p).uniform_()
        torch.lt(u, p, out=out)

    def sweep(self, p, v):
        """Draws hidden units with probabilities p, then v given them."""
        self.draw(p, self.h)
        self.down(self.h, v)
        self.draw(v, v)

    def step(self, rows, k, rate):
        n = self.n
        v0, p0, v, p = self.v[:n], self.p[:n], self.v[n:], self.p[n:]
        v0.copy_(rows)
        self.up(v0, p0)
        self.sweep(p0, v)
        self.up(v, p)
        for _ in range(k - 1):
            self.sweep(p, v)
            self.up(v, p)
        p.neg_()
        self.w.addmm_(self.p.t(), self.v, alpha=rate / n)
        self.b.addmv_(self.v.t(), self.sign, alpha=rate / n)
        self.c.addmv_(self.p.t(), self.ones, alpha=rate / n)


def start_step(case):
    n, k, rate = case["n"], case["k"], case["rate"]
    m, following = Machine(case["hidden"], n), harness.batches(X, n)

    def work():
        m.step(following(), k, rate)
        return n

    work.result = m.w
    return work


def start_gibbs(case):
    n = case["n"]
    m = Machine(case["hidden"], n)
    v, p = X[:n].clone(), torch.empty_like(m.h)

    def work():
        m.up(v, p)
        m.sweep(p, v)
        return n

    return work


def start_energy(case, block=250):  # which stays in the cache
    w, b, c = model(case["hidden"])
    x = X[:case["n"]]
    f = torch.empty(len(x))

    def work():
        torch.mv(x, b, out=f)
        for i in range(0, len(x), block):
            z = torch.addmm(c, x[i:i + block], w.t())
            f[i:i + block] += torch.nn.functional.softplus(z).sum(1)
        f.neg_()
        return len(x)

    work.result = f
    return work


def start(case):
    return {"step": start_step, "gibbs": start_gibbs, "free energy": start_energy}[case["kind"]](case)


def blas():
    if torch.backends.mkl.is_available():
        return [{"name": "MKL"}]
    if "blas_info=accelerate" in torch.__config__.show().lower():
        return [{"name": "Accelerate"}]
    return harness.blas_in_use()


if __name__ == "__main__":
    harness.serve("PyTorch " + torch.__version__, blas(), start)
