/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom logins are given, by each method: shares by weight, few moves when a hashed group changes, and who
 * steps in for whom.
 */
#include "scene.h"

#include "vars/vars.h"
#include <string.h>

enum { SERVERS = 10, KEYS = 10000 };

static struct scene scene;
static struct walk walk;

/* How many of `logins` go to 10.0.0.1 … 10.0.0.10. Each leaves again, or stays. */
static void count(unsigned logins, bool stay, unsigned to[static SERVERS + 1])
{
	memset(to, 0, (SERVERS + 1) * sizeof(*to));
	for (unsigned i = 0; i < logins; i++) {
		unsigned last = 0;
		char key[32];

		snprintf(key, sizeof(key), "user%u", i);
		assert_int_equal(sscanf(walk_open(&walk, &scene, "g", key), "10.0.0.%u:", &last), 1);
		assert_in_range(last, 1, SERVERS);
		to[last]++;
		if (stay)
			route_keep(&walk.route);
		route_close(&walk.route);
	}
}

static void round_robin_is_smooth(void **state)
{
	/* the well-known order for 5, 1, 1 */
	static const char ORDER[] = "1121311";

	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 weight=5; server 10.0.0.2; server 10.0.0.3; }");
	for (int i = 0; i < 70; i++)
		assert_int_equal(walk_once(&walk, &scene, "g", "u", ROUTE_GOOD)[7], ORDER[i % 7]);
	scene_close(&scene);
}

static void round_robin_goes_on_over_a_reload(void **state)
{
	static const char TEXT[] = "upstream g { server 10.0.0.1; server 10.0.0.2; server 10.0.0.3; }";
	struct scene next;

	(void)state;
	scene_open(&scene, TEXT);
	assert_int_equal(walk_once(&walk, &scene, "g", "u", ROUTE_GOOD)[7], '1');
	scene_open_again(&next, TEXT, scene.shared);
	assert_int_equal(walk_once(&walk, &next, "g", "u", ROUTE_GOOD)[7], '2');
	assert_int_equal(walk_once(&walk, &scene, "g", "u", ROUTE_GOOD)[7], '3');
	next.shared = NULL;
	scene_close(&next);
	scene_close(&scene);
}

static void least_conn_fills_by_weight(void **state)
{
	unsigned to[SERVERS + 1];

	(void)state;
	scene_open(&scene, "upstream g { least_conn; server 10.0.0.1 weight=3; server 10.0.0.2; server "
			   "10.0.0.3 weight=2; }");
	count(600, true, to);
	assert_int_equal(to[1], 300);
	assert_int_equal(to[2], 100);
	assert_int_equal(to[3], 200);
	scene_close(&scene);
}

static void least_conn_prefers_who_became_idle(void **state)
{
	struct peer_place *places[2];

	(void)state;
	scene_open(&scene, "upstream g { least_conn; server 10.0.0.1; server 10.0.0.2; }");
	for (int i = 0; i < 2; i++) {
		walk_open(&walk, &scene, "g", "u");
		places[i] = route_keep(&walk.route);
		route_close(&walk.route);
	}
	peer_leave(places[1]);
	assert_int_equal(walk_once(&walk, &scene, "g", "u", ROUTE_GOOD)[7], '2');
	peer_leave(places[0]);
	scene_close(&scene);
}

static const char TEN[] =
	"server 10.0.0.1; server 10.0.0.2; server 10.0.0.3; server 10.0.0.4; server 10.0.0.5;"
	"server 10.0.0.6; server 10.0.0.7; server 10.0.0.8; server 10.0.0.9; server 10.0.0.10;";
static const char NINE[] =
	"server 10.0.0.9; server 10.0.0.10; server 10.0.0.3; server 10.0.0.4; server 10.0.0.5;"
	"server 10.0.0.6; server 10.0.0.2; server 10.0.0.8; server 10.0.0.1;";

static void map_keys(const char *method, const char *servers, uint8_t to[static KEYS])
{
	char text[2048], key[32];

	snprintf(text, sizeof(text), "upstream g { %s; %s }", method, servers);
	scene_open(&scene, text);
	for (unsigned i = 0; i < KEYS; i++) {
		unsigned last = 0;

		snprintf(key, sizeof(key), "user%u@example.org", i);
		sscanf(walk_once(&walk, &scene, "g", key, ROUTE_GOOD), "10.0.0.%u:", &last);
		to[i] = (uint8_t)last;
	}
	scene_close(&scene);
}

/* Number 7 leaves: its keys move, and no other. In another order, too. */
static void hash_moves_only_whom_it_must(void **state)
{
	static const char *const METHODS[] = { "hash $login", "hash $login consistent" };
	static uint8_t before[KEYS], after[KEYS];

	(void)state;
	for (int m = 0; m < 2; m++) {
		unsigned moved = 0, each[SERVERS + 1] = { 0 };

		map_keys(METHODS[m], TEN, before);
		map_keys(METHODS[m], NINE, after);
		for (unsigned i = 0; i < KEYS; i++) {
			each[before[i]]++;
			if (before[i] != 7)
				assert_int_equal(before[i], after[i]);
			else
				moved++;
		}
		assert_in_range(moved, KEYS / SERVERS * 9 / 10, KEYS / SERVERS * 11 / 10);
		for (unsigned s = 1; s <= SERVERS; s++)
			assert_in_range(each[s], KEYS / SERVERS * 9 / 10, KEYS / SERVERS * 11 / 10);
	}
}

