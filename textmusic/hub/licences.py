"""Licences in the words of the corpora: whether music under one may be shared.

This is not legal advice; it guards against mistakes.
"""

from __future__ import annotations

import re

# A statement has to begin with the licence; later words can name licences of other things ("BSD
# software carries these tunes by permission of their encoders").
_SHARES = re.compile(
    r"(?:CC0|CC[- ]BY|PD|public domain|no rights reserved|MIT|X11|ISC|zlib|unlicen[sc]e|0?BSD"
    r"|Apache|[AL]?GPL|GFDL|MPL|EPL|EUPL|Artistic|ODC|ODbL|PDDL|OFL|free art|LAL)(?![a-z])",
    re.IGNORECASE,
)
# Wherever they stand. A window of a piece is a derivative of it.
_FORBIDS = re.compile(
    r"(?<!no )(?<!some )rights reserved|\bND\b|no[- ]?deriv|by permission|permission (is )?required"
    r"|no (redistribution|(public )?licen[cs]e)|not (to )?(be )?(redistribut|shar|licen[cs]e)"
    r"|(personal|private|research|educational) use|proprietary|confidential|copyright(ed)? by",
    re.IGNORECASE,
)
_HUB_IDS = frozenset(
    "agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause cc-by-2.0 cc-by-2.5 cc-by-3.0"
    " cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0"
    " cc-by-nc-sa-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 epl-1.0 gpl-2.0 gpl-3.0 isc lgpl-2.1"
    " lgpl-3.0 mit mpl-2.0 unlicense".split()
)


def may_share(licence: str) -> bool:
    """Whether a licence statement allows sharing, also of changed works.

    False if it forbids that or does not say.
    """
    return bool(_SHARES.match(licence.strip())) and not _FORBIDS.search(licence)


def hub_id(licence: str) -> str:
    """The Hub's name for a licence ("cc-by-4.0"), or "other" where it has none."""
    name = re.split(r"[\s(,;]", licence.strip().lower(), maxsplit=1)[0]
    name = re.sub(r"-(?:only|or-later)$", "", name)
    return name if name in _HUB_IDS else "other"
