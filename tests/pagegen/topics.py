"""What TTA is about: subjects with the words that a believable title and description need."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class World:
    """Who asks for such help: names of agencies with places for a place's parts, their types, and who is taught."""

    askers: tuple[str, ...]
    agency_types: tuple[str, ...]
    audiences: tuple[str, ...]


POLICE = World(
    ("{city} Police Department", "{county} Sheriff’s Office"),
    ("Law Enforcement",),
    ("Police Executives", "Line Officers", "Crime Analysts"),
)
JAIL = World(
    ("{county} Detention Center", "{state} Department of Corrections"),
    ("Corrections - Institutional", "Behavioral Health"),
    ("Jail Administrators", "Peer Support Specialists"),
)
COURT = World(
    ("{county} District Court", "{county} Pretrial Services", "{county} Public Defender"),
    ("Courts", "Indigent Defense", "Prosecution"),
    ("Judges", "Public Defenders", "Prosecutors"),
)
HEALTH = World(
    ("{county} Health Department", "{county} Behavioral Health"),
    ("Behavioral Health", "Law Enforcement"),
    ("Peer Support Specialists", "Grant Managers", "Line Officers"),
)
TRIBE = World(
    ("A Tribal court near {city}", "A Tribal wellness program in {state}"),
    ("Tribal Government", "Courts"),
    ("Tribal Leaders", "Judges", "Probation and Parole Officers"),
)
STATE = World(
    ("{state} Statistical Analysis Center", "{county} Criminal Justice Council"),
    ("State Administering Agency", "Law Enforcement", "Courts"),
    ("Crime Analysts", "Grant Managers"),
)
PROSECUTION = World(
    ("{county} District Attorney", "{state} Crime Laboratory"),
    ("Prosecution", "Law Enforcement"),
    ("Prosecutors", "Line Officers"),
)
PROBATION = World(
    ("{county} Probation Department", "{state} Division of Community Supervision"),
    ("Community Corrections", "Courts"),
    ("Probation and Parole Officers", "Judges"),
)
CITY = World(
    ("City of {city}", "{county} Office of Violence Prevention"),
    ("Law Enforcement", "Behavioral Health"),
    ("Peer Support Specialists", "Police Executives"),
)


@dataclass(frozen=True)
class Topic:
    """`areas` and `subtopics` are the record's terms; `other` fills the free-text area."""

    world: World
    areas: tuple[str, ...]
    subtopics: tuple[str, ...]
    titles: tuple[str, ...]
    need: str
    goals: tuple[str, ...]
    outcomes: tuple[str, ...]
    other: str


