"""The crime scenes by class, and the hard normal ones that go with them: what can happen in which kinds of place."""

from collections.abc import Callable

import numpy as np

from vigil_city.blocking import Span
from vigil_city.crimes_burglary import burglary
from vigil_city.crimes_damage import vandalism
from vigil_city.crimes_fire import arson, explosion
from vigil_city.crimes_theft import shoplifting, stealing
from vigil_city.crimes_vehicle import drive_through, road_accidents
from vigil_city.crimes_violence import abuse, arrest, assault, fighting
from vigil_city.crimes_weapons import robbery, shooting
from vigil_city.normal_company import barbecue, greet, help_up, patrol, photograph, take_own
from vigil_city.normal_errands import browse, buy_drink, clean_wall, come_home, pay, water_plants
from vigil_city.places import Place
from vigil_city.scene import Script

Scene = Callable[[np.random.Generator, Place, float, Span], Script]
"""(rng, place, length in seconds, span of the act in seconds) -> script. Normal scenes ignore the span."""

SCENES: dict[str, tuple[Scene, tuple[str, ...]]] = {
    "Abuse": (abuse, ("lobby", "street", "house", "carpark", "platform", "shop")),
    "Arrest": (arrest, ("street", "lobby", "plaza", "carpark", "platform", "bank", "shop")),
    "Arson": (arson, ("street", "carpark", "house", "lobby", "plaza")),
    "Assault": (assault, ("street", "carpark", "lobby", "plaza", "platform", "shop", "house")),
    "Burglary": (burglary, ("house", "lobby")),
    "Explosion": (explosion, ("street", "carpark", "lobby", "plaza", "platform")),
    "Fighting": (fighting, ("street", "lobby", "carpark", "plaza", "platform", "shop", "bank")),
    "RoadAccidents": (road_accidents, ("street", "carpark")),
    "Robbery": (robbery, ("shop", "bank", "lobby", "street", "carpark", "platform")),
    "Shooting": (shooting, ("street", "lobby", "carpark", "plaza", "bank", "shop", "platform")),
    "Shoplifting": (shoplifting, ("shop",)),
    "Stealing": (stealing, ("plaza", "lobby", "platform", "street", "house", "carpark")),
    "Vandalism": (vandalism, ("house", "lobby", "street", "carpark", "platform", "bank", "plaza")),
}

NORMALS: dict[str, tuple[Scene, tuple[str, ...]]] = {
    "barbecue": (barbecue, ("house", "plaza")),
    "browse": (browse, ("shop",)),
    "buy_drink": (buy_drink, ("lobby", "bank", "platform")),
    "clean_wall": (clean_wall, ("house", "lobby")),
    "come_home": (come_home, ("house", "lobby")),
    "drive_through": (drive_through, ("street", "carpark")),
    "greet": (greet, ("street", "lobby", "carpark", "plaza", "platform", "shop", "bank", "house")),
    "help_up": (help_up, ("street", "lobby", "carpark", "platform", "house", "plaza")),
    "patrol": (patrol, ("street", "lobby", "plaza", "carpark", "platform", "bank", "shop")),
    "pay": (pay, ("shop", "bank", "lobby")),
    "photograph": (photograph, ("street", "plaza", "platform", "lobby", "bank")),
    "take_own": (take_own, ("plaza", "lobby", "platform", "street", "house", "carpark")),
    "water_plants": (water_plants, ("house", "plaza", "street", "lobby")),
}
