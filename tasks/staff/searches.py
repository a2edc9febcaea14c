"""What staff find tasks by."""

from django.db.models import Q
from django.utils.text import smart_split, unescape_string_literal

from tasks.better_auth_users import user_ids_matching
from tasks.models import TaskQuerySet

MAX_OWNERS = 1000


def search(tasks: TaskQuerySet, text: str) -> TaskQuerySet:
    """Find tasks by their owner, or by words of the title.

    An owner's id, exactly as it is, or something with an @ in it that is part of an owner's e-mail
    address, finds the tasks of those owners, and an index gives them at once. Anything else finds
    the tasks whose title has each of the words, taken literally and in any case, and those whose
    owner's e-mail address or name has the whole text. Words in quotes belong together, and are
    never an owner's id.

    Source: issue "Staff and operators", search.
    """
    text = text.strip()
    if tasks.model._base_manager.filter(user_id=text).exists():
        return tasks.owned_by(text)
    owners = user_ids_matching(text, MAX_OWNERS)
    if owners and "@" in text:
        return tasks.filter(user_id__in=owners)
    titles = Q()
    for word in smart_split(text):
        if word[0] == word[-1] and word[0] in "\"'" and len(word) > 2:
            word = unescape_string_literal(word)
        titles &= Q(title__icontains=word)
    return tasks.filter(titles | Q(user_id__in=owners))