static void hash_respects_weights(void **state)
{
	static uint8_t to[KEYS], more[KEYS];
	unsigned each[SERVERS + 1] = { 0 };

	(void)state;
	map_keys("hash $login", "server 10.0.0.1 weight=3; server 10.0.0.2; server 10.0.0.3 weight=6;", to);
	for (unsigned i = 0; i < KEYS; i++)
		each[to[i]]++;
	assert_in_range(each[1], 2850, 3150);
	assert_in_range(each[2], 900, 1100);
	assert_in_range(each[3], 5800, 6200);
	/* one that grows takes from others, and gives to nobody */
	map_keys("hash $login",
		 "server 10.0.0.1 weight=3; server 10.0.0.2 weight=2; server 10.0.0.3 weight=6;", more);
	for (unsigned i = 0; i < KEYS; i++)
		assert_true(more[i] == to[i] || more[i] == 2);
}

static void hash_goes_on_when_the_chosen_is_down(void **state)
{
	(void)state;
	scene_open(&scene, "upstream g { hash $login; server 10.0.0.1; server 10.0.0.2; server 10.0.0.3; }");
	for (unsigned i = 0; i < 100; i++) {
		char key[32], first[ADDR_TEXT_MAX], second[ADDR_TEXT_MAX], third[ADDR_TEXT_MAX];

		snprintf(key, sizeof(key), "user%u", i);
		strcpy(first, walk_open(&walk, &scene, "g", key));
		strcpy(second, walk_next(&walk, &scene));
		strcpy(third, walk_next(&walk, &scene));
		assert_string_equal(walk_next(&walk, &scene), "");
		route_close(&walk.route);
		assert_string_not_equal(first, second);
		assert_string_not_equal(first, third);
		assert_string_not_equal(second, third);
		assert_string_equal(walk_once(&walk, &scene, "g", key, ROUTE_GOOD), first);
	}
	scene_close(&scene);
}

/* The key is what the configuration says, when the session's facts are there. */
static struct str domain;

static bool fact(const struct vars *v, enum var which, struct str *to)
{
	(void)v;
	*to = domain;
	return which == VAR_REMOTE_ADDR;
}

static void hear(struct route *r, const struct peer *peer)
{
	addr_text(&peer->addr, CONTAINER(r, struct walk, route)->at);
}

static void hash_by_another_key(void **state)
{
	char first[ADDR_TEXT_MAX] = "";
	unsigned others = 0;

	(void)state;
	scene_open(&scene, "upstream g { hash $remote_addr consistent; server 10.0.0.1; server 10.0.0.2; }");
	for (unsigned i = 0; i < 40; i++) {
		struct vars vars = { .home = arena_new(256), .fact = fact };
		char key[32];

		snprintf(key, sizeof(key), "user%u", i);
		domain = i < 20 ? STR("192.0.2.1") : str_of(key);
		walk = (struct walk){ .at = "" };
		route_open(&walk.route, scene.upstreams, STR("g"), 143, str_of(key), &vars, hear);
		scene_pass(&scene, 0);
		if (i == 0)
			strcpy(first, walk.at);
		if (i < 20)
			assert_string_equal(walk.at, first);
		else
			others += strcmp(walk.at, first) != 0;
		route_close(&walk.route);
		arena_free(vars.home);
	}
	assert_in_range(others, 1, 19);
	scene_close(&scene);
}

static void random_respects_weights(void **state)
{
	unsigned to[SERVERS + 1];

	(void)state;
	scene_open(&scene, "upstream g { random; server 10.0.0.1 weight=3; server 10.0.0.2; }");
	count(10000, false, to);
	assert_in_range(to[1], 7200, 7800);
	assert_int_equal(to[1] + to[2], 10000);
	scene_close(&scene);
}

/* Of two taken by chance the less busy: loads stay much closer together than by chance alone. */
static void random_two_levels(void **state)
{
	static const char *const METHODS[] = { "random two", "random two least_conn" };
	char text[2048];

	(void)state;
	for (int m = 0; m < 2; m++) {
		unsigned to[SERVERS + 1];

		snprintf(text, sizeof(text), "upstream g { %s; %s }", METHODS[m], TEN);
		scene_open(&scene, text);
		count(5000, true, to);
		for (unsigned i = 1; i <= SERVERS; i++)
			assert_in_range(to[i], 490, 510);
		scene_close(&scene);
	}
}

static void random_of_one(void **state)
{
	(void)state;
	scene_open(&scene, "upstream g { random two; server 10.0.0.1; server 10.0.0.2 down; }");
	for (int i = 0; i < 10; i++)
		assert_string_equal(walk_once(&walk, &scene, "g", "u", ROUTE_GOOD), "10.0.0.1:143");
	scene_close(&scene);
}

static void all_marked_down(void **state)
{
	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 down; server 10.0.0.2 down; }");
	assert_string_equal(walk_open(&walk, &scene, "g", "u"), "");
	assert_string_equal(walk.route.complaint, "all servers are marked \"down\" in upstream \"g\"");
	route_close(&walk.route);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_robin_is_smooth),
		cmocka_unit_test(round_robin_goes_on_over_a_reload),
		cmocka_unit_test(least_conn_fills_by_weight),
		cmocka_unit_test(least_conn_prefers_who_became_idle),
		cmocka_unit_test(hash_moves_only_whom_it_must),
		cmocka_unit_test(hash_respects_weights),
		cmocka_unit_test(hash_goes_on_when_the_chosen_is_down),
		cmocka_unit_test(hash_by_another_key),
		cmocka_unit_test(random_respects_weights),
		cmocka_unit_test(random_two_levels),
		cmocka_unit_test(random_of_one),
		cmocka_unit_test(all_marked_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
