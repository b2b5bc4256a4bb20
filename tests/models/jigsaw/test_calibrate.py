import numpy as np

from groundstate_models.jigsaw.calibrate import SIGNS, calibration_error, fit


def test_evidence_that_the_sample_counts_the_wrong_way_gets_no_weight():
    rng = np.random.default_rng(0)
    evidence = rng.normal(size=(400, len(SIGNS)))
    right = evidence @ np.array([-2.0, 1.5, *[0.0] * (len(SIGNS) - 2)]) + rng.logistic(size=400) > 0
    weights, _ = fit(evidence, right)
    assert weights[0] < -1
    assert weights[1] == 0
    assert (weights * np.array(SIGNS) >= 0).all()


def test_the_calibration_error_is_the_gap_between_claims_and_shares():
    claimed = np.array([0.95] * 10 + [0.15] * 10)
    right = np.array([True] * 9 + [False] + [True] * 2 + [False] * 8)
    assert abs(calibration_error(claimed, right) - 0.05) < 1e-9
