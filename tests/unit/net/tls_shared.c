/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of sessions against a model, the life of ticket keys, and locks whose holder is dead. */
#include "tls_side.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* --- the ring
 * ------------------------------------------------------------------------------------------------- */

static struct tls_cache *cache_new(size_t bytes)
{
	struct tls_cache *c =
		mmap(NULL, tls_cache_size(bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(c, MAP_FAILED);
	tls_cache_init(c, bytes);
	return c;
}

static struct str got(struct tls_cache *c, struct str id, uint64_t now_s)
{
	static char session[TLS_SESSION_MAX];

	return (struct str){ session, tls_cache_get(c, id, now_s, session) };
}

static void keeps_and_forgets(void **state)
{
	struct tls_cache *c = cache_new(8192);

	(void)state;
	assert_str(got(c, STR("one"), 0), STR(""));
	tls_cache_put(c, STR("one"), STR("first"), 100);
	tls_cache_put(c, STR("two"), STR("second"), 50);
	assert_str(got(c, STR("one"), 99), STR("first"));
	assert_str(got(c, STR("one"), 100), STR(""));
	assert_str(got(c, STR("two"), 49), STR("second"));
	assert_str(got(c, STR("two"), 50), STR(""));
	tls_cache_put(c, STR("one"), STR("again"), 200);
	assert_str(got(c, STR("one"), 150), STR("again"));
	tls_cache_drop(c, STR("one"));
	assert_str(got(c, STR("one"), 0), STR(""));
	tls_cache_drop(c, STR("one"));
	tls_cache_drop(c, STR("none"));
	assert_str(got(c, STR("two"), 0), STR("second"));
	munmap(c, tls_cache_size(8192));
}

static void refuses_what_does_not_fit(void **state)
{
	static const char BIG[TLS_SESSION_MAX + 1];
	struct tls_cache *c = cache_new(1);
	struct str long_id = STR("0123456789abcdef0123456789abcdefX");

	(void)state;
	tls_cache_put(c, STR("id"), (struct str){ BIG, sizeof(BIG) }, 9);
	assert_int_equal(got(c, STR("id"), 0).len, 0);
	tls_cache_put(c, STR("id"), (struct str){ BIG, sizeof(BIG) - 1 }, 9);
	assert_int_equal(got(c, STR("id"), 0).len, sizeof(BIG) - 1);
	tls_cache_put(c, long_id, STR("x"), 9);
	assert_int_equal(got(c, long_id, 0).len, 0);
	tls_cache_drop(c, long_id);
	tls_cache_put(c, STR(""), STR("x"), 9);
	assert_int_equal(got(c, STR(""), 0).len, 0);
	tls_cache_drop(c, STR(""));
	munmap(c, tls_cache_size(1));
}

static void no_cache_is_no_trouble(void **state)
{
	struct tls_cache *c = cache_new(0);

	(void)state;
	tls_cache_put(c, STR("id"), STR("x"), 9);
	assert_int_equal(got(c, STR("id"), 0).len, 0);
	tls_cache_drop(c, STR("id"));
	munmap(c, tls_cache_size(0));
}

/* What was put last is there, what is there is right, and about as much is there as fits. */
static void many_sessions_pass_through(void **state)
{
	enum { SESSIONS = 20000, BYTES = 100000 };
	/* from the heap, so that the sanitizer sees what crosses the end of the ring */
	struct tls_cache *c = calloc(1, tls_cache_size(BYTES));
	struct dice dice = { .state = 7 };
	static size_t length[SESSIONS];
	static bool dropped[SESSIONS];
	static char session[1000];
	size_t there = 0, bytes = 0;

	(void)state;
	tls_cache_init(c, BYTES);
	for (int i = 0; i < SESSIONS; i++) {
		int victim = (int)dice_roll(&dice, (uint64_t)i + 1);
		uint64_t id[4] = { (uint64_t)i * 0x9e3779b97f4a7c15, 0, 0, (uint64_t)i },
			 of_victim[4] = { 0 };

		length[i] = 1 + dice_roll(&dice, i % 50 == 0 ? sizeof(session) : 300);
		memset(session, i % 251, length[i]);
		tls_cache_put(c, (struct str){ (const char *)id, 32 }, (struct str){ session, length[i] },
			      10);
		assert_int_equal(got(c, (struct str){ (const char *)id, 32 }, 0).len, length[i]);
		if (i % 16 != 0)
			continue;
		of_victim[0] = (uint64_t)victim * 0x9e3779b97f4a7c15;
		of_victim[3] = (uint64_t)victim;
		tls_cache_drop(c, (struct str){ (const char *)of_victim, 32 });
		dropped[victim] = true;
	}
	for (int i = 0; i < SESSIONS; i++) {
		uint64_t id[4] = { (uint64_t)i * 0x9e3779b97f4a7c15, 0, 0, (uint64_t)i };
		struct str s = got(c, (struct str){ (const char *)id, 32 }, 0);

		assert_true(s.len == 0 || (s.len == length[i] && !dropped[i]));
		assert_true(there == 0 || s.len != 0 || dropped[i]);
		for (size_t k = 0; k < s.len; k++)
			assert_int_equal((uint8_t)s.at[k], i % 251);
		there += s.len != 0;
		bytes += s.len;
	}
	assert_true(bytes > BYTES / 2 && bytes < BYTES);
	assert_true(there > 300);
	free(c);
}

/* --- ticket keys
 * ---------------------------------------------------------------------------------------------- */

static struct tls_tickets *tickets_new(void)
{
	struct tls_tickets *t =
		mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(t, MAP_FAILED);
	tls_tickets_init(t);
	return t;
}

static bool opens(struct tls_tickets *t, uint64_t now_s, const struct tls_ticket_key *key, bool current)
{
	struct tls_ticket_key found;
	bool is_current;

	if (!tls_tickets_find(t, now_s, key->name, &found, &is_current))
		return false;
	assert_memory_equal(&found, key, sizeof(found));
	assert_int_equal(is_current, current);
	return true;
}

static void keys_live_for_an_hour_and_a_session(void **state)
{
	struct tls_tickets *t = tickets_new();
	struct tls_ticket_key first, second, third;

	(void)state;
	tls_tickets_reach(t, 300);
	tls_tickets_current(t, 1000, &first);
	assert_int_equal(first.secret, 32);
	tls_tickets_current(t, 1000 + 3599, &second);
	assert_memory_equal(&first, &second, sizeof(first));
	tls_tickets_current(t, 1000 + 3600, &second);
	assert_memory_not_equal(first.name, second.name, sizeof(first.name));
	assert_memory_not_equal(first.cipher, second.cipher, sizeof(first.cipher));
	assert_memory_not_equal(first.mac, second.mac, sizeof(first.mac));
	assert_true(opens(t, 1000 + 3600 + 299, &first, false));
	assert_true(opens(t, 1000 + 3600 + 299, &second, true));
	assert_false(opens(t, 1000 + 3600 + 300, &first, false));
	/* and nothing of it is left in memory */
	assert_int_equal(t->keys[1].secret, 0);
	assert_null(memmem(t, sizeof(*t), first.cipher, sizeof(first.cipher)));
	tls_tickets_current(t, 5000 + 3600, &third);
	assert_memory_not_equal(second.name, third.name, sizeof(first.name));
	munmap(t, sizeof(*t));
}

static void long_sessions_make_long_lives(void **state)
{
	enum { DAY = 86400 };
	struct tls_tickets *t = tickets_new();
	struct tls_ticket_key first, second;

	(void)state;
	tls_tickets_reach(t, DAY);
	tls_tickets_reach(t, 10);
	tls_tickets_current(t, 1, &first);
	tls_tickets_current(t, DAY, &second);
	assert_memory_equal(first.name, second.name, sizeof(first.name));
	tls_tickets_current(t, 1 + DAY, &second);
	assert_memory_not_equal(first.name, second.name, sizeof(first.name));
	assert_true(opens(t, 2 * DAY, &first, false));
	assert_false(opens(t, 1 + 2 * DAY, &first, false));
	tls_tickets_reach(t, UINT64_MAX);
	assert_true(t->longest_s == 7 * DAY);
	munmap(t, sizeof(*t));
}

/* Nobody came for so long that no ticket of the old key can be good: it is not kept either. */
static void a_long_silence_ends_both_keys(void **state)
{
	struct tls_tickets *t = tickets_new();
	struct tls_ticket_key first, second;

	(void)state;
	tls_tickets_reach(t, 300);
	tls_tickets_current(t, 10, &first);
	assert_false(opens(t, 10 + 3900, &first, false));
	tls_tickets_current(t, 10 + 3901, &second);
	assert_true(opens(t, 10 + 3902, &second, true));
	munmap(t, sizeof(*t));
}

static void key_files_have_the_layout_of_the_peer(void **state)
{
	struct tls_ticket_key key;
	struct str large =
		STR("NNNNNNNNNNNNNNNNMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC");
	struct str small = STR("nnnnnnnnnnnnnnnnccccccccccccccccmmmmmmmmmmmmmmmm");

	(void)state;
	assert_true(tls_ticket_key_read(large, &key));
	assert_int_equal(key.secret, 32);
	assert_memory_equal(key.name, "NNNNNNNNNNNNNNNN", 16);
	assert_memory_equal(key.mac, "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM", 32);
	assert_memory_equal(key.cipher, "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC", 32);
	assert_true(tls_ticket_key_read(small, &key));
	assert_int_equal(key.secret, 16);
	assert_memory_equal(key.name, "nnnnnnnnnnnnnnnn", 16);
	assert_memory_equal(key.mac, "mmmmmmmmmmmmmmmm", 16);
	assert_memory_equal(key.cipher, "cccccccccccccccc", 16);
	for (size_t len = 0; len <= 80; len++)
		assert_int_equal(tls_ticket_key_read((struct str){ large.at, len }, &key),
				 len == 48 || len == 80);
}

/* --- death
 * ---------------------------------------------------------------------------------------------------- */

static void die_holding(pthread_mutex_t *lock)
{
	pid_t victim = fork();

	if (victim == 0) {
		lock_take(lock);
		_exit(0);
	}
	assert_int_equal(waitpid(victim, NULL, 0), victim);
}

static void the_dead_leave_nothing_half_done(void **state)
{
	struct tls_tickets *t = tickets_new();
	struct tls_cache *c = cache_new(8192);
	struct tls_ticket_key key;

	(void)state;
	tls_tickets_current(t, 1, &key);
	tls_cache_put(c, STR("id"), STR("session"), 9);
	die_holding(&t->lock);
	die_holding(&c->lock);
	assert_false(opens(t, 1, &key, true));
	assert_int_equal(got(c, STR("id"), 0).len, 0);
	tls_cache_put(c, STR("id"), STR("session"), 9);
	assert_str(got(c, STR("id"), 0), STR("session"));
	tls_tickets_current(t, 2, &key);
	assert_true(opens(t, 2, &key, true));
	munmap(t, sizeof(*t));
	munmap(c, tls_cache_size(8192));
}

/* Many processes at once: whoever finds the key old, all get the same new one, and no session is torn. */
static void many_workers_agree(void **state)
{
	enum { WORKERS = 4, ROUNDS = 3000 };
	struct tls_shared *s = tls_shared_new(65536);
	pid_t workers[WORKERS];

	(void)state;
	for (int w = 0; w < WORKERS; w++) {
		workers[w] = fork();
		if (workers[w] != 0)
			continue;
		for (uint64_t i = 1; i < ROUNDS; i++) {
			uint64_t id[4] = { i % 97, 0, 0, 0 };
			struct str session;
			struct tls_ticket_key key, again;
			bool current;

			tls_tickets_current(s->tickets, i * 100, &key);
			if (tls_tickets_find(s->tickets, i * 100, key.name, &again, &current) &&
			    memcmp(&key, &again, sizeof(key)) != 0)
				_exit(1);
			tls_cache_put(s->cache, (struct str){ (const char *)id, 32 },
				      (struct str){ (const char *)id, 32 }, 9);
			session = got(s->cache, (struct str){ (const char *)id, 32 }, 0);
			if (session.len != 32 || memcmp(session.at, id, 32) != 0)
				_exit(2);
		}
		_exit(0);
	}
	for (int w = 0; w < WORKERS; w++) {
		int status;

		assert_int_equal(waitpid(workers[w], &status, 0), workers[w]);
		assert_int_equal(status, 0);
	}
	tls_shared_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_and_forgets),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(no_cache_is_no_trouble),
		cmocka_unit_test(many_sessions_pass_through),
		cmocka_unit_test(keys_live_for_an_hour_and_a_session),
		cmocka_unit_test(long_sessions_make_long_lives),
		cmocka_unit_test(a_long_silence_ends_both_keys),
		cmocka_unit_test(key_files_have_the_layout_of_the_peer),
		cmocka_unit_test(the_dead_leave_nothing_half_done),
		cmocka_unit_test(many_workers_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
