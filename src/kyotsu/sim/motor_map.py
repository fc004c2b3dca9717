"""From measured losses of a motor to the loss polynomial that the physics knows.

P_loss = c0 + w1 w + w2 w² + w3 w³ + t1 T + t2 T² + tw T w + t2w T² w + tw2 T w², P in W, w in rad/s, T in N m: sums of
T^m w^n as of Mahmoudi, Soong, Pellegrino and Armando (efficiency maps of electrical machines, IEEE ECCE 2015). No term
is negative, so that no motor gains energy outside of what was measured.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from kyotsu.sim.parameters import FloatArray
from kyotsu.spec.eaxle import LossMap, LossModel
from kyotsu.units import RPM_PER_RAD_S

TERMS = ("c0", "w1", "w2", "w3", "t1", "t2", "tw", "t2w", "tw2")
LEAST_LOSS = 1e-3  # W; keeps the weight of a point without loss finite


def loss_model_of_map(loss_map: LossMap) -> LossModel:
    """The loss polynomial nearest to a map, over all its points."""
    speed, torque = np.meshgrid(np.array(loss_map.speed_rpm) / RPM_PER_RAD_S, np.array(loss_map.torque_nm))
    return fit_loss_model(speed.ravel(), torque.ravel(), np.array(loss_map.loss_w).ravel())


def fit_loss_model(speed: FloatArray, torque: FloatArray, loss: FloatArray) -> LossModel:
    """The loss polynomial nearest to measured points: non-negative least squares.

    The error that counts is that of efficiency, ΔP_loss P/(P + P_loss)² with P = T w; where less is given than lost
    (at rest, without torque, nearly so) that of the loss itself in the same measure, ΔP_loss P_loss/(P + P_loss)².

    Args:
        speed: of the motor [rad/s], shape (point,).
        torque: at its shaft, motoring [N m].
        loss: [W].
    """
    terms = loss_terms(speed, torque)
    given, lost = speed * torque, np.maximum(loss, LEAST_LOSS)
    weight = np.maximum(given, lost) / (given + lost) ** 2
    scale = terms.max(axis=0)
    scale[scale == 0.0] = 1.0
    coefficients, _ = nnls(terms / scale * weight[:, None], loss * weight)
    return LossModel(**dict(zip(TERMS, (float(value) for value in coefficients / scale), strict=True)))


def loss_terms(speed: FloatArray, torque: FloatArray) -> FloatArray:
    """The terms of the polynomial in the order of `TERMS`, shape (point, term)."""
    w, t = speed, torque
    return np.stack([np.ones_like(w), w, w**2, w**3, t, t**2, t * w, t**2 * w, t * w**2], axis=1)