TOPICS = (
    Topic(
        POLICE,
        ("Substance Use", "Law Enforcement"),
        ("Deflection", "Overdose Prevention", "Other Program Areas"),
        ("Building a Deflection Pathway", "Officer-Led Referral to Treatment", "Deflection Data Roundtable"),
        "Officers meet the same people in crisis again and again, and have nowhere to take them but jail.",
        ("Map who can refer whom, and when", "Draft a one-page protocol for warm hand-offs", "Agree on three measures"),
        ("Fewer repeat contacts", "A treatment slot within two days of a referral", "A shared monthly report"),
        "first responder deflection, pre-arrest diversion",
    ),
    Topic(
        JAIL,
        ("Reentry", "Corrections"),
        ("Reentry Planning", "Employment", "Housing"),
        ("Reentry Planning from Day One", "Housing Navigation after Release", "Employer Roundtable on Second Chances"),
        "People leave the jail without identification, medication or a place to sleep.",
        ("Start release plans at intake", "Train peer navigators", "Write an agreement with two housing providers"),
        ("A release packet for every person", "Returns to custody tracked for a year"),
        "identification documents, benefits enrollment",
    ),
    Topic(
        COURT,
        ("Pretrial Justice", "Adjudication"),
        ("Pretrial Services", "Risk Assessment"),
        ("Pretrial Court Date Reminders", "Pretrial Release Decision Workshop", "Validation of a Pretrial Tool"),
        "A third of the jail's beds hold people who wait for a hearing and would have come by themselves.",
        ("Review release conditions of one year", "Set up text reminders", "Brief judges and counsel on findings"),
        ("Fewer missed court dates", "Shorter stays before trial"),
        "court date notification",
    ),
    Topic(
        POLICE,
        ("Law Enforcement",),
        ("Body-Worn Cameras", "Policy Review"),
        ("Body-Worn Camera Policy Review", "Body-Worn Camera Redaction and Storage", "Body-Worn Camera Peer Visit"),
        "The cameras arrived before the policy did, and requests for footage pile up.",
        ("Compare the policy with state law", "Estimate storage for five years", "Visit an agency of like size"),
        ("A policy ready for the council's vote", "Footage requests answered within ten days"),
        "digital evidence management",
    ),
    Topic(
        HEALTH,
        ("Substance Use",),
        ("Opioid Response", "Prescription Monitoring", "Overdose Fatality Review"),
        ("Overdose Fatality Review Start-up", "Opioid Response in Rural Counties", "Naloxone Leave-Behind Program"),
        "Fatal overdoses doubled within three years, and agencies hold parts of the story each.",
        ("Form a review team", "Agree on how to share case notes lawfully", "Hold two practice reviews"),
        ("A standing review team", "Recommendations to the county board twice a year"),
        "overdose fatality review, harm reduction",
    ),
    Topic(
        POLICE,
        ("Crime Prevention", "Law Enforcement"),
        ("Crime Analysis", "Data-Driven Strategies"),
        ("Crime Analysis Unit Assessment", "Analyst Training: From Maps to Action", "Shooting Reviews that Work"),
        "The one analyst spends the week on counts that nobody uses.",
        ("Look at every product and its reader", "Teach near-repeat and hot-spot methods", "Plan a weekly meeting"),
        ("Three products in place of eleven", "Deployment that follows the analysis"),
        "problem-solving, place-based investigation",
    ),
    Topic(
        TRIBE,
        ("Tribal Justice", "Adjudication"),
        ("Tribal Courts", "Tribal Healing to Wellness Courts"),
        ("Tribal Healing to Wellness Court Planning", "Tribal Code Development Session", "Tribal Probation Basics"),
        "The Nation wants a court that heals first, in its own words and ways.",
        ("Hear from elders and staff", "Outline phases and incentives", "Draft the participant handbook"),
        ("A handbook the council can adopt", "A team trained together"),
        "traditional dispute resolution",
    ),
    Topic(
        JAIL,
        ("Mental Health", "Corrections"),
        ("Jail Mental Health", "Screening and Assessment"),
        ("Jail Mental Health Screening", "Suicide Prevention in a Small Jail", "Stepping Up County Workshop"),
        "Screening at booking depends on who is at the desk.",
        ("Choose one validated screen", "Train all shifts", "Track screens, referrals and visits"),
        ("Everyone screened within a day", "A baseline of the four key measures"),
        "continuity of care, medication at release",
    ),
    Topic(
        COURT,
        ("Adjudication", "Substance Use"),
        ("Drug Courts", "Veterans Treatment Courts"),
        ("Drug Court Best Practice Review", "Veterans Treatment Court Mentors", "Equity in Treatment Court Entry"),
        "The court wants to know why fewer people enter it than qualify.",
        ("Follow fifty cases from arrest to entry", "Observe staffing and hearings", "Set an entry target"),
        ("Entry within thirty days", "A plan for each standard not yet met"),
        "treatment court coordination",
    ),
    Topic(
        STATE,
        ("Information Sharing", "Justice System Improvement"),
        ("Data Integration", "Information Sharing"),
        ("Justice Data Integration Roadmap", "Record Linkage for Frequent Users", "Data Quality Clinic for Reporting"),
        "Six systems describe the same person in six ways.",
        ("List systems, owners and keys", "Test a linkage on one year of bookings", "Write a data-sharing agreement"),
        ("A roadmap with costs", "A first shared dashboard"),
        "incident-based reporting, master person index",
    ),
    Topic(
        PROSECUTION,
        ("Crime Victims", "Prosecution"),
        ("Sexual Assault Kit Initiative", "Victim Services"),
        ("Sexual Assault Kit Inventory", "Victim Notification Practices", "Cold Case Prosecution Workshop"),
        "Untested kits were found in a second property room.",
        ("Complete the inventory", "Draft a notification protocol with advocates", "Set testing priorities"),
        ("Every kit counted", "A protocol that victims helped to write"),
        "forensic genetic genealogy",
    ),
    Topic(
        PROBATION,
        ("Community Corrections", "Justice System Improvement"),
        ("Probation Reform", "Swift and Certain Sanctions", "Other Program Areas"),
        ("Probation Caseload Redesign", "Incentives in Community Supervision", "Supervision Fee Review"),
        "Officers carry caseloads of 140 and see everyone equally seldom.",
        ("Sort caseloads by need", "Teach brief interventions", "Pilot incentives in two units"),
        ("Caseloads under sixty for high need", "Fewer technical violations"),
        "fines and fees, workload study",
    ),
    Topic(
        POLICE,
        ("Law Enforcement", "Mental Health"),
        ("Crisis Response", "Officer Wellness"),
        ("Crisis Co-Responder Model Design", "Officer Wellness Peer Support", "988 and 911 Call Diversion"),
        "Call takers have one answer to a mental health crisis: a patrol car.",
        ("Sort a year of calls", "Compare three models of response", "Plan shared protocols with the crisis line"),
        ("A tenth of crisis calls answered without police", "A peer team of twelve"),
        "call triage, mobile crisis teams",
    ),
    Topic(
        CITY,
        ("Crime Prevention",),
        ("Community Violence Intervention", "Youth Violence"),
        ("Violence Interruption Start-up", "School Safety Threat Assessment", "Youth Listening Sessions"),
        "Two neighborhoods account for half of the shootings, and residents are tired of plans without them.",
        ("Hire messengers people trust", "Set rules for what is shared with police", "Review each shooting weekly"),
        ("A team at work before summer", "Fewer retaliations"),
        "hospital-based intervention",
    ),
)
