/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of logins through groups, as the session sees it: where they are sent, in what order, what happens
 * when nobody is left, and that a route can end at any time.
 */
#include "scene.h"

#include <string.h>

static struct scene scene;
static struct walk walk;

static void nameless_targets(void **state)
{
	static const struct {
		const char *target, *at, *name, *host;
	} good[] = {
		{ "10.0.0.7", "10.0.0.7:143", "10.0.0.7:143", "10.0.0.7" },
		{ "10.0.0.7:1143", "10.0.0.7:1143", "10.0.0.7:1143", "10.0.0.7" },
		{ "[::1]", "[::1]:143", "[::1]:143", "::1" },
		{ "[::1]:993", "[::1]:993", "[::1]:993", "::1" },
		{ "::1", "[::1]:143", "[::1]:143", "::1" },
		{ "one.test", "10.1.0.1:143", "one.test:143", "one.test" },
		{ "one.test:25", "10.1.0.1:25", "one.test:25", "one.test" },
		{ "unix:/run/imap", "unix:/run/imap", "unix:/run/imap", "" },
	};
	static const struct {
		const char *target, *complaint;
	} bad[] = {
		{ "", "no host in upstream \"\"" },
		{ "a b", "invalid host in upstream \"a b\"" },
		{ "x\n", "invalid host in upstream \"x\\x0A\"" },
		{ "one.test:0", "invalid port in upstream \"one.test:0\"" },
		{ "one.test:", "invalid port in upstream \"one.test:\"" },
		{ "[::1", "invalid host in upstream \"[::1\"" },
		{ "unix:", "no path in the unix domain socket in upstream \"unix:\"" },
	};

	(void)state;
	scene_open(&scene, "");
	for (int twice = 0; twice < 2; twice++) {
		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
			assert_string_equal(walk_open(&walk, &scene, good[i].target, "u"), good[i].at);
			assert_string_equal(walk.name, good[i].name);
			assert_str(walk.route.peer.host, str_of(good[i].host));
			assert_null(walk.route.peer.scope);
			route_close(&walk.route);
		}
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_string_equal(walk_open(&walk, &scene, bad[i].target, "u"), "");
		assert_int_equal(walk.answers, 1);
		assert_string_equal(walk.route.complaint, bad[i].complaint);
		route_close(&walk.route);
	}
	scene_close(&scene);
}

static void too_long_targets(void **state)
{
	char target[ROUTE_TARGET_MAX + 2];

	(void)state;
	scene_open(&scene, "");
	memset(target, 'a', sizeof(target));
	target[sizeof(target) - 1] = '\0';
	assert_string_equal(walk_open(&walk, &scene, target, "u"), "");
	assert_memory_equal(walk.route.complaint, "too long host", 13);
	route_close(&walk.route);
	scene_close(&scene);
}

static void a_name_is_all_its_addresses(void **state)
{
	(void)state;
	scene_open(&scene, "");
	assert_string_equal(walk_open(&walk, &scene, "two.test", "u"), "10.2.0.1:143");
	assert_string_equal(walk_next(&walk, &scene), "[2001:db8::2]:143");
	assert_string_equal(walk.name, "two.test:143");
	assert_string_equal(walk_next(&walk, &scene), "");
	assert_string_equal(walk.route.complaint, "no live upstreams in upstream \"two.test\"");
	route_close(&walk.route);
	scene_close(&scene);
}

static void each_server_once(void **state)
{
	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1; server 10.0.0.2:144; server 10.0.0.3 backup;"
			   "server 10.0.0.4 down; }");
	assert_string_equal(walk_open(&walk, &scene, "g", "u"), "10.0.0.1:143");
	assert_non_null(walk.route.peer.scope);
	assert_string_equal(walk_next(&walk, &scene), "10.0.0.2:144");
	assert_string_equal(walk_next(&walk, &scene), "10.0.0.3:143");
	assert_string_equal(walk_next(&walk, &scene), "");
	assert_string_equal(walk.route.complaint, "no live upstreams in upstream \"g\"");
	assert_int_equal(walk.answers, 4);
	route_close(&walk.route);
	assert_true(upstream_defined(scene.upstreams, STR("g")));
	assert_false(upstream_defined(scene.upstreams, STR("gg")));
	assert_str(scope_words(upstream_scope(scene.upstreams, STR("G")))->at[1], STR("g"));
	assert_null(upstream_scope(scene.upstreams, STR("gg")));
	scene_close(&scene);
}

