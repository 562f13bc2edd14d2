"""What learners might hand in for chapter 4, written without the checker at hand."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import torch

import conv
from answers.kit import right, wrong

# 4.1 ---------------------------------------------------------------------------------

wrong("4.1", "steep direction only", 1 / 60)
wrong("4.1", "flat direction only", 1 / 12)
wrong("4.1", "stability limit", 2 / 60)
wrong("4.1", "sum instead of mean", 1 / (12 + 60))
wrong("4.1", "mean of the two best rates", (1 / 60 + 1 / 12) / 2)
wrong("4.1", "mean of the two best rates", (1 / 60 * 1 / 12) ** 0.5)
wrong("4.1", "the chapter's rate", 3e-2)
wrong("4.1", "factor instead of rate", 1 - 12 / 36)
wrong("4.1", "rounded too far", 0.028)
right("4.1", Fraction(1, 36))
right("4.1", 0.02778)
right("4.1", 0.0278)
right("4.1", [1 / 36])
right("4.1", Decimal("0.02778"))
right("4.1", 2 / (12 + 60))
right("4.1", torch.tensor(1 / 36))
right("4.1", np.float32(1 / 36))

# 4.2 ---------------------------------------------------------------------------------


def measured_condition_number():
    """Measure the condition number on a random image."""
    generator = torch.Generator().manual_seed(42)
    image = torch.randint(0, 2, (800, 800), generator=generator).double()
    windows = image.unfold(1, 2, 1).reshape(-1, 2)
    low, high = torch.linalg.eigvalsh(windows.T @ windows)
    return high / low


wrong("4.2", "mean forgotten", 1)
wrong("4.2", "the bar's valley", 60 / 12)
wrong("4.2", "upside down", 1 / 3)
wrong("4.2", "upside down", Fraction(1, 3))
wrong("4.2", "mean square over mean product", (1 / 2) / (1 / 4))
wrong("4.2", "not a ratio of eigenvalues", 1 / 2 + 1 / 4)
wrong("4.2", "not a ratio of eigenvalues", 1 / 2 - 1 / 4)
wrong("4.2", "not a ratio of eigenvalues", (1 / 2 + 1 / 4) / (1 / 2))
wrong("4.2", "squared", 3**2)
right("4.2", 3.0)
right("4.2", np.linalg.cond([[0.5, 0.25], [0.25, 0.5]]))
right("4.2", measured_condition_number())
right("4.2", torch.tensor(3))
right("4.2", (1 / 2 + 1 / 4) / (1 / 2 - 1 / 4))


# 4.3 ---------------------------------------------------------------------------------


@right("4.3")
def by_least_squares_matrix(w, X, Y, lr):
    A = torch.stack([X[:, :-1].flatten(), X[:, 1:].flatten()], dim=1)
    return w - 2 * lr * A.T @ (A @ w - Y.flatten())


@right("4.3")
def by_correlating_the_error(w, X, Y, lr):
    E = conv.corr2d(X, w[None]) - Y
    return w - lr * 2 * conv.corr2d(X, E).flatten()


@right("4.3")
def by_all_pixels(w, X, Y, lr):
    g0, g1 = 0, 0
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            e = w[0] * X[i, j] + w[1] * X[i, j + 1] - Y[i, j]
            g0 = g0 + 2 * e * X[i, j]
            g1 = g1 + 2 * e * X[i, j + 1]
    return torch.stack([w[0] - lr * g0, w[1] - lr * g1])


@right("4.3")
def by_windows(w, X, Y, lr):
    windows = X.unfold(1, 2, 1)  # (H, W-1, 2)
    error = (windows * w).sum(-1) - Y
    return w - lr * torch.einsum("ij,ijk->k", 2 * error, windows)


@right("4.3")
def in_numpy(w, X, Y, lr):
    w, X, Y = w.numpy(), X.numpy(), Y.numpy()
    left, right_ = X[:, :-1], X[:, 1:]
    error = w[0] * left + w[1] * right_ - Y
    gradient = np.array([2 * np.sum(error * left), 2 * np.sum(error * right_)])
    return w - lr * gradient


@right("4.3")
def in_plain_python(w, X, Y, lr):
    w, X, Y = w.tolist(), X.tolist(), Y.tolist()
    gradient = [0.0, 0.0]
    for pixels, targets in zip(X, Y, strict=True):
        for j, target in enumerate(targets):
            error = w[0] * pixels[j] + w[1] * pixels[j + 1] - target
            for k in range(2):
                gradient[k] += 2 * error * pixels[j + k]
    return w[0] - lr * gradient[0], w[1] - lr * gradient[1]


@right("4.3")
def by_the_hessian(w, X, Y, lr):
    a, b = X[:, :-1], X[:, 1:]
    hessian = 2 * torch.tensor([[(a * a).sum(), (a * b).sum()], [(a * b).sum(), 0]])
    hessian[1, 1] = 2 * (b * b).sum()
    constant = 2 * torch.stack([(a * Y).sum(), (b * Y).sum()])
    return w - lr * (hessian.to(w) @ w - constant)


@right("4.3")
def in_place_without_gradients(w, X, Y, lr):
    with torch.no_grad():
        E = conv.corr2d(X, w.reshape(1, 2)) - Y
        w[0], w[1] = (
            w[0] - lr * 2 * torch.sum(E * X[:, :-1]),
            w[1] - lr * 2 * torch.sum(E * X[:, 1:]),
        )
    return w


@right("4.3")
def in_float32(w, X, Y, lr):
    w, X, Y = w.float(), X.float(), Y.float()
    E = torch.nn.functional.conv2d(X[None, None], w.view(1, 1, 1, 2))[0, 0] - Y
    return w - 2 * lr * torch.tensor([(E * X[:, :-1]).sum(), (E * X[:, 1:]).sum()])


@wrong("4.3", "wrong method")
def by_autograd(w, X, Y, lr):
    w = w.clone().requires_grad_()
    ((w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y) ** 2).sum().backward()
    return (w - lr * w.grad).detach()


@wrong("4.3", "wrong method")
def by_the_gradient_of_a_function(w, X, Y, lr):
    def loss(v):
        return ((v[0] * X[:, :-1] + v[1] * X[:, 1:] - Y) ** 2).sum()

    return w - lr * torch.func.grad(loss)(w)


@wrong("4.3", "gradient alone")
def returns_the_gradient_downhill(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    return -2 * torch.stack([(E * X[:, :-1]).sum(), (E * X[:, 1:]).sum()])


@wrong("4.3", "mean instead of sum")
def half_of_the_mean(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    return w - lr * torch.stack([(E * X[:, :-1]).mean(), (E * X[:, 1:]).mean()])


@wrong("4.3", "one weight's pixels for both")
def right_pixels_twice(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    return w - lr * (2 * E * X[:, 1:]).sum()


@wrong("4.3", "gradients swapped")
def second_derivative_first(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    return w - lr * 2 * torch.stack([(E * X[:, 1:]).sum(), (E * X[:, :-1]).sum()])


@wrong("4.3", "weights updated one after the other")
def error_computed_again(w, X, Y, lr):
    w = w.clone()
    for k in range(2):
        E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
        w[k] -= lr * 2 * (E * X[:, k : k + Y.shape[1]]).sum()
    return w


@wrong("4.3", "uphill")
def with_the_gradient(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    g0 = (2 * E * X[:, :-1]).sum()
    g1 = (2 * E * X[:, 1:]).sum()
    return w + lr * torch.stack([g0, g1])


@wrong("4.3", "uphill")
def target_minus_output(w, X, Y, lr):
    E = Y - (w[0] * X[:, :-1] + w[1] * X[:, 1:])
    g0 = (2 * E * X[:, :-1]).sum()
    g1 = (2 * E * X[:, 1:]).sum()
    return w - lr * torch.stack([g0, g1])


@wrong("4.3", "factor of 2 forgotten")
def derivative_of_half_the_square(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    g = torch.stack([(E * X[:, :-1]).sum(), (E * X[:, 1:]).sum()])
    return w - lr * g


@wrong("4.3", "mean instead of sum")
def mean_of_the_gradients(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    g = torch.stack([(2 * E * X[:, :-1]).mean(), (2 * E * X[:, 1:]).mean()])
    return w - lr * g


@wrong("4.3", "gradient alone")
def returns_the_gradient(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    return torch.stack([(2 * E * X[:, :-1]).sum(), (2 * E * X[:, 1:]).sum()])


@wrong("4.3", "gradient alone")
def returns_the_way(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    g = torch.stack([(2 * E * X[:, :-1]).sum(), (2 * E * X[:, 1:]).sum()])
    return lr * g


@wrong("4.3", "gradient alone")
def returns_the_way_down(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    g = torch.stack([(2 * E * X[:, :-1]).sum(), (2 * E * X[:, 1:]).sum()])
    return -lr * g


@wrong("4.3", "error not multiplied by its pixel")
def sum_of_errors(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    return w - lr * 2 * E.sum()


@wrong("4.3", "one weight's pixels for both")
def left_pixels_twice(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    return w - lr * (2 * E * X[:, :-1]).sum()


@wrong("4.3", "one weight's pixels for both")
def slice_copied_and_not_changed(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    g0 = (2 * E * X[:, :-1]).sum()
    g1 = (2 * E * X[:, :-1]).sum()
    return torch.stack([w[0] - lr * g0, w[1] - lr * g1])


@wrong("4.3", "target forgotten")
def output_for_error(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:]
    g = torch.stack([(2 * E * X[:, :-1]).sum(), (2 * E * X[:, 1:]).sum()])
    return w - lr * g


@right("4.3")
def step_in_place(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    g = torch.stack([(2 * E * X[:, :-1]).sum(), (2 * E * X[:, 1:]).sum()])
    w -= lr * g
    return w


@right("4.3")
def two_numbers(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    g0 = (2 * E * X[:, :-1]).sum()
    g1 = (2 * E * X[:, 1:]).sum()
    return [w[0] - lr * g0, w[1] - lr * g1]


@wrong("4.3", "missing return")
def step_without_return(w, X, Y, lr):
    E = w[0] * X[:, :-1] + w[1] * X[:, 1:] - Y
    g = torch.stack([(2 * E * X[:, :-1]).sum(), (2 * E * X[:, 1:]).sum()])
    w = w - lr * g


# 4.4 ---------------------------------------------------------------------------------


@right("4.4")
def gradient_thrown_away(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        w.grad = None
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad
    return w.detach()


@right("4.4")
def fresh_weights_each_time(X, Y, w, lr, steps):
    for _ in range(steps):
        w = w.detach().clone().requires_grad_()
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (gradient,) = torch.autograd.grad((E**2).sum(), w)
        w = w - lr * gradient
    return w.detach()


@right("4.4")
def by_an_optimizer(X, Y, w, lr, steps):
    w = torch.nn.Parameter(w.detach().clone())
    optimizer = torch.optim.SGD([w], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        (conv.corr2d(X, w[None]) - Y).square().sum().backward()
        optimizer.step()
    return w.detach()


@right("4.4")
def by_hand(X, Y, w, lr, steps):
    left, both = X[:, :-1], X[:, 1:]
    a, b = w[0], w[1]
    for _ in range(steps):
        E = left * a + both * b - Y
        a, b = a - lr * 2 * (E * left).sum(), b - lr * 2 * (E * both).sum()
    return torch.stack([a, b])


@right("4.4")
def in_numpy_and_a_closed_form(X, Y, w, lr, steps):
    A = np.stack([X[:, :-1].numpy().ravel(), X[:, 1:].numpy().ravel()], axis=1)
    hessian, constant = 2 * A.T @ A, 2 * A.T @ Y.numpy().ravel()
    w = w.numpy().copy()
    for _ in range(steps):
        w = w - lr * (hessian @ w - constant)
    return w


@right("4.4")
def zeroed_in_place_at_the_start(X, Y, w, lr, steps):
    w = torch.tensor(w.tolist(), requires_grad=True)  # in float32
    for _ in range(steps):
        if w.grad is not None:
            w.grad.fill_(0)
        loss = torch.sum((X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y).square())
        loss.backward()
        w.data -= lr * w.grad
    return w.tolist()


@right("4.4")
def leaf_again_after_each_step(X, Y, w, lr, steps):
    w = w.clone().requires_grad_(True)
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        w = (w - lr * w.grad).detach().requires_grad_(True)
    return w


@right("4.4")
def by_functional_gradients(X, Y, w, lr, steps):
    def loss(v):
        return torch.einsum("k,kij->ij", v, windows).sub(Y).pow(2).sum()

    windows = torch.stack([X[:, :-1], X[:, 1:]])
    for _ in range(steps):
        w = w - lr * torch.func.grad(loss)(w)
    return w


@wrong("4.4", "second step fails")
def new_weights_with_a_history(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        w = w - lr * w.grad
    return w.detach()


@wrong("4.4", "second step fails")
def loss_before_the_loop(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
    loss = (E**2).sum()
    for _ in range(steps):
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            w.grad.zero_()
    return w.detach()


@wrong("4.4", "gradients averaged")
def sum_divided_by_the_steps(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for t in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad / (t + 1)
    return w.detach()


@wrong("4.4", "weights not moved")
def returns_the_argument(X, Y, w, lr, steps):
    v = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * v[0] + X[:, 1:] * v[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            v -= lr * v.grad
        v.grad = None
    return w


@wrong("4.4", "one step too few")
def counts_from_one(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(1, steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad
        w.grad = None
    return w.detach()


@wrong("4.4", "gradient not zeroed")
def gradients_pile_up(X, Y, w, lr, steps):
    v = w.detach().clone()
    v.requires_grad = True
    for _ in range(steps):
        loss = ((v[0] * X[:, :-1] + v[1] * X[:, 1:] - Y) ** 2).sum()
        loss.backward()
        with torch.no_grad():
            v.sub_(lr * v.grad)
    return v.detach()


@wrong("4.4", "gradient not zeroed")
def zeroed_once_before_the_loop(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    w.grad = torch.zeros_like(w)
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad
    return w.detach()


@wrong("4.4", "gradient not zeroed")
def zeroed_after_the_loop(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad
    w.grad.zero_()
    return w.detach()


@wrong("4.4", "weights not moved")
def zeroed_before_the_step(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w.grad.zero_()
            w -= lr * w.grad
    return w.detach()


@wrong("4.4", "one step only")
def returns_after_a_step(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad
            w.grad.zero_()
        return w.detach()


@wrong("4.4", "one step only")
def starts_anew_each_time(X, Y, w, lr, steps):
    for _ in range(steps):
        v = w.clone().requires_grad_()
        E = X[:, :-1] * v[0] + X[:, 1:] * v[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            v -= lr * v.grad
    return v.detach()


@wrong("4.4", "uphill")
def climbs(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w += lr * w.grad
            w.grad.zero_()
    return w.detach()


@wrong("4.4", "one step too many")
def counts_from_zero_to_steps(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps + 1):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w -= lr * w.grad
            w.grad.zero_()
    return w.detach()


@wrong("4.4", "second step fails")
def new_weights_without_gradient(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        with torch.no_grad():
            w = w - lr * w.grad
    return w.detach()


@wrong("4.4", "in-place change of a leaf")
def step_without_no_grad(X, Y, w, lr, steps):
    w = w.clone().requires_grad_()
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        (E**2).sum().backward()
        w -= lr * w.grad
        w.grad.zero_()
    return w.detach()


@right("4.4")
def no_copy(X, Y, w, lr, steps):
    for _ in range(steps):
        E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
        g = torch.stack([(2 * E * X[:, :-1]).sum(), (2 * E * X[:, 1:]).sum()])
        w -= lr * g
    return w


@wrong("4.3", "learning rate forgotten")
def whole_step(w, X, Y, lr):
    E = X[:, :-1] * w[0] + X[:, 1:] * w[1] - Y
    return w - 2 * torch.stack([(E * X[:, :-1]).sum(), (E * X[:, 1:]).sum()])
