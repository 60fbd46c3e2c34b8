# SPDX-License-Identifier: BSD-2-Clause
"""Scripted peers for tests: clients, authentication servers, mail servers, name servers.

Everything here runs on asyncio, stays on loopback, and waits for events only.  A test that is not
asynchronous itself uses `background.Background`, which runs the same objects in a thread.
"""
