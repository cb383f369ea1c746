"""All acts by name, each with the kinds of place in which it can happen."""

from collections.abc import Callable

from vigil_city.acts import burglary, crowd, everyday, fire, lookalikes, robbery, theft, traffic, vandalism, violence
from vigil_city.acts.staging import ANY, Stage
from vigil_city.scene import Script

Act = Callable[[Stage], Script]
Acts = dict[str, tuple[Act, tuple[str, ...]]]
WIDE = ("plaza", "platform", "street")

EVERYDAY: Acts = {
    "walk": (everyday.walk, ANY),
    "jog": (everyday.jog, ("street", "carpark", "plaza", "house", "platform")),
    "wait": (everyday.wait, ANY),
    "talk": (everyday.talk, ANY),
    "stoop": (everyday.stoop, ANY),
    "carry_bag": (everyday.carry_bag, ANY),
    "phone_walk": (everyday.phone_walk, ANY),
    "sit": (everyday.sit, ("lobby", "plaza", "platform", "street")),
    "deliver": (everyday.deliver, ("shop", "lobby", "bank", "house", "carpark", "street")),
    "sweep": (everyday.sweep, ANY),
    "hand_over": (everyday.hand_over, ANY),
}
HONEST: Acts = {"look_and_put_back": (theft.look_and_put_back, ANY)}
DEEDS: Acts = {"theft": (theft.theft, ANY), "assault": (violence.beating, ANY), "damage": (vandalism.damage, ANY)}
CROWDS: Acts = {"crowd": (crowd.crowd, WIDE), "panic": (crowd.panic, WIDE)}

CRIMES: Acts = {
    "Abuse": (violence.abuse, ("lobby", "street", "house", "carpark", "platform", "shop")),
    "Arrest": (violence.arrest, ("street", "lobby", "plaza", "carpark", "platform", "bank", "shop")),
    "Arson": (fire.arson, ("street", "carpark", "house", "lobby", "plaza")),
    "Assault": (violence.assault, ("street", "carpark", "lobby", "plaza", "platform", "shop", "house")),
    "Burglary": (burglary.burglary, ("house", "lobby")),
    "Explosion": (fire.explosion, ("street", "carpark", "lobby", "plaza", "platform")),
    "Fighting": (violence.fighting, ("street", "lobby", "carpark", "plaza", "platform", "shop", "bank")),
    "RoadAccidents": (traffic.road_accidents, ("street", "carpark")),
    "Robbery": (robbery.robbery, ("shop", "bank", "lobby", "street", "carpark", "platform")),
    "Shooting": (violence.shooting, ("street", "lobby", "carpark", "plaza", "bank", "shop", "platform")),
    "Shoplifting": (theft.shoplifting, ("shop",)),
    "Stealing": (theft.stealing, ("plaza", "lobby", "platform", "street", "house", "carpark")),
    "Vandalism": (vandalism.vandalism, ("house", "lobby", "street", "carpark", "platform", "bank", "plaza")),
}
LOOKALIKES: Acts = {  # normal life that looks like a crime
    "barbecue": (fire.barbecue, ("house", "plaza")),
    "browse": (theft.browse, ("shop",)),
    "buy_drink": (lookalikes.buy_drink, ("lobby", "bank", "platform")),
    "clean_wall": (lookalikes.clean_wall, ("house", "lobby")),
    "come_home": (burglary.come_home, ("house", "lobby")),
    "drive_through": (traffic.drive_through, ("street", "carpark")),
    "greet": (lookalikes.greet, ANY),
    "help_up": (lookalikes.help_up, ("street", "lobby", "carpark", "platform", "house", "plaza")),
    "patrol": (lookalikes.patrol, ("street", "lobby", "plaza", "carpark", "platform", "bank", "shop")),
    "pay": (robbery.pay, ("shop", "bank", "lobby")),
    "photograph": (lookalikes.photograph, ("street", "plaza", "platform", "lobby", "bank")),
    "take_own": (theft.take_own, ("plaza", "lobby", "platform", "street", "house", "carpark")),
    "water_plants": (lookalikes.water_plants, ("house", "plaza", "street", "lobby")),
}
ORDINARY: Acts = {**EVERYDAY, **HONEST, **LOOKALIKES}
ABNORMAL: Acts = {**DEEDS, **CRIMES, "panic": CROWDS["panic"]}
ALL: Acts = {**ORDINARY, **CROWDS, **ABNORMAL}
