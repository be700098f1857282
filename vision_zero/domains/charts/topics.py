"""What made-up charts are about: names of one sort, and subjects, units and ranges as they occur in real statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

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


class Measure(NamedTuple):
    """A quantity of things. ``decimals`` may be negative: -2 rounds to hundreds. ``splits`` are sorts of series that it can
    be divided by, and amounts of an ``additive`` measure may be stacked."""

    title: str
    value: str
    unit: str
    low: float
    high: float
    decimals: int
    subjects: tuple[str, ...]
    splits: tuple[str, ...] = ()
    additive: bool = False


class Whole(NamedTuple):
    """Something that is divided into parts of 100 %, for one of ``columns`` or over years."""

    title: str
    parts: str
    columns: tuple[str, ...]


class Relation(NamedTuple):
    """Two quantities of the same things, and how strongly they go together (-1 to 1)."""

    title: str
    across: tuple[str, str, float, float, int]
    up: tuple[str, str, float, float, int]
    groups: str
    strength: float


class Spread(NamedTuple):
    """A quantity that varies among the members of each category."""

    title: str
    value: str
    unit: str
    low: float
    high: float
    decimals: int
    subjects: str


class Bins(NamedTuple):
    """A quantity counted in bins of equal width, which start at one of ``starts``."""

    title: str
    value: str
    starts: tuple[float, ...]
    width: float
    counted: str
    most: float


class Grid(NamedTuple):
    """A quantity for every pair of a row and a column."""

    title: str
    value: str
    unit: str
    low: float
    high: float
    decimals: int
    columns: str
    rows: str


MEASURES: tuple[Measure, ...] = (
    Measure("Internet users", "Share of population", "%", 22, 98, 0, ("countries", "continents"), ("genders", "places")),
    Measure("Renewable share of electricity", "Share", "%", 6, 92, 0, ("countries", "states")),
    Measure("Life expectancy at birth", "Life expectancy", "years", 56, 85, 1, ("countries", "continents"), ("genders",)),
    Measure("Unemployment rate", "Rate", "%", 2.4, 19, 1, ("countries", "states", "ages"), ("genders",)),
    Measure("Forest area", "Share of land", "%", 5, 74, 0, ("countries", "states")),
    Measure("CO₂ emissions per person", "Emissions", "tonnes", 0.8, 17, 1, ("countries",)),
    Measure("Electricity consumption", "Consumption", "TWh", 20, 640, -1, ("countries", "states"), ("places",), True),
    Measure("Electricity generation by source", "Generation", "TWh", 8, 190, 0, ("energy",), (), True),
    Measure("International tourist arrivals", "Arrivals", "million", 1.5, 38, 1, ("countries", "cities"), (), True),
    Measure("Population", "Inhabitants", "million", 0.6, 14, 1, ("cities",)),
    Measure("Monthly rent of a two-room flat", "Rent", "US$", 420, 2900, -1, ("cities", "states")),
    Measure("Annual rainfall", "Rainfall", "mm", 180, 1650, -1, ("cities",)),
    Measure("Average temperature", "Temperature", "°C", 4, 31, 1, ("cities",)),
    Measure("Harvest of major crops", "Harvest", "million tonnes", 4, 165, 0, ("crops",), (), True),
    Measure("Fruit sold at the market", "Sales", "tonnes", 12, 240, 0, ("fruit",), ("crowd",), True),
    Measure("Drinks sold per day", "Cups and bottles", "", 25, 480, 0, ("drinks",), ("crowd",), True),
    Measure("Members of sports clubs", "Members", "thousand", 14, 620, 0, ("sports",), ("genders", "ages"), True),
    Measure("Calories burned per hour", "Energy", "kcal", 180, 820, -1, ("sports",), ("genders",)),
    Measure("Units sold", "Sales", "thousand", 12, 410, 0, ("devices", "vehicles"), ("continents",), True),
    Measure("Average price of new devices", "Price", "€", 90, 1450, -1, ("devices",)),
    Measure("Revenue by department", "Revenue", "million €", 1.2, 26, 1, ("departments",), ("quarters",), True),
    Measure("Employees by department", "Employees", "", 12, 340, 0, ("departments",), ("genders",), True),
    Measure("Revenue of our shops", "Revenue", "thousand US$", 35, 480, 0, ("stores",), ("quarters",), True),
    Measure("Customers per day", "Customers", "", 60, 1450, -1, ("stores", "days"), ("crowd",), True),
    Measure("Average mark in final exams", "Mark", "points", 38, 96, 0, ("subjects",), ("genders",)),
    Measure("Median yearly salary", "Salary", "thousand US$", 28, 148, 0, ("jobs", "schooling", "ages"), ("genders",)),
    Measure("Open positions", "Positions", "", 45, 980, -1, ("jobs", "languages"), ("places",), True),
    Measure("Developers who use the language", "Share", "%", 3, 68, 0, ("languages",)),
    Measure("Listeners by genre", "Listeners", "million", 1.4, 34, 1, ("music",), ("ages",), True),
    Measure("Film releases by genre", "Films", "", 14, 260, 0, ("films",), (), True),
    Measure("Trust in the media", "Share who trust it", "%", 14, 81, 0, ("media",), ("genders", "ages")),
    Measure("Minutes spent per day", "Time", "minutes", 8, 155, 0, ("media", "ages"), ("genders",)),
    Measure("Deaths by cause", "Deaths", "per 100,000", 12, 290, 0, ("causes",), ("genders",), True),
    Measure("Household spending", "Spending", "€ per month", 40, 980, -1, ("spending",), ("places",), True),
    Measure("Animals counted in the reserve", "Sightings", "", 6, 180, 0, ("animals",), (), True),
    Measure("Trees planted", "Trees", "thousand", 2, 95, 0, ("trees",), ("places",), True),
    Measure("Household waste", "Waste", "kg per person", 6, 140, 0, ("waste",), ("places",), True),
    Measure("Visits by channel", "Visits", "thousand", 4, 210, 0, ("channels",), ("crowd",), True),
    Measure("Medals won", "Medals", "", 2, 46, 0, ("countries", "teams"), ("medals",), True),
    Measure("Points in the league", "Points", "", 18, 92, 0, ("teams",)),
    Measure("Goals scored", "Goals", "", 14, 96, 0, ("teams",)),
    Measure("Commuters by means of transport", "Commuters", "thousand", 6, 320, 0, ("transport",), ("places",), True),
    Measure("Voter turnout", "Turnout", "%", 41, 91, 0, ("countries", "ages", "states")),
    Measure("Smartphone ownership", "Share of adults", "%", 24, 97, 0, ("countries", "ages", "schooling"), ("genders", "places")),
)

WHOLES: tuple[Whole, ...] = (
    Whole("Electricity mix", "energy", ("countries", "states")),
    Whole("How people get to work", "transport", ("cities", "ages")),
    Whole("What households spend their money on", "spending", ("countries", "ages")),
    Whole("Where people get their news", "media", ("countries", "ages")),
    Whole("Traffic by channel", "channels", ("stores", "months")),
    Whole("Composition of household waste", "waste", ("cities", "countries")),
    Whole("Satisfied with life: answers to a survey", "answers", ("countries", "ages")),
    Whole("Frequency of online shopping", "use", ("countries", "ages")),
    Whole("Forest by type of tree", "trees", ("countries", "states")),
    Whole("Market share of vehicles", "vehicles", ("countries", "continents")),
    Whole("Favourite music genre", "music", ("ages", "countries")),
    Whole("Box-office revenue by genre", "films", ("countries", "quarters")),
    Whole("Visitors of the museum", "crowd", ("months", "days")),
    Whole("Farmland by crop", "crops", ("states", "countries")),
    Whole("Staff by department", "departments", ("cities", "stores")),
)

RELATIONS: tuple[Relation, ...] = (
    Relation(
        "Wealth and health",
        ("GDP per person", "thousand US$", 2, 78, 1),
        ("Life expectancy", "years", 54, 84, 1),
        "continents",
        0.8,
    ),
    Relation("Study time and results", ("Hours of study", "hours", 1, 38, 1), ("Score", "points", 32, 98, 0), "subjects", 0.8),
    Relation("Size and price of flats", ("Floor space", "m²", 24, 148, 0), ("Price", "thousand €", 90, 860, 0), "cities", 0.85),
    Relation("Age and value of used cars", ("Age", "years", 1, 17, 1), ("Price", "thousand US$", 2.5, 38, 1), "vehicles", -0.85),
    Relation("Temperature and ice cream", ("Temperature", "°C", 8, 36, 1), ("Portions sold", "", 30, 520, 0), "stores", 0.85),
    Relation("Height and weight", ("Height", "cm", 148, 198, 0), ("Weight", "kg", 44, 108, 0), "genders", 0.7),
    Relation("Advertising and sales", ("Budget", "thousand €", 2, 58, 1), ("Sales", "thousand €", 40, 460, 0), "channels", 0.7),
    Relation("Height and girth of trees", ("Girth", "cm", 20, 260, 0), ("Height", "m", 4, 39, 1), "trees", 0.75),
    Relation("Sleep and reaction time", ("Sleep", "hours", 3.5, 9.5, 1), ("Reaction time", "ms", 190, 420, 0), "ages", -0.7),
    Relation("Attack and defence", ("Goals scored", "", 18, 92, 0), ("Goals conceded", "", 20, 88, 0), "teams", -0.4),
)

SPREADS: tuple[Spread, ...] = (
    Spread("Exam results", "Score", "points", 18, 99, 0, "subjects"),
    Spread("Way to work", "Travel time", "minutes", 5, 88, 0, "cities"),
    Spread("Salaries", "Yearly salary", "thousand US$", 22, 165, 0, "jobs"),
    Spread("Delivery times", "Time", "hours", 4, 78, 0, "stores"),
    Spread("Daily temperatures", "Temperature", "°C", -4, 38, 1, "months"),
    Spread("Screen time", "Time", "minutes per day", 15, 340, 0, "ages"),
    Spread("Height of trees", "Height", "m", 3, 41, 1, "trees"),
    Spread("Rents", "Monthly rent", "€", 310, 2450, -1, "cities"),
    Spread("Length of films", "Length", "minutes", 68, 182, 0, "films"),
    Spread("Age of players", "Age", "years", 17, 39, 0, "teams"),
)

BINS: tuple[Bins, ...] = (
    Bins("Age of visitors", "Age (years)", (0, 10, 20), 10, "Visitors", 320),
    Bins("Exam scores", "Score (points)", (0, 20, 30), 10, "Students", 64),
    Bins("Waiting times", "Waiting time (minutes)", (0,), 5, "Patients", 140),
    Bins("Household income", "Income (thousand €)", (0, 10), 20, "Households", 880),
    Bins("Height of pupils", "Height (cm)", (120, 130), 5, "Pupils", 75),
    Bins("Length of phone calls", "Length (minutes)", (0,), 2, "Calls", 460),
    Bins("Weight of parcels", "Weight (kg)", (0,), 1, "Parcels", 950),
    Bins("Speed of passing cars", "Speed (km/h)", (20, 30), 10, "Cars", 540),
    Bins("Daily steps", "Steps (thousand)", (0, 2), 2, "Days", 96),
)

GRIDS: tuple[Grid, ...] = (
    Grid("Average temperature", "Temperature", "°C", 2, 34, 0, "months", "cities"),
    Grid("Visitors of the swimming pool", "Visitors", "", 10, 280, 0, "hours", "days"),
    Grid("Rainfall", "Rainfall", "mm", 4, 190, 0, "months", "cities"),
    Grid("Sales by shop", "Sales", "thousand €", 12, 98, 0, "days", "stores"),
    Grid("Trains on time", "Share", "%", 52, 99, 0, "days", "cities"),
    Grid("Trust in the media by age", "Share", "%", 9, 86, 0, "ages", "media"),
    Grid("Marks by subject", "Mark", "points", 41, 97, 0, "subjects", "teams"),
    Grid("Accidents by means of transport", "Accidents", "", 3, 140, 0, "months", "transport"),
    Grid("Medals by sport", "Medals", "", 0, 38, 0, "sports", "countries"),
)
