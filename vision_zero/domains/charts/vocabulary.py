"""Names that charts are made of: lists of things of one sort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from vision_zero.randomness import some_of


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


VOCABULARY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "countries": _words(
            "Norway, Sweden, Finland, Denmark, Germany, France, Spain, Portugal, Italy, Greece, Poland, Austria, Ireland, "
            "Turkey, Egypt, Kenya, Nigeria, Ghana, Morocco, India, China, Japan, Vietnam, Thailand, Indonesia, Brazil, Chile, "
            "Peru, Mexico, Canada, Australia, South Korea, South Africa, New Zealand, United Kingdom, United States"
        ),
        "cities": _words(
            "London, Paris, Berlin, Madrid, Rome, Vienna, Prague, Lisbon, Oslo, Dublin, Athens, Istanbul, Cairo, Lagos, Nairobi, "
            "Mumbai, Delhi, Bangkok, Hanoi, Tokyo, Seoul, Sydney, Toronto, Chicago, Boston, Mexico City, Lima, Bogotá"
        ),
        "continents": _words("Africa, Asia, Europe, North America, South America, Oceania"),
        "states": _words(
            "California, Texas, Florida, New York, Ohio, Georgia, Michigan, Virginia, Arizona, Colorado, Oregon, Utah, Nevada"
        ),
        "energy": _words("Coal, Gas, Oil, Nuclear, Hydro, Wind, Solar, Biomass, Geothermal"),
        "crops": _words("Wheat, Rice, Maize, Barley, Potatoes, Soybeans, Sugar beet, Cotton, Oats, Rye"),
        "fruit": _words("Apples, Bananas, Oranges, Grapes, Pears, Peaches, Mangoes, Lemons, Cherries, Strawberries"),
        "drinks": _words("Coffee, Tea, Water, Juice, Milk, Cola, Lemonade, Cocoa"),
        "sports": _words(
            "Football, Tennis, Swimming, Cycling, Running, Basketball, Volleyball, Hockey, Rugby, Golf, Skiing, Yoga"
        ),
        "devices": _words("Smartphones, Laptops, Tablets, Desktops, Smartwatches, Televisions, Consoles, Headphones, Cameras"),
        "vehicles": _words("Sedans, SUVs, Pickups, Vans, Trucks, Buses, Motorcycles, Electric cars, Hybrids"),
        "transport": _words("Car, Bus, Train, Bicycle, Walking, Metro, Tram, Ferry, Motorcycle"),
        "music": _words("Rock, Pop, Jazz, Classical, Hip-hop, Country, Electronic, Folk, Blues, Soul, Metal"),
        "films": _words("Drama, Comedy, Action, Horror, Thriller, Animation, Romance, Documentary, Fantasy, Western"),
        "departments": _words("Sales, Marketing, Research, Finance, Support, Logistics, Production, Design, Legal"),
        "subjects": _words("Maths, Physics, Chemistry, Biology, History, Geography, English, French, Music, Art"),
        "jobs": _words(
            "Nurse, Teacher, Engineer, Lawyer, Driver, Chef, Farmer, Pilot, Plumber, Designer, Accountant, Electrician"
        ),
        "languages": _words("Python, Java, JavaScript, Rust, Go, Swift, Kotlin, Ruby, C, PHP, Julia"),
        "causes": _words("Heart disease, Cancer, Stroke, Diabetes, Accidents, Influenza, Lung disease, Dementia"),
        "spending": _words("Housing, Food, Transport, Health, Education, Leisure, Clothing, Savings, Insurance, Utilities"),
        "media": _words("Television, Radio, Newspapers, Podcasts, Magazines, Websites, Social media, Newsletters"),
        "animals": _words("Wolves, Bears, Foxes, Deer, Otters, Owls, Eagles, Beavers, Hares, Lynx, Seals"),
        "trees": _words("Oak, Beech, Pine, Spruce, Birch, Maple, Ash, Larch, Willow, Poplar"),
        "waste": _words("Paper, Glass, Plastic, Metal, Food waste, Textiles, Wood, Electronics"),
        "channels": _words("Search, E-mail, Direct, Referral, Social, Display, Video, Affiliates"),
        "stores": _words(
            "North branch, South branch, East branch, West branch, Harbour, Airport, Old town, Station, Market square"
        ),
        "teams": _words("Tigers, Eagles, Sharks, Bulls, Wolves, Falcons, Bears, Rockets, Pirates, Lions, Knights"),
        "crowd": _words("Students, Workers, Retirees, Tourists, Families, Commuters"),
        "genders": _words("Women, Men"),
        "places": _words("Urban, Rural, Suburban, Coastal"),
        "medals": _words("Gold, Silver, Bronze"),
        "ages": _words("under 18, 18–24, 25–34, 35–44, 45–54, 55–64, 65–74, 75 and over"),
        "schooling": _words("No degree, Primary, Secondary, Vocational, Bachelor, Master, Doctorate"),
        "answers": _words("Strongly agree, Agree, Neutral, Disagree, Strongly disagree, Don't know"),
        "use": _words("Daily, Weekly, Monthly, Rarely, Never"),
        "days": _words("Mon, Tue, Wed, Thu, Fri, Sat, Sun"),
        "months": _words("Jan, Feb, Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov, Dec"),
        "quarters": _words("Q1, Q2, Q3, Q4"),
        "hours": _words("6 am, 8 am, 10 am, 12 pm, 2 pm, 4 pm, 6 pm, 8 pm, 10 pm"),
    }
)

ORDERED: frozenset[str] = frozenset(("ages", "schooling", "answers", "use", "days", "months", "quarters", "hours"))
"""Lists with one natural order, of which charts show a stretch."""

SORTS: Mapping[str, str] = MappingProxyType(
    {
        "countries": "Country",
        "cities": "City",
        "continents": "Continent",
        "states": "State",
        "energy": "Source",
        "crops": "Crop",
        "sports": "Sport",
        "devices": "Product",
        "transport": "Means of transport",
        "music": "Genre",
        "films": "Genre",
        "departments": "Department",
        "subjects": "Subject",
        "jobs": "Occupation",
        "stores": "Shop",
        "teams": "Team",
        "ages": "Age group",
        "schooling": "Education",
        "days": "Weekday",
        "months": "Month",
        "quarters": "Quarter",
        "hours": "Time of day",
        "years": "Year",
    }
)
"""Titles of an axis of such names."""


def some_names(sort: str, count: int, rng: np.random.Generator) -> tuple[str, ...]:
    """``count`` names of that sort, or all where there are fewer: in order where they have one."""
    names = VOCABULARY[sort]
    count = min(count, len(names))
    if sort in ORDERED:
        start = int(rng.integers(len(names) - count + 1))
        return names[start : start + count]
    return tuple(some_of(names, count, rng))


def other_names(taken: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """``count`` more names of the sort that ``taken`` are of; fewer or none where that sort is unknown or used up."""
    sort = max(VOCABULARY, key=lambda key: len(set(VOCABULARY[key]).intersection(taken)))
    known = set(VOCABULARY[sort]).intersection(taken)
    rest = [name for name in VOCABULARY[sort] if name not in taken]
    return some_of(rest, min(count, len(rest)), rng) if 2 * len(known) > len(taken) else []
