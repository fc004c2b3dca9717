"""An e-axle check's case: one e-axle at one rating, one mount of a vehicle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from kyotsu.spec.comparison import Side, Value
from kyotsu.spec.eaxle import EAxle, Rating
from kyotsu.spec.finding import Outcome, weakest
from kyotsu.spec.slots import EAxleMount
from kyotsu.spec.vehicle import Vehicle


@dataclass(frozen=True)
class EAxleCase:
    """Everything that an e-axle check may look at.

    `looks` grows with each look at the rating: what was found without one is found at every rating.
    """

    eaxle: EAxle
    chosen: Rating
    vehicle: Vehicle
    mount: EAxleMount
    looks: list[str] = field(default_factory=list, compare=False)

    @property
    def rating(self) -> Rating:
        """The rating that the checks judge."""
        self.looks.append("rating")
        return self.chosen

    @cached_property
    def offer(self) -> Side:
        """The e-axle's values, read by path."""
        return Side("eaxle", self.eaxle, self.eaxle.name)

    @cached_property
    def need(self) -> Side:
        """The mount's values, read by path."""
        return Side("eaxle_mount", self.mount, self.vehicle.name)

    @cached_property
    def car(self) -> Side:
        """The vehicle's own values, read by path."""
        return Side("vehicle", self.vehicle, self.vehicle.name)

    def rated(self, field: str) -> Value:
        """A value of the chosen rating."""
        source = self.eaxle.source_of("ratings")
        content = getattr(self.rating, field)
        return Value(f"eaxle.ratings.{self.rating.id}.{field}", content, source.status if source else None)

    @property
    def axle_torque(self) -> Value:
        """Peak torque at the wheels of this axle [N m]: motor torque times ratio and gear efficiency."""
        efficiency = self.offer("reducer.efficiency")
        unstated = self.offer("reducer.axle_peak_torque_nm").content is None
        if unstated and self.offer("reducer.ratio").content is not None and efficiency.content is None:
            return efficiency
        return self.axle_torque_at(1.0 if efficiency.content is None else efficiency.number)

    def axle_torque_at(self, efficiency: float | None) -> Value:
        """Peak torque at the wheels [N m] at an efficiency of the gear, and no more than the reducer bears."""
        stated, ratio = self.offer("reducer.axle_peak_torque_nm"), self.offer("reducer.ratio")
        if ratio.content is None or efficiency is None:
            return stated
        torque = self.rating.peak_torque_nm * ratio.number * efficiency
        if stated.content is not None:
            torque = min(torque, stated.number)
        origins = (
            stated.status,
            ratio.status,
            self.offer("reducer.efficiency").status,
            self.rated("peak_torque_nm").status,
        )
        return Value("eaxle axle_torque_nm", torque, weakest(origins))

    @cached_property
    def motor_speed(self) -> Value:
        """Motor speed at the mount's top speed with its reserve [rpm]."""
        ratio, radius, speed = (
            self.offer("reducer.ratio"),
            self.car("tyre.radius_mm"),
            self.need("top_speed_km_h"),
        )
        reserve = self.need("speed_reserve_share")
        for value in (ratio, radius, speed, reserve):
            if value.content is None:
                return value
        wheel = speed.number / 3.6 * (1.0 + reserve.number) / (radius.number / 1000.0)
        status = weakest(value.status for value in (ratio, radius, speed, reserve))
        return Value("eaxle_mount motor_speed_rpm", wheel * ratio.number * 60.0 / (2.0 * math.pi), status)


@dataclass(frozen=True)
class EAxleCheck:
    """One check: id, what it checks, where the rule comes from, and the rule."""

    id: str
    title: str
    standard: str
    judge: Callable[[EAxleCase], list[Outcome]]
