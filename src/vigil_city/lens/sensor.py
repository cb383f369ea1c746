"""What a cheap camera makes of a picture: fall-off, blur, colour cast, noise, or the grey of an infrared night."""

import cv2
import numpy as np


class Sensor:
    """One camera's lens and chip. The noise of a frame depends on its number only, not on the frames before."""

    def __init__(self, width: int, height: int, seed: int, night: bool) -> None:
        rng = np.random.default_rng([seed, 2])
        self.night = night
        scale = width / 320
        self.blur = rng.uniform(0.5, 0.75) * (scale if scale <= 1 else scale**0.5)
        sigma = rng.uniform(1.0, 1.8) if night else rng.uniform(1.2, 2.8)
        depth = 1 if night else 3
        self._bank = rng.normal(0, sigma, (height + 64, width + 64, depth)).round().astype(np.int16)
        gain = rng.uniform(1.05, 1.2) if night else rng.uniform(0.95, 1.12)
        tint = np.ones(3) if night else 1 + rng.uniform(-0.05, 0.05, 3)
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        fall = rng.uniform(0.32, 0.45) if night else rng.uniform(0.08, 0.22)
        field = (1 - fall * (x * x + y * y) / 2) * gain
        self._field = (field[..., None] * tint).astype(np.float32)

    def __call__(self, image: np.ndarray, noise: np.random.Generator, gain: float = 1.0) -> np.ndarray:
        h, w = image.shape[:2]
        y, x = noise.integers(0, 64, 2)
        out = cv2.GaussianBlur(image, (0, 0), self.blur)
        if self.night:
            grey = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)
            grey = cv2.multiply(grey, self._field[..., 0], scale=gain, dtype=cv2.CV_8U)
            grey = cv2.add(grey, self._bank[y : y + h, x : x + w, 0], dtype=cv2.CV_8U)
            return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
        out = cv2.multiply(out, self._field, scale=gain, dtype=cv2.CV_8U)
        return cv2.add(out, self._bank[y : y + h, x : x + w], dtype=cv2.CV_8U)
