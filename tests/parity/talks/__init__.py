# SPDX-License-Identifier: BSD-2-Clause
"""All conversations, in the order of these modules."""

from . import imap, sasl

TALKS = [talk for module in (imap, sasl) for talk in module.TALKS]
