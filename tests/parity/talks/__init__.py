# SPDX-License-Identifier: BSD-2-Clause
"""All conversations, in the order of these modules."""

from . import ask, back, came, certs, imap, inherit, letters, pop3, sasl, smtp, time, tls

MODULES = (imap, pop3, smtp, sasl, tls, certs, ask, back, came, letters, time, inherit)
TALKS = [talk for module in MODULES for talk in module.TALKS]
