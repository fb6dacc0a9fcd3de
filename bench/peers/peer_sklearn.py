"""BernoulliRBM of scikit-learn, in float32. It trains by PCD-1 alone, which does as much work
as CD-1. The steps are those that fit makes, without its checks, which it makes once."""
import harness

try:
    import numpy as np
    blas = harness.blas_in_use(np)
    import sklearn
    from sklearn.neural_network import BernoulliRBM
except ImportError:
    harness.missing("scikit-learn")

X = harness.numpy_rows(np)


def model(case):
    m = BernoulliRBM(n_components=case["hidden"], batch_size=case["n"], learning_rate=case["rate"], random_state=1)
    m.partial_fit(X[:case["n"]])  # which sets all that a fitted model has
    m.components_, m.intercept_visible_, m.intercept_hidden_ = harness.numpy_model(np, case["hidden"])
    return m


def start_step(case):
    if case["k"] != 1:
        raise harness.Unsupported("it trains by PCD-1 alone")
    m, following = model(case), harness.batches(X, case["n"])
    rng = np.random.RandomState(1)
    step = (lambda v: m._fit(v, rng)) if hasattr(m, "_fit") else m.partial_fit

    def work():
        step(following())
        return case["n"]

    work.result = m.components_
    return work


def start_gibbs(case):
    m, v = model(case), X[:case["n"]].copy()

    def work():
        nonlocal v
        v = m.gibbs(v)
        return len(v)

    return work


def start_energy(case):
    m = model(case)
    if not hasattr(m, "_free_energy"):
        raise harness.Unsupported("no free energies in this version")
    x = X[:case["n"]]

    def work():
        work.result = m._free_energy(x)
        return len(x)

    return work


def start(case):
    return {"step": start_step, "gibbs": start_gibbs, "free energy": start_energy}[case["kind"]](case)


if __name__ == "__main__":
    harness.serve("scikit-learn " + sklearn.__version__, blas, start)
