# SPDX-License-Identifier: BSD-2-Clause
"""Plays the chosen talks with the chosen programs, a few worlds at a time."""

import asyncio

from . import program as programs
from .world import World

WORLDS_AT_ONCE = 6


def play_all(numbered, certs):
    """`numbered` are (number, Talk).  Returns {program: {talk name: Outcome or exception}}."""
    return asyncio.run(_play_all(numbered, certs))


async def _play_all(numbered, certs):
    gate, starting = asyncio.Semaphore(WORLDS_AT_ONCE), asyncio.Lock()
    outcomes = {name: {} for name in programs.wanted()}
    worlds = [World(name, talks, certs) for talks in _groups(numbered) for name in outcomes]
    await asyncio.gather(*(_play_world(world, outcomes[world.program.name], gate,
                                       starting) for world in worlds))
    return outcomes


def _groups(numbered):
    groups = {}
    for number, talk in numbered:
        key = (talk.main, talk.mail, number if talk.alone else None)
        groups.setdefault(key, []).append((number, talk))
    return list(groups.values())


async def _play_world(world, outcomes, gate, starting):
    """A world that does not come up fails all its talks, with the reason."""
    async with gate:
        try:
            outcomes.update(await world.play(starting))
        except Exception as error:  # whatever it is, each of the talks shall show it
            first = world.talks[0][1].name
            for _, talk in world.talks:
                outcomes[talk.name] = error if talk.name == first else RuntimeError(f"no world; see {first}")
