"""Search for the admin's task list."""

import re

from django.db import connections
from django.db.models import Q

from tasks.better_auth_users import user_ids_matching
from tasks.models import TaskQuerySet

MAX_OWNERS = 1000
WORDS = re.compile(r'"([^"]+)"|(\S+)')


def search(tasks: TaskQuerySet, text: str) -> TaskQuerySet:
    """Find tasks by their owner or by words of the title.

    An exact owner id, or a text with an ``@`` that is part of an owner's e-mail address or name,
    finds the tasks of the matching owners, through an index. Any other text finds the tasks whose
    title contains each word (literally, case-insensitively), and those whose owner's e-mail address
    or name contains the whole text. Quoted words are searched as a phrase and never as an owner id.
    At most ``MAX_OWNERS`` matching owners are included.
    """
    text = text.strip()
    if tasks.model._base_manager.filter(user_id=text).exists():
        return tasks.owned_by(text)
    owners = user_ids_matching(text, MAX_OWNERS)
    if owners and "@" in text:
        return tasks.filter(user_id__in=owners)
    titles = Q()
    for quoted, word in WORDS.findall(text):
        titles &= _in_title(quoted or word, connections[tasks.db].vendor)
    return tasks.filter(titles | Q(user_id__in=owners))


def _in_title(word: str, vendor: str) -> Q:
    if vendor == "sqlite":  # its LIKE ignores case for ASCII only
        return Q(title__iregex=re.escape(word))
    return Q(title__icontains=word)
