"""The schemes of URLs that Apprise can write for: those whose plugins send by HTTP alone and so by our own gate."""

from __future__ import annotations

# scheme: plugin. An `s` at the end of a self-hosted one is TLS.
_SELF_HOSTED = {
    "bark": "bark",
    "gotify": "gotify",
    "hassio": "home_assistant",
    "mmost": "mattermost",
    "nctalk": "nextcloudtalk",
    "rocket": "rocketchat",
    "signal": "signal_api",
    "synology": "synology",
}
_FIXED = {
    "clicksend": "clicksend",
    "dingtalk": "dingtalk",
    "feishu": "feishu",
    "flock": "flock",
    "gchat": "google_chat",
    "ifttt": "ifttt",
    "jira": "jira",
    "join": "join",
    "lark": "lark",
    "line": "line",
    "mailgun": "mailgun",
    "msgbird": "messagebird",
    "opsgenie": "opsgenie",
    "pagertree": "pagertree",
    "pbul": "pushbullet",
    "postmark": "postmark",
    "pover": "pushover",
    "prowl": "prowl",
    "sendgrid": "sendgrid",
    "seven": "seven",
    "simplepush": "simplepush",
    "sinch": "sinch",
    "splunk": "splunk",
    "twilio": "twilio",
    "victorops": "splunk",
    "vonage": "vonage",
    "webex": "webexteams",
    "wxteams": "webexteams",
    "zulip": "zulip",
}
# What the URL calls its host is one.
HOSTED = frozenset(name + ending for name in _SELF_HOSTED for ending in ("", "s"))
PLUGINS = {name + ending: plugin for name, plugin in _SELF_HOSTED.items() for ending in ("", "s")} | _FIXED


def chosen(text: str) -> frozenset[str]:
    """The schemes that a setting names: `all`, `off`, or a list. Raises ValueError in words for the operator."""
    if text in {"all", "off"}:
        return frozenset(PLUGINS if text == "all" else ())
    names = frozenset(filter(None, (word.strip().lower() for word in text.split(","))))
    if unknown := sorted(names - PLUGINS.keys()):
        raise ValueError(f"{unknown[0]!r} is no scheme; there are all, off, {', '.join(sorted(PLUGINS))}")
    return names
