"""Fit the context model: a few small multilayer perceptrons, averaged, over the neighbourhood of each line."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from cleaner.document import Kind
from cleaner.model.scorer import Perceptron

# What the model tells apart. Repeats are found by comparing lines, not learned.
KINDS = tuple(kind for kind in Kind if kind is not Kind.REPEAT)

# Chosen out of fold (see the model card): one wide network overfits the few hundred sites, the average of narrow
# ones does not.
NETWORKS = 2
UNITS = 24
PENALTY = 0.1
PASSES = 5
ROWS_PER_STEP = 1024
LEARNING_RATE = 1e-3


# The weights of the layers of a network, and their biases.
Network = tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Examples:
    """Lines to learn from: ``inputs`` (lines, columns), ``targets`` (lines,): numbers in ``KINDS``, ``weights``."""

    inputs: NDArray[np.float32]
    targets: NDArray[np.intp]
    weights: NDArray[np.float64]


def fit_context_models(
    sets: Iterable[Examples], seed: int, bounds: tuple[int, ...], units: int = UNITS
) -> list[Perceptron]:
    """Fit one averaged model for each set of examples; the networks are shared out to two processes.

    ``bounds`` are the largest absolute values of the columns, of these examples and of whatever will be judged;
    ``units`` is the width of one network. Each process computes with one thread, so the result does not depend on how
    many there are.
    """
    models = []
    for examples in sets:  # one at a time, because each is a copy of most lines
        mean, deviation = scale_of(examples.inputs)
        jobs = [delayed(fit_network)(examples, mean, deviation, seed + number, units) for number in range(NETWORKS)]
        models.append(average(Parallel(n_jobs=2)(jobs), mean, deviation, bounds))
    return models


def scale_of(inputs: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each column; one that hardly varies would get weights that cost all others precision."""
    deviation = np.maximum(inputs.std(axis=0, dtype=np.float64), 0.02)
    return inputs.mean(axis=0, dtype=np.float64), deviation


def fit_network(
    examples: Examples, mean: NDArray[np.float64], deviation: NDArray[np.float64], seed: int, units: int = UNITS
) -> Network:
    """Fit one network, with one thread."""
    network = MLPClassifier(
        (units,),
        alpha=PENALTY,
        batch_size=ROWS_PER_STEP,
        max_iter=PASSES,
        learning_rate_init=LEARNING_RATE,
        random_state=seed,
    )
    scaled = ((examples.inputs - mean) / deviation).astype(np.float32)
    with threadpool_limits(1), warnings.catch_warnings():
        # It is stopped early on purpose.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(scaled, examples.targets, sample_weight=examples.weights)
    if len(network.classes_) != len(KINDS):
        raise ValueError(f"examples of {len(network.classes_)} kinds only; all of {len(KINDS)} are needed")
    return network.coefs_, network.intercepts_


def average(
    networks: list[Network], mean: NDArray[np.float64], deviation: NDArray[np.float64], bounds: tuple[int, ...]
) -> Perceptron:
    """The networks side by side as one that gives the mean of their logits; the scaling of the inputs goes into it.

    ``bounds`` are the largest absolute values of the columns.
    """
    hidden = np.concatenate([weights[0] for weights, _ in networks], axis=1).astype(np.float64) / deviation[:, None]
    hidden_bias = np.concatenate([biases[0] for _, biases in networks]).astype(np.float64) - mean @ hidden
    output = np.concatenate([weights[1] for weights, _ in networks], axis=0).astype(np.float64) / len(networks)
    output_bias: NDArray[np.float64] = np.mean([biases[1] for _, biases in networks], axis=0, dtype=np.float64)
    return Perceptron.exact(hidden, hidden_bias, output, output_bias, np.array(bounds, np.float64))
