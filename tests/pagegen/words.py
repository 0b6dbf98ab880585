"""The words records are made of: terms, invented people, instruction texts. Everything about persons and mail is made
up.
"""

from __future__ import annotations

from tests.pagegen.content import Block, Bullets, Paragraph

TERMS: dict[str, tuple[str, ...]] = {
    "Status of Deliverable": ("Completed", "In Progress", "Approved", "Not Started", "On Hold", "Cancelled"),
    "Type of Agency": (
        "Law Enforcement",
        "Courts",
        "Corrections - Institutional",
        "Community Corrections",
        "Prosecution",
        "Indigent Defense",
        "Tribal Government",
        "Behavioral Health",
        "State Administering Agency",
    ),
    "Special Populations": (
        "Veterans",
        "Persons with Disabilities",
        "Persons Experiencing Homelessness",
        "Rural Residents",
    ),
    "TTAR Source": ("NTTAC Request", "Provider Reported", "BJA Referral", "Conference Inquiry"),
    "Category": (
        "Training - In Person",
        "Training - Distance",
        "Technical Assistance - On-site",
        "Technical Assistance - Remote",
        "Peer-to-Peer Visit",
        "Publication or Tool",
        "Webinar",
    ),
    "Demographic - Gender": ("All genders", "Women", "Men"),
    "Target Audience": (
        "Police Executives",
        "Line Officers",
        "Judges",
        "Probation and Parole Officers",
        "Jail Administrators",
        "Prosecutors",
        "Public Defenders",
        "Crime Analysts",
        "Peer Support Specialists",
        "Tribal Leaders",
        "Grant Managers",
    ),
    "TTA Source": ("BJA Training and Technical Assistance Grant", "Cooperative Agreement", "Contract"),
    "Demographic - Age": ("Juveniles (under 18)", "Young Adults (18-24)", "Adults (25-64)", "Older Adults (65+)"),
    "Demographic - Race": (
        "American Indian or Alaska Native",
        "Asian",
        "Black or African American",
        "White",
        "All races",
    ),
    "Demographic - Ethnicity": ("Hispanic or Latino", "Not Hispanic or Latino", "All ethnicities"),
    "Demographic - Other": ("Limited English Proficiency", "Low Income", "Formerly Incarcerated", "LGBTQ+"),
    "TTA Estimated Costs": (
        "Under $5,000",
        "$5,000 - $9,999",
        "$10,000 - $24,999",
        "$25,000 - $49,999",
        "$50,000 or more",
    ),
    "Delivery Language": ("English", "Spanish", "Diné Bizaad", "Tiếng Việt"),
    "Milestone Status": ("Completed", "In Progress", "Not Started", "Delayed"),
}

PROVIDERS = (
    "Harbor Point Justice Institute",
    "Prairie Center for Court Innovation",
    "Three Rivers Policy Group",
    "Northern Lights Tribal Justice Collaborative",
    "Cedar Street Research Associates",
    "Bluestem Reentry Network",
    "Lakeshore Public Safety Alliance",
    "Open Door Behavioral Health Partners",
)

FIRST_NAMES = (
    *("Ada", "Benicio", "Carmen", "Dalia", "Emeka", "Fern", "Gideon", "Hanneke", "Ivo", "Joaquín", "Keiko", "Lorne"),
    *("Maëlle", "Nadia", "Ocean", "Priya", "Quincy", "Rosalind", "Søren", "Tavita", "Ulla", "Viggo", "Wynn", "Zora"),
)
LAST_NAMES = (
    *("Abernathy-Okoye", "Brightwater", "Castellanos", "Dunmore", "Eastlake", "Fairweather", "Grünwald", "Hollowell"),
    *(
        "Ironcloud",
        "Juniper",
        "Kestrel",
        "Lindqvist",
        "Marrow",
        "Nighthorse",
        "O'Dell",
        "Penhaligon",
        "Quill",
        "Rookwood",
    ),
    *("Sandoval", "Thistlewood", "Umber", "Vantongeren", "Whitlock", "Yarrow"),
)

LETTER = (
    "Please submit a signed letter of support from your agency’s executive or other senior staff member. "
    "The letter can be emailed to or uploaded with this request. The letter should be submitted on official letterhead "
    "and include the following information:"
)
LETTER_CONTENT = (
    "General information regarding the request for TTA services, i.e., the who, what, where, when, and why.",
    "The organizational and/or community needs specific to the request for TTA services.",
    "The benefits or anticipated outcomes from the receipt of TTA services.",
)
AGREEMENT = (
    "By submitting this application to BJA NTTAC, I understand that upon approval of this application for TTA, the "
    "requestor agrees to keep BJA NTTAC informed of any circumstances that may impact the delivery of the TTA, "
    "including changes in the date of the event, event cancellation, or difficulties communicating with the assigned "
    "TTA provider."
)
INSTRUCTIONS: dict[str, tuple[Block, ...]] = {
    "Deliverable Markup for Questions": (
        Paragraph(("Please check the box next to the following questions if the answer is 'yes'.",)),
    ),
    "Event Date Markup": (
        Paragraph(
            (
                "Please enter the applicable Event Date if there is an Event associated with this TTA.",
                "When entering an Event Date, the Time is also required.",
            )
        ),
    ),
    "Demographics Markup": (
        Paragraph(("If the TTA is targeted to a particular audience or location, please complete the questions below.",)),
    ),
    "Milestones Markup": (
        Paragraph(
            (
                "Milestones are an element, activity, work product, or key task associated with completing the TTA "
                "(e.g. kick-off meeting, collect data from stake holders, deliver initial data analysis).",
            )
        ),
        Paragraph(("Please complete the fields below, if applicable, to create a milestone for this TTA.",)),
    ),
    "Performance Metrics Markup": (
        Paragraph(
            (
                "Please respond to the Performance Metrics below.\xa0 The Performance Metrics questions are based on "
                "the TTA Type indicated in the General Information section of the TTA.",
            )
        ),
    ),
    "Cover Letter Instructions": (
        Paragraph((LETTER,)),
        Bullets(tuple((item, ()) for item in LETTER_CONTENT), ordered=True),
        Paragraph((AGREEMENT,)),
        Paragraph(("Please call [site:phone] if you need further assistance completing this application.",)),
    ),
}

MILESTONES = (
    ("Kick-off meeting", "Agree on goals, roles and the calendar with the site's team."),
    ("Document review", "Read policies, forms and the latest two years of reports."),
    ("Stakeholder interviews", "Talk with twelve to fifteen people from all partner agencies."),
    ("Data collection", "Receive the extract from the records system and check it for gaps."),
    ("Process map", "Draw the path of a case from first contact to closure."),
    ("Draft curriculum", "Send the first version of slides and exercises for comment."),
    ("Deliver training", "Hold the sessions and collect evaluations."),
    ("Final report", "Send findings and recommendations; hold a closing call."),
)

METRICS = (
    ("How many individuals received the TTA?", ("14", "38", "112", "260")),
    ("How many agencies took part?", ("1", "3", "9")),
    ("What percentage of participants rated the TTA as satisfactory or better?", ("91%", "97%", "100%")),
    (
        "Describe what changed at the site as a result of the TTA.",
        (
            "The county adopted a shared referral form in the second month.\nStaff report shorter waits between "
            "booking and screening; the first quarterly report is due in autumn.",
            "Not yet known: the follow-up survey goes out ninety days after delivery.",
        ),
    ),
)
