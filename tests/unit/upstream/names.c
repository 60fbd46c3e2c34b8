/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host names at run time, the test being the resolver: who waits for whom, what a new answer changes, what a
 * dead name server does not, and how often it is asked.
 */
#include "scene.h"

#include "net/resolve.h"
#include <string.h>

static struct scene scene;
static struct walk walk;

/* The questions so far, the last one at the end. */
static struct {
	struct resolve_query *query;
	resolve_fn *fn;
	char name[64];
} asked[16];
static unsigned asked_len;

void __wrap_resolve_host(struct resolver *r, struct resolve_query *q, struct str name, uint64_t limit_ms,
			 resolve_fn *fn);

void __wrap_resolve_host(struct resolver *r, struct resolve_query *q, struct str name, uint64_t limit_ms,
			 resolve_fn *fn)
{
	assert_ptr_equal(r, scene_resolver);
	assert_in_range(limit_ms, 1, 60000);
	assert_in_range(asked_len, 0, 15);
	asked[asked_len].query = q;
	asked[asked_len].fn = fn;
	snprintf(asked[asked_len].name, sizeof(asked[0].name), "%.*s", STR_ARG(name));
	asked_len++;
}

static void begin(const char *text)
{
	static char nobody;

	asked_len = 0;
	scene_resolver = (struct resolver *)(void *)&nobody;
	scene_open(&scene, text);
}

/* Answer a question with addresses ("10.0.0.1 10.0.0.2"), or "" for none. */
static void answer(unsigned which, enum resolve_status status, const char *addrs, uint64_t good_ms)
{
	struct addr found[4] = { { .family = AF_UNSPEC } };
	struct str rest = str_of(addrs);
	size_t len = 0;

	while (rest.len != 0)
		assert_true(addr_parse_ip(str_cut(&rest, ' '), &found[len++]));
	assert_in_range(which, 0, asked_len - 1);
	asked[which].fn(asked[which].query,
			&(struct resolve_answer){
				.status = status, .addrs = found, .addrs_len = len, .good_ms = good_ms });
	scene_pass(&scene, 0);
}

static void a_login_waits_for_the_name(void **state)
{
	struct walk other;

	(void)state;
	begin("");
	assert_string_equal(walk_open(&walk, &scene, "imap.test", "u"), "?");
	assert_string_equal(walk_open(&other, &scene, "imap.test", "u"), "?");
	assert_int_equal(asked_len, 1);
	assert_string_equal(asked[0].name, "imap.test");
	answer(0, RESOLVE_OK, "10.0.0.1 ::1", 60000);
	assert_string_equal(walk.at, "10.0.0.1:143");
	assert_string_equal(other.at, "[::1]:143");
	route_close(&walk.route);
	route_close(&other.route);
	scene_close(&scene);
}

static void not_found(void **state)
{
	(void)state;
	begin("");
	walk_open(&walk, &scene, "imap.test", "u");
	answer(0, RESOLVE_NOT_FOUND, "", 0);
	assert_string_equal(walk.at, "");
	assert_string_equal(walk.route.complaint,
			    "host \"imap.test\" could not be resolved (3: Host not found)");
	assert_string_equal(scene_log(&scene),
			    "[error] upstream \"imap.test\": host \"imap.test\" could not be "
			    "resolved (3: Host not found)\n");
	route_close(&walk.route);
	/* the next one some time later asks again */
	scene_pass(&scene, 6000);
	walk_open(&walk, &scene, "imap.test", "u");
	answer(1, RESOLVE_OK, "10.0.0.1", 60000);
	assert_string_equal(walk.at, "10.0.0.1:143");
	route_close(&walk.route);
	scene_close(&scene);
}

static void who_has_an_address_does_not_wait(void **state)
{
	(void)state;
	begin("upstream g { server imap.test; server 10.0.0.9; }");
	assert_string_equal(walk_open(&walk, &scene, "g", "u"), "10.0.0.9:143");
	route_close(&walk.route);
	answer(0, RESOLVE_OK, "10.0.0.1", 60000);
	assert_string_equal(walk_open(&walk, &scene, "g", "u"), "10.0.0.1:143");
	route_close(&walk.route);
	scene_close(&scene);
}

/* A list that is not complete would send users astray. */
static void a_hashed_login_waits_for_all(void **state)
{
	(void)state;
	begin("upstream g { hash $login; server a.test; server b.test; server 10.0.0.9; }");
	assert_string_equal(walk_open(&walk, &scene, "g", "u"), "?");
	assert_int_equal(asked_len, 2);
	answer(0, RESOLVE_OK, "10.0.0.1", 60000);
	assert_string_equal(walk.at, "?");
	answer(1, RESOLVE_TIMEOUT, "", 0);
	assert_string_not_equal(walk.at, "?");
	assert_string_not_equal(walk.at, "");
	route_close(&walk.route);
	scene_close(&scene);
}

/* Asked again when the TTL is over, if anybody came; the last known stay when nobody answers; what is gone is
 * gone, but who is there stays there. */
static void answers_serve_their_time(void **state)
{
	(void)state;
	begin("upstream g { server imap.test; }");
	walk_open(&walk, &scene, "g", "u");
	answer(0, RESOLVE_OK, "10.0.0.1", 30000);
	assert_string_equal(walk.at, "10.0.0.1:143");
	scene_pass(&scene, 29000);
	assert_int_equal(asked_len, 1);
	scene_pass(&scene, 1001);
	assert_int_equal(asked_len, 2);
	answer(1, RESOLVE_TIMEOUT, "", 0);
	assert_non_null(strstr(scene_log(&scene), "its last known addresses stay"));
	{
		struct walk other;

		assert_string_equal(walk_open(&other, &scene, "g", "u"), "10.0.0.1:143");
		route_close(&other.route);
	}
	scene_pass(&scene, 5001);
	assert_int_equal(asked_len, 3);
	answer(2, RESOLVE_OK, "10.0.0.2", 30000);
	assert_string_equal(walk_next(&walk, &scene), "10.0.0.2:143");
	route_close(&walk.route);
	/* nobody came for long: not asked, and then the old answer is not trusted */
	scene_pass(&scene, 30001);
	answer(3, RESOLVE_OK, "10.0.0.2", 30000);
	scene_pass(&scene, 90000);
	assert_int_equal(asked_len, 4);
	assert_string_equal(walk_open(&walk, &scene, "g", "u"), "?");
	answer(4, RESOLVE_OK, "10.0.0.3", 30000);
	assert_string_equal(walk.at, "10.0.0.3:143");
	route_close(&walk.route);
	scene_close(&scene);
}

static void closed_while_waiting(void **state)
{
	struct walk other;

	(void)state;
	begin("");
	walk_open(&walk, &scene, "imap.test", "u");
	walk_open(&other, &scene, "imap.test", "u");
	route_close(&walk.route);
	answer(0, RESOLVE_OK, "10.0.0.1", 60000);
	assert_int_equal(walk.answers, 0);
	assert_int_equal(other.answers, 1);
	route_close(&other.route);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_login_waits_for_the_name),
		cmocka_unit_test(not_found),
		cmocka_unit_test(who_has_an_address_does_not_wait),
		cmocka_unit_test(a_hashed_login_waits_for_all),
		cmocka_unit_test(answers_serve_their_time),
		cmocka_unit_test(closed_while_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
