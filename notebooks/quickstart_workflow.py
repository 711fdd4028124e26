"""Find the best classifier of handwritten digits: a sweep over two parameters with cross-validation.

`workflow` is what the notebook beside this file builds step by step. `make run` dispatches it with `ARGUMENTS`.
"""

from typing import Any

import covalent_lab as ct

FOLDS = 5
C_VALUES = (0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0)
GAMMA_VALUES = (0.0005, 0.001, 0.002, 0.005, 0.01)
ARGUMENTS: tuple[Any, ...] = (C_VALUES, GAMMA_VALUES, FOLDS)


@ct.electron
def load_digits() -> Any:
    """Images of 600 handwritten digits, 8 × 8 pixels each, and the numbers they show."""
    from sklearn.datasets import load_digits

    images, numbers = load_digits(return_X_y=True)
    return images[:600], numbers[:600]


@ct.electron
def score_fold(data: Any, c: float, gamma: float, fold: int, folds: int) -> float:
    """Train on all folds but one, and score on that one."""
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import SVC

    images, numbers = data
    splits = StratifiedKFold(folds, shuffle=True, random_state=0).split(images, numbers)
    train, test = list(splits)[fold]
    return SVC(C=c, gamma=gamma).fit(images[train], numbers[train]).score(images[test], numbers[test])


@ct.electron
def select_best(grid: list[tuple[float, float]], scores: list[list[float]]) -> dict[str, float]:
    """The parameters with the best mean score."""
    means = [sum(folds) / len(folds) for folds in scores]
    best = max(range(len(grid)), key=means.__getitem__)
    return {"C": grid[best][0], "gamma": grid[best][1], "accuracy": round(means[best], 4)}


@ct.electron
def confusion_matrix(data: Any, best: dict[str, float]) -> Any:
    """Which digits the best classifier takes for which others, as a figure."""
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay
    from sklearn.model_selection import train_test_split
    from sklearn.svm import SVC

    images, numbers = data
    train_x, test_x, train_y, test_y = train_test_split(images, numbers, test_size=0.4, random_state=0)
    classifier = SVC(C=best["C"], gamma=best["gamma"]).fit(train_x, train_y)
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    ConfusionMatrixDisplay.from_predictions(test_y, classifier.predict(test_x), ax=axes, colorbar=False, cmap="Blues")
    axes.set_title(f"C = {best['C']:g}, γ = {best['gamma']:g}")
    return figure


@ct.lattice
def workflow(c_values: Any, gamma_values: Any, folds: int) -> Any:
    """Score every pair of parameters on every fold, pick the best, and show its mistakes."""
    data = load_digits()
    grid = [(c, gamma) for c in c_values for gamma in gamma_values]
    scores = [[score_fold(data, c, gamma, fold, folds) for fold in range(folds)] for c, gamma in grid]
    best = select_best(grid, scores)
    confusion_matrix(data, best)
    return best
