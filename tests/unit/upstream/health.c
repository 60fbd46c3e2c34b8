/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Servers that fail and come back, with a clock that the test moves: max_fails within fail_timeout, one try
 * at a time, the last resort, slow_start, login_rate, and that each change is logged once.
 */
#include "scene.h"

#include "base/clock.h"
#include <string.h>

static struct scene scene;
static struct walk walk;

static const char *go(enum route_outcome outcome)
{
	return walk_once(&walk, &scene, "g", "u", outcome);
}

static void one_failure_takes_it_out(void **state)
{
	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1; server 10.0.0.2 backup; }");
	assert_string_equal(go(ROUTE_FAILED), "10.0.0.1:143");
	assert_string_equal(scene_log(&scene), "[warn] upstream \"g\" server 10.0.0.1:143 is down: test\n");
	scene_pass(&scene, 9999);
	for (int i = 0; i < 5; i++)
		assert_string_equal(go(ROUTE_GOOD), "10.0.0.2:143");
	scene_pass(&scene, 1);
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.1:143");
	assert_string_equal(scene_log(&scene),
			    "[notice] upstream \"g\" server 10.0.0.1:143 is up again after 10s\n");
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.1:143");
	assert_string_equal(scene_log(&scene), "");
	scene_close(&scene);
}

static void one_try_at_a_time(void **state)
{
	struct walk trial;

	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 fail_timeout=5s; server 10.0.0.2 backup; }");
	go(ROUTE_FAILED);
	scene_log(&scene);
	scene_pass(&scene, 5000);
	assert_string_equal(walk_open(&trial, &scene, "g", "u"), "10.0.0.1:143");
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.2:143");
	/* it tells nothing: the next one may try */
	route_close(&trial.route);
	assert_string_equal(walk_open(&trial, &scene, "g", "u"), "10.0.0.1:143");
	/* it fails: out for as long again, which is no news */
	route_outcome(&trial.route, ROUTE_FAILED, "still");
	route_close(&trial.route);
	scene_pass(&scene, 4999);
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.2:143");
	scene_pass(&scene, 1);
	/* it never tells: that is forgotten in time */
	assert_string_equal(walk_open(&trial, &scene, "g", "u"), "10.0.0.1:143");
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.2:143");
	scene_pass(&scene, 5000);
	assert_string_equal(scene_log(&scene), "");
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.1:143");
	assert_string_equal(scene_log(&scene),
			    "[notice] upstream \"g\" server 10.0.0.1:143 is up again after 15s\n");
	route_close(&trial.route);
	scene_close(&scene);
}

/* One that was sent there before the outage ends when another is on trial: that one stays alone. */
static void a_trial_is_over_when_its_own_route_is(void **state)
{
	struct walk early, trial;

	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 fail_timeout=5s; server 10.0.0.2 backup; }");
	assert_string_equal(walk_open(&early, &scene, "g", "u"), "10.0.0.1:143");
	go(ROUTE_FAILED);
	scene_pass(&scene, 5000);
	assert_string_equal(walk_open(&trial, &scene, "g", "u"), "10.0.0.1:143");
	route_close(&early.route);
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.2:143");
	route_close(&trial.route);
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.1:143");
	scene_close(&scene);
}

static void failures_count_within_the_window(void **state)
{
	(void)state;
	scene_open(&scene,
		   "upstream g { server 10.0.0.1 max_fails=3 fail_timeout=10s; server 10.0.0.2 backup; }");
	go(ROUTE_FAILED);
	go(ROUTE_FAILED);
	scene_pass(&scene, 10001);
	go(ROUTE_FAILED);
	go(ROUTE_GOOD);
	go(ROUTE_FAILED);
	assert_string_equal(scene_log(&scene), "");
	assert_string_equal(go(ROUTE_FAILED), "10.0.0.1:143");
	assert_string_equal(scene_log(&scene), "[warn] upstream \"g\" server 10.0.0.1:143 is down: test\n");
	assert_string_equal(go(ROUTE_FAILED), "10.0.0.2:143");
	scene_close(&scene);
}

