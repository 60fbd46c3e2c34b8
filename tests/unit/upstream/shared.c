/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processes share, with processes that die: in the middle of a change, with sessions open, in great
 * numbers. What they leave behind is neither lost nor wrong.
 */
#include "upstream/shared.h"

#include "upstream/upstream.h"
#include "unit.h"
#include <string.h>

static void key_of(unsigned number, uint8_t key[static SHARED_KEY])
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	shared_key(STR("g"), str_of(text), key);
}

static struct shared_entry *entry(struct upstream_shared *s, unsigned number, uint64_t now_ms)
{
	uint8_t key[SHARED_KEY];
	struct shared_entry *e;

	key_of(number, key);
	shared_lock(s);
	e = shared_find(s, key, now_ms, NULL);
	shared_unlock(s);
	return e;
}

/* Run `work` in a process of its own, to its end or SIGKILL. */
static pid_t child(struct upstream_shared *s, void (*work)(struct upstream_shared *s))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		shared_join(s);
		work(s);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return pid;
}

static void keys_tell_apart(void **state)
{
	uint8_t a[SHARED_KEY], b[SHARED_KEY];

	(void)state;
	shared_key(STR("ab"), STR("c"), a);
	shared_key(STR("a"), STR("bc"), b);
	assert_memory_not_equal(a, b, SHARED_KEY);
	shared_key(STR("ab"), STR("c"), b);
	assert_memory_equal(a, b, SHARED_KEY);
}

static void three_sessions(struct upstream_shared *s)
{
	for (int i = 0; i < 3; i++)
		shared_enter(s, entry(s, 1, 1));
	kill(getpid(), SIGKILL);
}

static void the_sessions_of_the_dead_are_taken_away(void **state)
{
	struct upstream_shared *s = upstream_shared_new();
	struct peer_place *place;
	pid_t first, second;

	(void)state;
	shared_join(s);
	place = shared_enter(s, entry(s, 1, 1));
	first = child(s, three_sessions);
	assert_int_equal(shared_active(s, entry(s, 1, 1)), 4);
	second = child(s, three_sessions);
	assert_int_equal(shared_active(s, entry(s, 1, 1)), 7);
	upstream_shared_left(s, first);
	assert_int_equal(shared_active(s, entry(s, 1, 1)), 4);
	upstream_shared_left(s, first);
	upstream_shared_left(s, second);
	assert_int_equal(shared_active(s, entry(s, 1, 1)), 1);
	peer_leave(place);
	assert_int_equal(shared_active(s, entry(s, 1, 1)), 0);
	upstream_shared_free(s);
}

static void dies_with_the_lock(struct upstream_shared *s)
{
	uint8_t key[SHARED_KEY];

	key_of(2, key);
	shared_lock(s);
	shared_find(s, key, 1, NULL)->fails = 7;
	kill(getpid(), SIGKILL);
}

static void a_lock_outlives_its_holder(void **state)
{
	struct upstream_shared *s = upstream_shared_new();
	pid_t pid;

	(void)state;
	shared_join(s);
	pid = child(s, dies_with_the_lock);
	assert_int_equal(entry(s, 2, 1)->fails, 7);
	upstream_shared_left(s, pid);
	assert_int_equal(entry(s, 2, 1)->fails, 7);
	upstream_shared_free(s);
}

static void takes_a_lease(struct upstream_shared *s)
{
	struct shared_entry *e = entry(s, 3, 1);

	e->check_slot = s->slot;
	e->check_lease_ms = 1000000;
}

static void leases_of_the_dead_are_free(void **state)
{
	struct upstream_shared *s = upstream_shared_new();
	pid_t pid;

	(void)state;
	pid = child(s, takes_a_lease);
	assert_int_equal(entry(s, 3, 1)->check_lease_ms, 1000000);
	upstream_shared_left(s, pid);
	assert_int_equal(entry(s, 3, 1)->check_lease_ms, 0);
	upstream_shared_free(s);
}

static void one_session(struct upstream_shared *s)
{
	shared_enter(s, entry(s, 4, 1));
}

/* More processes than slots: those without one are not counted, and harm nobody. */
static void more_processes_than_slots(void **state)
{
	struct upstream_shared *s = upstream_shared_new();
	pid_t pids[SHARED_SLOTS + 5];

	(void)state;
	for (int i = 0; i < SHARED_SLOTS + 5; i++)
		pids[i] = child(s, one_session);
	assert_int_equal(shared_active(s, entry(s, 4, 1)), SHARED_SLOTS);
	for (int i = 0; i < SHARED_SLOTS + 5; i++)
		upstream_shared_left(s, pids[i]);
	assert_int_equal(shared_active(s, entry(s, 4, 1)), 0);
	child(s, one_session);
	assert_int_equal(shared_active(s, entry(s, 4, 1)), 1);
	upstream_shared_free(s);
}

/* Four times as many servers as there is room: those with sessions stay, the others are made anew. */
static void more_servers_than_room(void **state)
{
	enum { MANY = 4 * SHARED_SETS * SHARED_WAYS };
	struct upstream_shared *s = upstream_shared_new();
	struct peer_place *place;
	struct shared_entry *kept;

	(void)state;
	shared_join(s);
	kept = entry(s, 0, 1);
	kept->fails = 5;
	place = shared_enter(s, kept);
	for (unsigned i = 1; i < MANY; i++)
		assert_non_null(entry(s, i, i));
	assert_ptr_equal(entry(s, 0, 2), kept);
	assert_int_equal(kept->fails, 5);
	assert_int_equal(shared_active(s, kept), 1);
	peer_leave(place);
	upstream_shared_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_tell_apart),
		cmocka_unit_test(the_sessions_of_the_dead_are_taken_away),
		cmocka_unit_test(a_lock_outlives_its_holder),
		cmocka_unit_test(leases_of_the_dead_are_free),
		cmocka_unit_test(more_processes_than_slots),
		cmocka_unit_test(more_servers_than_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
