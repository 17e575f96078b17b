"""What every code of a refusal means, why it usually comes, and what to do: for the page that `doc_url` names.

It imports nothing heavy, so that a command line can read it, too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """One code in words: what it says, usual causes, the cure."""

    what: str
    causes: tuple[str, ...]
    cure: str


# By `error.code`.
MEANINGS: dict[str, Meaning] = {
    "invalid_json": Meaning(
        "The body cannot be read as one JSON document.",
        (
            "A comma or a quote is missing, or a shell has eaten the quotes.",
            "A member stands twice, or there is a `NaN`, an `Infinity` or text that is not UTF-8.",
            "The body is empty where one is needed.",
        ),
        "Send one JSON object in UTF-8. `message` tells where reading stopped.",
    ),
    "invalid_header": Meaning(
        "A header of the call cannot be read.",
        (
            "`If-Match` without double quotes around the version.",
            "`Idempotency-Key` that is empty, longer than 255 characters, or sent twice.",
            "`StatusPulse-Team` that is missing with a token of several teams, or names none of them.",
        ),
        "`error.param` names the header; `message` shows the form that is taken.",
    ),
    "invalid_cursor": Meaning(
        "The cursor does not belong to this list.",
        ("A filter was changed between two pages.", "The cursor was cut or comes from another list or team."),
        "Begin again without `cursor`, and keep the filters until `has_more` is false.",
    ),
    "invalid_request": Meaning(
        "The call contradicts itself.",
        ("It carries two credentials.",),
        "Send one `Authorization` header.",
    ),
    "token_missing": Meaning(
        "The call carries no bearer token.",
        ("The header `Authorization` is missing, or has another scheme than Bearer.", "A proxy removed the header."),
        "Send `Authorization: Bearer sk_live_…`. The query string is never read for tokens.",
    ),
    "token_invalid": Meaning(
        "The token is none of this instance.",
        (
            "It was copied with a character too few, or belongs to another instance.",
            "The variable that should hold it is empty.",
        ),
        "Check the token; `statuspulse admin token list` on the server shows how those that exist begin and end.",
    ),
    "token_expired": Meaning(
        "The token has ended.",
        ("Its `expires_at` has passed.", "It was rotated, and the time in which both secrets worked is over."),
        "Make a new one: `POST /v1/tokens`, or `statuspulse admin token create` on the server.",
    ),
    "token_revoked": Meaning(
        "The token was revoked, for good.",
        ("Somebody called `DELETE /v1/tokens/{id}`; the audit log tells who.",),
        "Make a new one and give it to whoever still uses the old one.",
    ),
    "scope_insufficient": Meaning(
        "The token is good and may not do this.",
        (
            "It lacks the scope that `error.details[0].required_scope` names.",
            "It gives away more than it has itself: scopes, networks or a later end.",
            "Only tokens of the first team make teams and write probes.",
        ),
        "Use a token with that scope. `GET /v1/me` tells what a token may do.",
    ),
    "ip_not_allowed": Meaning(
        "The token does not work from this address.",
        (
            "The call comes from outside of the token's `ip_allowlist`.",
            "A proxy stands between and is not in `STATUSPULSE_TRUSTED_PROXIES`, so that its address counts.",
        ),
        "Call from one of the token's networks. `GET /v1/me` with another token shows the address that is seen.",
    ),
    "limit_reached": Meaning(
        "The instance keeps no more of these.",
        ("A quota that the operator has set is used up.",),
        "Delete what is not needed any more, or ask the operator for more.",
    ),
    "resource_missing": Meaning(
        "There is no such object in your team.",
        (
            "The id has a typing error, or the object was deleted.",
            "The object belongs to another team, which answers exactly alike.",
        ),
        "Look for it in the list of its kind. `GET /v1/me` tells the team of the token.",
    ),
    "route_not_found": Meaning(
        "There is no such path.",
        ("A typing error, or `/v1` is missing.", "A newer version of StatusPulse has the path."),
        "`GET /v1/openapi.json` has every path of the running version.",
    ),
    "method_not_allowed": Meaning(
        "The path exists and takes other methods.",
        ("POST where PUT or PATCH is meant.", "A redirect of a proxy turned POST into GET."),
        "The header `Allow` names the methods.",
    ),
    "incident_already_resolved": Meaning(
        "The incident is over.",
        ("Somebody, or the monitor itself, resolved it first.",),
        'Nothing is left to do. To open it again send `"state": "triggered"` with `"reopen": true`.',
    ),
    "incident_not_open": Meaning(
        "The incident is not open.",
        ("It was resolved meanwhile.",),
        "Read the incident again before acting on it.",
    ),
    "slug_taken": Meaning(
        "Something has this slug already.",
        ("Two runs of a script made the same object.",),
        "Take another slug, or use what is there.",
    ),
    "name_taken": Meaning(
        "Something has this name or address already.",
        ("Two runs of a script made the same object.",),
        "Take another name, or change what is there.",
    ),
    "resource_in_use": Meaning(
        "The object cannot go while others need it.",
        ("A team still has monitors or open incidents.", "A region, probe or window is still named by a monitor."),
        "`message` and `error.details` name what needs it; change or delete that first.",
    ),
    "window_already_ended": Meaning(
        "No occurrence of the maintenance window is under way, or none is left.",
        ("It ended before the call came.", "Its next occurrence has not begun."),
        "Make a new window; `skip-next` and DELETE are for what has not begun.",
    ),
    "check_in_progress": Meaning(
        "A look that somebody asked for is still running.",
        ("Two calls of `…/check` for one monitor came at once.",),
        "Wait `Retry-After` seconds, then read the results or call again.",
    ),
    "idempotency_in_progress": Meaning(
        "The first call with this `Idempotency-Key` has no answer yet.",
        ("The call was repeated before the first attempt ended.",),
        "Wait `Retry-After` seconds and send the same call with the same key.",
    ),
    "delivery_in_progress": Meaning(
        "The message is being delivered at this moment.",
        ("Somebody asked for a repetition while an attempt was running.",),
        "Wait `Retry-After` seconds and look at the delivery.",
    ),
    "cursor_expired": Meaning(
        "What the cursor points to is no longer kept.",
        ("The reader was away for longer than events are kept.",),
        "Begin anew without a cursor, and read the objects that may have changed.",
    ),
    "precondition_failed": Meaning(
        "The object has another version than the call expects.",
        (
            "Somebody else changed it between your GET and your change.",
            "`If-Match` or `config_version` was written down and not read.",
        ),
        "Read it again, apply your change to that, and send its version. `error.details[0].current_version` has it.",
    ),
    "payload_too_large": Meaning(
        "The body is larger than is taken here.",
        ("Bodies may have 256 KiB, batches of probes 2 MiB.",),
        "Send less, or split it.",
    ),
    "head_too_large": Meaning(
        "Address and headers of the call are longer together than is taken.",
        ("They may have 64 KiB; mostly a cookie or a query has grown, or a proxy adds to them.",),
        "Send fewer or shorter headers; what is long belongs in the body.",
    ),
    "unsupported_media_type": Meaning(
        "The body is not of a type that is read here.",
        ("`Content-Type` is missing or says something else than JSON; curl says a form unless told otherwise.",),
        "Send `Content-Type: application/json`.",
    ),
    "validation_failed": Meaning(
        "The call can be read, and something in it does not hold. Nothing was stored.",
        (
            "A member is unknown, missing, or of the wrong type.",
            "A value is out of its range, or contradicts another one.",
            "It refers to something that does not exist in your team.",
        ),
        "`error.details` has every problem with member, JSON pointer and cure; the codes in it are listed below.",
    ),
    "idempotency_key_reused": Meaning(
        "The `Idempotency-Key` was used for another call within the last 24 hours.",
        ("A fixed key is used for everything.", "Body or query were changed before the repetition."),
        "Take a new key for everything that shall be done once; repeat a call exactly as it was.",
    ),
    "precondition_required": Meaning(
        "The team wants every change to name the version that it is made on.",
        ("The team's setting `require_preconditions` is on.",),
        "Read the object, then send its `ETag` as `If-Match`; a monitor takes `config_version` in the body, too.",
    ),
    "rate_limited": Meaning(
        "The caller has spent a limit.",
        (
            "A loop without a pause, or many jobs with one token.",
            "Without a good credential the address pays: 60 calls a minute.",
        ),
        "Wait `Retry-After` seconds, then go on; that long is enough. `violated-policies` names the limit, and "
        "`STATUSPULSE_RATE_LIMITS` changes it.",
    ),
    "concurrency_limited": Meaning(
        "Too many calls of this kind are waited for at once.",
        ("Many looks or simulations were asked for together.",),
        "Wait `Retry-After` seconds; run fewer of them at a time.",
    ),
    "abnormal_usage": Meaning(
        "The calls look like an attack and are held back.",
        ("Guesses of keys or tokens come from this address.",),
        "Wait `Retry-After` seconds, and find out what calls from there.",
    ),
    "internal_error": Meaning(
        "Something failed on our side; nothing was stored.",
        ("A defect of StatusPulse.",),
        "Repeat the call once. If it fails again, look for `request_id` in the log of the server and report it.",
    ),
    "overloaded": Meaning(
        "The instance has too much in work for this call.",
        ("A burst of calls; history is turned away first, incidents and results of probes last.", "The disk is slow."),
        "Wait `Retry-After` seconds, and longer each time that it happens again.",
    ),
    "starting_up": Meaning(
        "The instance is starting.",
        ("It was started a moment ago, and may be migrating its database.",),
        "Wait `Retry-After` seconds; `/readyz` tells when it is ready.",
    ),
    "read_only": Meaning(
        "The storage takes no changes at the moment; reading works.",
        ("The disk is full, or was mounted read-only.", "The database is a replica."),
        "Make room on the disk of the data directory. Probes keep their results until then.",
    ),
    "maintenance_mode": Meaning(
        "The instance is being maintained and takes no changes.",
        ("The operator asked for it.",),
        "Wait `Retry-After` seconds.",
    ),
}

# By `error.details[].code`; they come with `validation_failed` and stand on its page.
DETAIL_MEANINGS: dict[str, str] = {
    "unknown_parameter": "There is no such member or query parameter; the message names a similar one.",
    "parameter_missing": "The member is required.",
    "parameter_invalid_type": "The value is of another JSON type; texts are never taken for numbers.",
    "parameter_out_of_range": "The number is too small or too large; `limit` has the bound.",
    "parameter_invalid_format": "The text has another form than it needs: a URL, a time, a slug, an id.",
    "parameter_invalid_enum": "The value is none of those that are allowed.",
    "parameter_too_long": "The text is too long; `limit` has the bound.",
    "parameter_too_many": "The array has too many items; `limit` has the bound.",
    "parameter_duplicate": "The same item stands twice.",
    "parameter_immutable": "The member cannot be changed; make a new object.",
    "parameter_conflict": "The value contradicts another member; the message names both.",
    "reference_not_found": "It names something that does not exist in your team; `known` has what there is.",
    "scheme_unsupported": "The URL has a scheme that is not supported here.",
    "url_blocked": "The address is one that may not be reached from here.",
    "timezone_unknown": "There is no such time zone; names are those of IANA, such as `Europe/Berlin`.",
    "scope_insufficient": "A scope that the calling token does not have; `required_scope` names it.",
    "resource_in_use": "What still needs the object.",
    "precondition_failed": "The version that holds is `current_version`.",
}