static void no_max_fails_no_outage(void **state)
{
	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 max_fails=0; server 10.0.0.2 backup; }");
	for (int i = 0; i < 20; i++)
		assert_string_equal(go(ROUTE_FAILED), "10.0.0.1:143");
	assert_string_equal(scene_log(&scene), "");
	scene_close(&scene);
}

/* When nobody is in service a login still has its chance, with each server once. */
static void the_last_resort(void **state)
{
	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1; server 10.0.0.2; server 10.0.0.3 backup; }");
	for (int i = 0; i < 3; i++)
		go(ROUTE_FAILED);
	scene_log(&scene);
	walk_open(&walk, &scene, "g", "u");
	assert_string_not_equal(walk.at, "");
	assert_string_not_equal(walk_next(&walk, &scene), "");
	assert_string_not_equal(walk_next(&walk, &scene), "");
	assert_string_equal(walk_next(&walk, &scene), "");
	route_close(&walk.route);
	/* and one that works is in service at once */
	strcpy(walk.name, go(ROUTE_GOOD));
	assert_non_null(strstr(scene_log(&scene), "is up again after 0s"));
	assert_string_equal(go(ROUTE_GOOD), walk.at);
	scene_close(&scene);
}

static void only_the_first_word_counts(void **state)
{
	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1; server 10.0.0.2 backup; }");
	walk_open(&walk, &scene, "g", "u");
	route_outcome(&walk.route, ROUTE_GOOD, NULL);
	route_outcome(&walk.route, ROUTE_FAILED, NULL);
	route_close(&walk.route);
	assert_string_equal(go(ROUTE_NEUTRAL), "10.0.0.1:143");
	assert_string_equal(scene_log(&scene), "");
	scene_close(&scene);
}

static void nameless_groups_remember(void **state)
{
	(void)state;
	scene_open(&scene, "");
	assert_string_equal(walk_once(&walk, &scene, "two.test", "u", ROUTE_FAILED), "10.2.0.1:143");
	assert_string_equal(scene_log(&scene),
			    "[warn] upstream \"two.test\" server 10.2.0.1:143 is down: test\n");
	for (int i = 0; i < 4; i++)
		assert_string_equal(walk_once(&walk, &scene, "two.test", "u", ROUTE_GOOD),
				    "[2001:db8::2]:143");
	scene_close(&scene);
}

static void health_outlives_a_reload(void **state)
{
	static const char TEXT[] = "upstream g { server 10.0.0.1; server 10.0.0.2 backup; }";
	struct scene next;

	(void)state;
	scene_open(&scene, TEXT);
	go(ROUTE_FAILED);
	scene_open_again(&next, TEXT, scene.shared);
	assert_string_equal(walk_once(&walk, &next, "g", "u", ROUTE_GOOD), "10.0.0.2:143");
	next.shared = NULL;
	scene_close(&next);
	scene_close(&scene);
}

/* Half way through slow_start a server gets half of what it will. */
static void slow_start(void **state)
{
	unsigned first = 0;

	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 slow_start=60s weight=2; server 10.0.0.2; }");
	while (strcmp(go(ROUTE_FAILED), "10.0.0.1:143") != 0)
		;
	scene_pass(&scene, 10000);
	while (strcmp(go(ROUTE_GOOD), "10.0.0.1:143") != 0)
		;
	for (int i = 0; i < 20; i++)
		first += strcmp(go(ROUTE_GOOD), "10.0.0.1:143") == 0;
	assert_int_equal(first, 0);
	scene_pass(&scene, 30000);
	for (int i = 0; i < 20; i++)
		first += strcmp(go(ROUTE_GOOD), "10.0.0.1:143") == 0;
	assert_in_range(first, 9, 11);
	scene_pass(&scene, 30000);
	first = 0;
	for (int i = 0; i < 30; i++)
		first += strcmp(go(ROUTE_GOOD), "10.0.0.1:143") == 0;
	assert_in_range(first, 19, 21);
	scene_close(&scene);
}

