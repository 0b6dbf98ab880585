"""Real American counties with a point well inside each, so that a map of made-up records looks like one of
real ones.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A county seat or large city; degrees, WGS 84."""

    city: str
    county: str
    state: str
    longitude: float
    latitude: float


PLACES = tuple(
    Place(*row)
    for row in (
        ("Boston", "Suffolk County", "Massachusetts", -71.0720, 42.3400),
        ("Worcester", "Worcester County", "Massachusetts", -71.8023, 42.2626),
        ("Portland", "Cumberland County", "Maine", -70.2785, 43.6606),
        ("Burlington", "Chittenden County", "Vermont", -73.2005, 44.4759),
        ("Manchester", "Hillsborough County", "New Hampshire", -71.4548, 42.9956),
        ("Providence", "Providence County", "Rhode Island", -71.4290, 41.8240),
        ("Buffalo", "Erie County", "New York", -78.8500, 42.8864),
        ("Rochester", "Monroe County", "New York", -77.6109, 43.1566),
        ("Pittsburgh", "Allegheny County", "Pennsylvania", -79.9959, 40.4406),
        ("Columbus", "Franklin County", "Ohio", -82.9988, 39.9612),
        ("Cleveland", "Cuyahoga County", "Ohio", -81.6900, 41.4700),
        ("Detroit", "Wayne County", "Michigan", -83.1000, 42.3500),
        ("Indianapolis", "Marion County", "Indiana", -86.1581, 39.7684),
        ("Chicago", "Cook County", "Illinois", -87.7000, 41.8500),
        ("Milwaukee", "Milwaukee County", "Wisconsin", -87.9500, 43.0389),
        ("Madison", "Dane County", "Wisconsin", -89.4012, 43.0731),
        ("Minneapolis", "Hennepin County", "Minnesota", -93.2900, 44.9600),
        ("Des Moines", "Polk County", "Iowa", -93.6250, 41.5868),
        ("Kansas City", "Jackson County", "Missouri", -94.5500, 39.0500),
        ("Wichita", "Sedgwick County", "Kansas", -97.3301, 37.6872),
        ("Omaha", "Douglas County", "Nebraska", -96.0100, 41.2565),
        ("Rapid City", "Pennington County", "South Dakota", -103.2310, 44.0805),
        ("Fargo", "Cass County", "North Dakota", -96.8300, 46.8772),
        ("Billings", "Yellowstone County", "Montana", -108.5007, 45.7833),
        ("Boise", "Ada County", "Idaho", -116.2023, 43.6150),
        ("Cheyenne", "Laramie County", "Wyoming", -104.8202, 41.1400),
        ("Denver", "Denver County", "Colorado", -104.9800, 39.7392),
        ("Salt Lake City", "Salt Lake County", "Utah", -111.8910, 40.7000),
        ("Albuquerque", "Bernalillo County", "New Mexico", -106.6504, 35.0844),
        ("Phoenix", "Maricopa County", "Arizona", -112.0740, 33.4484),
        ("Window Rock", "Apache County", "Arizona", -109.1500, 35.6700),
        ("Reno", "Washoe County", "Nevada", -119.8138, 39.5296),
        ("Sacramento", "Sacramento County", "California", -121.4400, 38.5600),
        ("Fresno", "Fresno County", "California", -119.7871, 36.7378),
        ("Portland", "Multnomah County", "Oregon", -122.5700, 45.5152),
        ("Seattle", "King County", "Washington", -122.2900, 47.6000),
        ("Anchorage", "Anchorage Municipality", "Alaska", -149.8500, 61.1900),
        ("Houston", "Harris County", "Texas", -95.3698, 29.7604),
        ("El Paso", "El Paso County", "Texas", -106.4000, 31.8000),
        ("Oklahoma City", "Oklahoma County", "Oklahoma", -97.4800, 35.5000),
        ("Little Rock", "Pulaski County", "Arkansas", -92.3300, 34.7465),
        ("Baton Rouge", "East Baton Rouge Parish", "Louisiana", -91.1200, 30.4500),
        ("Jackson", "Hinds County", "Mississippi", -90.2500, 32.2988),
        ("Birmingham", "Jefferson County", "Alabama", -86.8104, 33.5186),
        ("Nashville", "Davidson County", "Tennessee", -86.7816, 36.1627),
        ("Louisville", "Jefferson County", "Kentucky", -85.7000, 38.2000),
        ("Charleston", "Kanawha County", "West Virginia", -81.6326, 38.3498),
        ("Richmond", "Henrico County", "Virginia", -77.3500, 37.5300),
        ("Charlotte", "Mecklenburg County", "North Carolina", -80.8431, 35.2271),
        ("Columbia", "Richland County", "South Carolina", -80.9800, 34.0300),
        ("Atlanta", "Fulton County", "Georgia", -84.4000, 33.7600),
        ("Tampa", "Hillsborough County", "Florida", -82.4300, 27.9700),
        ("Wilmington", "New Castle County", "Delaware", -75.5700, 39.7300),
        ("Baltimore", "Baltimore County", "Maryland", -76.6000, 39.4500),
        ("Trenton", "Mercer County", "New Jersey", -74.7200, 40.2600),
    )
)