static void tries_have_an_end(void **state)
{
	char text[2048] = "upstream g {";

	(void)state;
	for (int i = 1; i <= 40; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " server 10.0.0.%d;", i);
	strcat(text, "}");
	scene_open(&scene, text);
	walk_open(&walk, &scene, "g", "u");
	for (int i = 1; i < ROUTE_TRIES_MAX; i++)
		assert_string_not_equal(walk_next(&walk, &scene), "");
	assert_string_equal(walk_next(&walk, &scene), "");
	assert_string_equal(walk.route.complaint, "too many servers were tried in upstream \"g\"");
	route_close(&walk.route);
	scene_close(&scene);
}

static void unknown_names(void **state)
{
	(void)state;
	scene_open(&scene, "");
	bundle_put(scene.bundle, BUNDLE_HOST, STR("none.test"), STR(""));
	assert_string_equal(walk_open(&walk, &scene, "none.test", "u"), "");
	assert_string_equal(walk.route.complaint,
			    "host \"none.test\" could not be resolved (3: Host not found), and there is no "
			    "\"resolver\" in mail{}");
	route_close(&walk.route);
	scene_close(&scene);
}

static void never_answered(struct route *r, const struct peer *peer)
{
	(void)r, (void)peer;
	fail_msg("answered after it was closed");
}

static void closed_before_the_answer(void **state)
{
	struct route r = { .complaint = "" };

	(void)state;
	scene_open(&scene, "");
	route_close(&r);
	route_open(&r, scene.upstreams, STR("10.0.0.1"), 143, STR("u"), NULL, never_answered);
	route_close(&r);
	route_close(&r);
	scene_pass(&scene, 10);
	scene_close(&scene);
}

static void places_are_counted(void **state)
{
	struct peer_place *first, *second;
	struct walk other;

	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 max_conns=2; server 10.0.0.2 backup max_conns=1; }");
	assert_string_equal(walk_open(&walk, &scene, "g", "u"), "10.0.0.1:143");
	first = route_keep(&walk.route);
	route_close(&walk.route);
	assert_string_equal(walk_open(&walk, &scene, "g", "u"), "10.0.0.1:143");
	assert_string_equal(walk_open(&other, &scene, "g", "u"), "10.0.0.2:143");
	second = route_keep(&other.route);
	route_close(&other.route);
	assert_string_equal(walk_open(&other, &scene, "g", "u"), "");
	assert_string_equal(other.route.complaint,
			    "all servers that are left have \"max_conns\" sessions in upstream \"g\"");
	route_close(&other.route);
	route_close(&walk.route);
	assert_string_equal(walk_open(&walk, &scene, "g", "u"), "10.0.0.1:143");
	assert_string_equal(walk_open(&other, &scene, "g", "u"), "");
	route_close(&other.route);
	peer_leave(first);
	assert_string_equal(walk_open(&other, &scene, "g", "u"), "10.0.0.1:143");
	route_close(&other.route);
	route_close(&walk.route);
	peer_leave(second);
	peer_leave(NULL);
	scene_close(&scene);
}

/* Names from outside do not fill memory: the thousands here have a bound, and nothing is lost by it. */
static void many_targets(void **state)
{
	char target[64];

	(void)state;
	scene_open(&scene, "");
	walk_open(&walk, &scene, "10.0.0.1", "u");
	for (unsigned i = 0; i < 5000; i++) {
		struct walk other;

		snprintf(target, sizeof(target), "10.1.%u.%u", i / 256, i % 256);
		assert_string_not_equal(walk_open(&other, &scene, target, "u"), "");
		route_close(&other.route);
	}
	assert_string_equal(walk.at, "10.0.0.1:143");
	assert_str(walk.route.peer.name, STR("10.0.0.1:143"));
	route_close(&walk.route);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nameless_targets),
		cmocka_unit_test(too_long_targets),
		cmocka_unit_test(a_name_is_all_its_addresses),
		cmocka_unit_test(each_server_once),
		cmocka_unit_test(tries_have_an_end),
		cmocka_unit_test(unknown_names),
		cmocka_unit_test(closed_before_the_answer),
		cmocka_unit_test(places_are_counted),
		cmocka_unit_test(many_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
