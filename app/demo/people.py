"""Made-up people and places: names, phones and addresses that look right and belong to nobody.

Phones begin with 170 to 179 and are drawn without repetition; addresses lie within a few kilometres of the
real seat of a county.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from app.demo.geography import County

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国文辉志红梅海燕晓东鹏飞宇欣雨晨浩然子轩雪梦瑶佳琪"
)
_STREETS = (
    "人民路",
    "解放路",
    "中山路",
    "建设街",
    "和平路",
    "新华街",
    "文化路",
    "胜利街",
    "朝阳路",
    "长江路",
    "迎宾大道",
    "学府路",
)
_ESTATES = ("阳光花园", "锦绣家园", "东方名城", "翠湖小区", "金桂苑", "滨江公寓", "安居里", "紫薇庭")
_METRES_PER_DEGREE = 111_320
_SPREAD_M = 2_500


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody at an address."""

    name: str
    phone: str
    district_adcode: str
    address: str
    latitude: float
    longitude: float


class People:
    """A source of contacts; the same seed gives the same people in the same order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"people:{seed}")
        self._phones: set[str] = set()

    def phone(self) -> str:
        """A mobile number that nobody else in this world has."""
        while True:
            phone = f"17{self._random.randrange(10**9):09d}"
            if phone not in self._phones:
                self._phones.add(phone)
                return phone

    def name(self) -> str:
        """A surname and one or two given characters."""
        given = "".join(self._random.choice(_GIVEN) for _ in range(self._random.choice((1, 2, 2))))
        return self._random.choice(_SURNAMES) + given

    def contact(self, county: County) -> Contact:
        """A person somewhere around a county's seat."""
        pick = self._random
        line = f"{pick.choice(_STREETS)}{pick.randrange(1, 400)}号"
        if pick.random() < 0.7:
            line += f"{pick.choice(_ESTATES)}{pick.randrange(1, 30)}栋"
            line += f"{pick.randrange(1, 26)}{pick.randrange(1, 5):02d}室"
        latitude, longitude = self.place_near(county.latitude, county.longitude)
        return Contact(self.name(), self.phone(), county.adcode, line, latitude, longitude)

    def place_near(self, latitude: float, longitude: float) -> tuple[float, float]:
        """A point scattered around another with a spread of a few kilometres."""
        north_m = self._random.gauss(0, _SPREAD_M)
        east_m = self._random.gauss(0, _SPREAD_M)
        return (
            round(latitude + north_m / _METRES_PER_DEGREE, 6),
            round(longitude + east_m / (_METRES_PER_DEGREE * math.cos(math.radians(latitude))), 6),
        )


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """`total` shared by weights, every part whole, the largest remainders first."""
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda index: (-(total * weights[index] % whole), index))
    for index in order[: total - sum(parts)]:
        parts[index] += 1
    return parts