/* 50r/s: the burst is a tenth of a second's worth, then one each 20 ms. */
static void login_rate_makes_others_wait(void **state)
{
	struct walk walks[10];
	unsigned answered;

	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 login_rate=50r/s; }");
	for (int i = 0; i < 10; i++)
		walk_open(&walks[i], &scene, "g", "u");
	for (unsigned ms = 0; ms <= 100; ms++) {
		answered = 0;
		for (unsigned i = 0; i < 10; i++) {
			answered += walks[i].answers;
			/* in the order of their coming */
			assert_int_equal(walks[i].answers, i < answered);
		}
		/* a timer may be a millisecond late */
		assert_in_range(answered, 5 + (ms > 0 ? ms - 1 : 0) / 20, 5 + ms / 20);
		scene_pass(&scene, 1);
	}
	assert_int_equal(answered, 10);
	for (int i = 0; i < 10; i++)
		route_close(&walks[i].route);
	scene_close(&scene);
}

static void login_rate_prefers_another_server(void **state)
{
	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 login_rate=60r/m; server 10.0.0.2; }");
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.1:143");
	for (int i = 0; i < 5; i++)
		assert_string_equal(go(ROUTE_GOOD), "10.0.0.2:143");
	/* it takes its turn again */
	scene_pass(&scene, 1000);
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.2:143");
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.1:143");
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.2:143");
	assert_string_equal(go(ROUTE_GOOD), "10.0.0.2:143");
	scene_close(&scene);
}

/* Those that go away while they wait leave no hole, wherever they stand. */
static void waiting_can_end_at_any_time(void **state)
{
	(void)state;
	for (int gone = 0; gone < 4; gone++) {
		struct walk walks[4];

		scene_open(&scene, "upstream g { server 10.0.0.1 login_rate=1r/s; }");
		go(ROUTE_GOOD);
		for (int i = 0; i < 4; i++)
			assert_string_equal(walk_open(&walks[i], &scene, "g", "u"), "?");
		route_close(&walks[gone].route);
		for (int i = 0; i < 4; i++) {
			if (i == gone)
				continue;
			scene_pass(&scene, 1001);
			assert_string_equal(walks[i].at, "10.0.0.1:143");
		}
		for (int i = 0; i < 4; i++)
			route_close(&walks[i].route);
		scene_close(&scene);
	}
}

/* The one whose turn has come goes away before it can take it. */
static struct walk *victim;

static void close_victim(struct route *r, const struct peer *peer)
{
	(void)r, (void)peer;
	route_close(&victim->route);
}

static void the_next_one_is_called_all_the_same(void **state)
{
	struct walk first, second, third;

	(void)state;
	scene_open(&scene, "upstream g { server 10.0.0.1 login_rate=1000r/s; }");
	for (int i = 0; i < 100; i++)
		go(ROUTE_GOOD);
	assert_string_equal(walk_open(&first, &scene, "g", "u"), "?");
	assert_string_equal(walk_open(&second, &scene, "g", "u"), "?");
	assert_string_equal(walk_open(&third, &scene, "g", "u"), "?");
	victim = &second;
	first.route.fn = close_victim;
	scene_pass(&scene, 2);
	scene_pass(&scene, 10);
	assert_int_equal(second.answers, 0);
	assert_int_equal(third.answers, 1);
	route_close(&first.route);
	route_close(&third.route);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_failure_takes_it_out),
		cmocka_unit_test(one_try_at_a_time),
		cmocka_unit_test(a_trial_is_over_when_its_own_route_is),
		cmocka_unit_test(failures_count_within_the_window),
		cmocka_unit_test(no_max_fails_no_outage),
		cmocka_unit_test(the_last_resort),
		cmocka_unit_test(only_the_first_word_counts),
		cmocka_unit_test(nameless_groups_remember),
		cmocka_unit_test(health_outlives_a_reload),
		cmocka_unit_test(slow_start),
		cmocka_unit_test(login_rate_makes_others_wait),
		cmocka_unit_test(login_rate_prefers_another_server),
		cmocka_unit_test(waiting_can_end_at_any_time),
		cmocka_unit_test(the_next_one_is_called_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
