"""The page /demo/ behind the door, for nginx: demo.conf beside this file. Without `door.demo` there is none."""

from service.edge.template import filled
from service.settings import Settings


def conf(settings: Settings) -> str:
    if settings.demo is None:
        return "# No page /demo/ (door.demo).\n"
    key = "$door_token $remote_addr demo $door_method $door_rules /demo"
    cache = [
        "proxy_cache door;",
        f'proxy_cache_key "{key}";',
        "proxy_cache_bypass $door_unremembered;",
        "proxy_no_cache $door_unremembered $door_not_yes;",
    ]
    questions = filled(
        "questions.conf",
        {
            "login": settings.public.netloc,
            "origin": settings.public.origin,
            "hash": "$door_rules",
            "asked_authorization": '""',
            "told_authorization": '""',
            "cache": cache if settings.door.cache_seconds else [],
        },
    )
    return filled("demo.conf", {"questions": questions.splitlines()})
