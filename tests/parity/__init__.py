# SPDX-License-Identifier: BSD-2-Clause
"""Conversations that are held with nginx and with postern and must be the same; see README.md."""
