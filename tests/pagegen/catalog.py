"""The labels of a TTA page (DOMAIN.md), with the machine names, Drupal field types and record columns that go with
them.

The labels are those seen on real pages. The machine names are made up, as nobody outside has seen the real ones:
tests may rely on a name being carried over from the page's classes, never on a name meaning something.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "string",
    "long",
    "reference",
    "date",
    "range",
    "yes_no",
    "on_off",
    "geo",
    "number",
    "email",
    "telephone",
    "markup",
    "group",
]

TYPE_CLASS: dict[Kind, str] = {
    "string": "string",
    "long": "string-long",
    "reference": "entity-reference",
    "date": "datetime",
    "range": "daterange",
    "yes_no": "boolean",
    "on_off": "boolean",
    "geo": "geofield",
    "number": "integer",
    "email": "email",
    "telephone": "telephone",
    "markup": "markup",
    "group": "entity-reference-revisions",
}

ARRAY_COLUMNS = frozenset(
    {
        "agency_types",
        "point_of_contact",
        "special_populations",
        "target_audience",
        "program_areas",
        "program_area_subtopics",
        "demographic_gender",
        "demographic_age",
        "demographic_race",
        "demographic_ethnicity",
        "demographic_other",
    }
)


@dataclass(frozen=True)
class Spec:
    """One kind of field: `multiple` is Drupal's cardinality (more than one allowed), whatever number of values a
    record has.
    """

    label: str
    name: str
    kind: Kind
    column: str | None = None
    multiple: bool = False


def _specs(*rows: tuple[str, str, Kind, str | None, bool]) -> dict[str, Spec]:
    return {row[0]: Spec(*row) for row in rows}


OTHER_AREA = "If your program area sub-topic is one of the 'Other Program Areas', please describe below"
EVIDENCE = "Is this TTA in support of implementing or maintaining an evidence-based or promising practice?"
EMERGING = "Is this TTA in response to emerging public safety needs?"

# In the order in which a page prints them.
FIELDS = _specs(
    ("TTA Short Name", "field_tta_short_name", "string", "short_name", False),
    ("Status of Deliverable", "field_status_of_deliverable", "reference", "status", False),
    ("Status Changed", "field_status_changed", "date", "status_changed_at", False),
    ("Type of Agency", "field_type_of_agency", "reference", "agency_types", True),
    ("Provider Reference", "field_provider_reference", "reference", "provider_reference", True),
    ("Special Populations", "field_special_populations", "reference", "special_populations", True),
    ("TTA Title", "field_tta_title", "string", "tta_title", False),
    ("TTA Point of Contact", "field_tta_point_of_contact", "reference", "point_of_contact", True),
    ("TTAR Source", "field_ttar_source", "reference", "ttar_source", False),
    ("Category", "field_category", "reference", "category", False),
    ("Deliverable Markup for Questions", "field_deliverable_markup", "markup", None, False),
    (EVIDENCE, "field_evidence_based_practice", "yes_no", "evidence_based", False),
    (EMERGING, "field_emerging_needs", "yes_no", "emerging_need", False),
    ("Demographic - Gender", "field_demographic_gender", "reference", "demographic_gender", True),
    ("Target Audience", "field_target_audience", "reference", "target_audience", True),
    ("County", "field_county", "string", "county", False),
    ("TTA Program Area", "field_tta_program_area", "reference", "program_areas", True),
    ("Program Area - Sub Topics", "field_program_area_sub_topics", "reference", "program_area_subtopics", True),
    ("TTA Source", "field_tta_source", "reference", "tta_source", False),
    (OTHER_AREA, "field_other_program_area", "string", "other_program_area", False),
    ("Demographic - Age", "field_demographic_age", "reference", "demographic_age", True),
    ("Demographic - Race", "field_demographic_race", "reference", "demographic_race", True),
    ("TTA Estimated Costs", "field_tta_estimated_costs", "reference", "estimated_cost", False),
    ("BJA Grant Manager", "field_bja_grant_manager", "reference", "bja_grant_manager", False),
    ("Demographic - Ethnicity", "field_demographic_ethnicity", "reference", "demographic_ethnicity", True),
    ("Demographic - Other", "field_demographic_other", "reference", "demographic_other", True),
    ("Recipient Agency Scope", "field_recipient_agency_scope", "yes_no", "recipient_agency_scope", False),
    ("Primary Recipient Agency Name", "field_primary_recipient_agency", "number", None, False),
    ("Contact Name", "field_contact_name", "string", None, False),
    ("Email Address", "field_email_address", "email", None, False),
    ("Event Date Markup", "field_event_date_markup", "markup", None, False),
    ("Display event on public TTA Catalog", "field_display_event", "yes_no", "in_public_catalog", False),
    ("Demographics Markup", "field_demographics_markup", "markup", None, False),
    ("Milestones Markup", "field_milestones_markup", "markup", None, False),
    ("Milestone", "field_milestone", "group", None, True),
    ("Performance Metrics Markup", "field_performance_metrics_markup", "markup", None, False),
    ("Performance Metrics", "field_performance_metrics", "group", None, True),
    ("TTA Event Date", "field_tta_event_date", "range", None, False),
    ("Cover Letter Instructions", "field_cover_letter_instructions", "markup", None, False),
    ("I Agree", "field_i_agree", "on_off", "agreed", False),
    ("Archived", "field_archived", "on_off", "archived", False),
    ("Event Location Geo", "field_event_location_geo", "geo", None, False),
    ("Remote TTAC ID", "field_remote_ttac_id", "number", "remote_ttac_id", False),
)

MILESTONE_FIELDS = _specs(
    ("Milestone Title", "field_milestone_title", "string", None, False),
    ("Milestone Description", "field_milestone_description", "long", None, False),
    ("Milestone Projected Date", "field_milestone_projected_date", "date", None, False),
    ("Milestone Completed Date", "field_milestone_completed_date", "date", None, False),
    ("Milestone Status", "field_milestone_status", "reference", None, False),
    ("Milestone Notes", "field_milestone_notes", "long", None, False),
)

METRIC_FIELDS = _specs(
    ("Metric Question", "field_metric_question", "string", None, False),
    ("Metric Answer", "field_metric_answer", "long", None, False),
)

# Labels that nobody has listed; "Markups Received" contains a word that looks like an instruction field's and is data.
UNKNOWN_FIELDS = _specs(
    ("Markups Received", "field_markups_received", "number", None, False),
    ("Travel Authorization Number", "field_travel_authorization", "string", None, False),
    ("Delivery Language", "field_delivery_language", "reference", None, True),
    ("Follow-up Call Date", "field_follow_up_call_date", "date", None, False),
    ("Lessons Learned", "field_lessons_learned", "long", None, False),
    ("Is a language interpreter needed?", "field_interpreter_needed", "yes_no", None, False),
    ("Site Coordinator Phone", "field_site_coordinator_phone", "telephone", None, False),
    ("Number of Attendees (estimated)", "field_attendees_estimated", "number", None, False),
    ("Año fiscal", "field_ano_fiscal", "string", None, False),
)

ALL_LABELS = tuple(FIELDS)
