# SPDX-License-Identifier: BSD-2-Clause
"""All conversations, in the order of these modules."""

from . import ask, back, came, imap, pop3, sasl, smtp, tls

TALKS = [talk for module in (imap, pop3, smtp, sasl, tls, ask, back, came) for talk in module.TALKS]
