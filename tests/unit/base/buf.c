/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers: growth up to the very last byte, the sticky `full`, and that no secret is left behind. */
#include "base/buf.h"

#include "unit.h"
#include <string.h>

static void fresh_buffer_owns_nothing(void **state)
{
	struct buf b, zeroed = { 0 };

	(void)state;
	buf_init(&b, 100);
	assert_null(b.at);
	assert_int_equal(buf_text(&b).len, 0);
	buf_put(&b, STR(""));
	buf_put(&b, (struct str){ NULL, 0 });
	buf_drop(&b, 0);
	buf_wipe(&b);
	assert_null(b.at);
	buf_done(&b);
	buf_done(&zeroed);
	buf_put(&zeroed, STR("x"));
	assert_true(zeroed.full);
	assert_null(zeroed.at);
}

/* Whatever the maximum, it can be used up to the last byte, and not beyond. */
static void most_is_most(void **state)
{
	(void)state;
	for (size_t most = 1; most <= 400; most++) {
		struct buf b;

		buf_init(&b, most);
		for (size_t i = 0; i < most; i++)
			buf_put_byte(&b, (char)('a' + i % 26));
		assert_false(b.full);
		assert_int_equal(b.len, most);
		buf_put_byte(&b, 'x');
		assert_true(b.full);
		assert_int_equal(b.len, most);
		for (size_t i = 0; i < most; i++)
			assert_int_equal(b.at[i], 'a' + i % 26);
		assert_true(b.room <= most);
		buf_done(&b);
	}
}

static void what_does_not_fit_is_not_put_in_at_all(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	buf_put(&b, STR("12345678"));
	buf_put(&b, STR("abc"));
	assert_str(buf_text(&b), STR("12345678"));
	assert_true(b.full);
	/* sticky: no smaller piece slips in behind, of either kind */
	buf_put(&b, STR("a"));
	buf_put_byte(&b, 'a');
	buf_format(&b, "%c", 'a');
	assert_null(buf_space(&b, 1));
	assert_null(buf_space(&b, 0));
	assert_str(buf_text(&b), STR("12345678"));
	buf_clear(&b);
	assert_false(b.full);
	buf_put(&b, STR("1234567890"));
	assert_false(b.full);
	buf_done(&b);
}

static void format_fills_to_the_brim(void **state)
{
	struct buf b;

	(void)state;
	for (size_t before = 0; before <= 10; before++) {
		for (int len = 0; len <= 12; len++) {
			buf_init(&b, 10);
			buf_put(&b, (struct str){ "..........", before });
			buf_format(&b, "%.*s", len, "abcdefghijkl");
			assert_int_equal(b.full, before + (size_t)len > 10);
			assert_int_equal(b.len, b.full ? before : before + (size_t)len);
			if (!b.full)
				assert_str(str_skip(buf_text(&b), before),
					   ((struct str){ "abcdefghijkl", (size_t)len }));
			buf_done(&b);
		}
	}
}

static void format_grows(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5000);
	buf_format(&b, "%s", "");
	assert_int_equal(b.len, 0);
	buf_format(&b, "%d %s", 42, "x");
	buf_format(&b, "%4000d", 7);
	assert_int_equal(b.len, 4 + 4000);
	assert_str(((struct str){ b.at, 4 }), STR("42 x"));
	assert_int_equal(b.at[4003], '7');
	buf_format(&b, "%4000d", 7);
	assert_true(b.full);
	assert_int_equal(b.len, 4004);
	buf_done(&b);
}

static void space_is_counted_by_who_writes(void **state)
{
	struct buf b;
	char *at;

	(void)state;
	buf_init(&b, 100);
	buf_put(&b, STR("ab"));
	at = buf_space(&b, 98);
	assert_non_null(at);
	memcpy(at, "cdefg", 5);
	assert_int_equal(b.len, 2);
	buf_grew(&b, 5);
	assert_str(buf_text(&b), STR("abcdefg"));
	assert_null(buf_space(&b, 94));
	assert_true(b.full);
	buf_clear(&b);
	assert_null(buf_space(&b, SIZE_MAX));
	buf_done(&b);
	/* no room is a place too, when none is asked for */
	assert_non_null(buf_space(&b, 0));
	buf_done(&b);
}

static void drop_moves_the_rest_up(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_put(&b, STR("hello world"));
	buf_drop(&b, 6);
	assert_str(buf_text(&b), STR("world"));
	buf_drop(&b, 5);
	assert_str(buf_text(&b), STR(""));
	buf_set(&b, STR("new"));
	buf_set(&b, STR("newer"));
	assert_str(buf_text(&b), STR("newer"));
	buf_done(&b);
}

static bool all_zero(const char *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != 0)
			return false;
	return true;
}

/* Also of what was longer before, of what was written and not counted, and of what was dropped. */
static void wipe_leaves_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 200);
	buf_put(&b, STR("a password that is long"));
	buf_set(&b, STR("short"));
	memcpy(buf_space(&b, 50), "more of it that was never counted", 33);
	buf_drop(&b, 2);
	buf_wipe(&b);
	assert_true(all_zero(b.at, b.room));
	assert_int_equal(b.len, 0);
	assert_false(b.full);
	buf_done(&b);
	assert_null(b.at);
}

/* In an arena outgrown room stays readable, so that it can be seen to be wiped. */
static void outgrown_room_is_wiped(void **state)
{
	struct arena *home = arena_new(4096);
	struct buf b;
	char *first;
	size_t room;

	(void)state;
	buf_init_in(&b, home, 1000);
	buf_put(&b, STR("secret"));
	first = b.at;
	room = b.room;
	while (b.at == first)
		buf_put(&b, STR("secret"));
	assert_true(all_zero(first, room));
	assert_str(((struct str){ b.at, 12 }), STR("secretsecret"));
	first = b.at;
	room = b.room;
	buf_done(&b);
	assert_true(all_zero(first, room));
	buf_put(&b, STR("again"));
	assert_str(buf_text(&b), STR("again"));
	arena_free(home);
}

static void put_itself(void *b)
{
	buf_put(b, str_skip(buf_text(b), 1));
}

static void set_itself(void *b)
{
	buf_set(b, buf_text(b));
}

static void drop_too_much(void *b)
{
	buf_drop(b, buf_text(b).len + 1);
}

static void grow_too_much(void *b)
{
	buf_grew(b, ((struct buf *)b)->room - ((struct buf *)b)->len + 1);
}

static void without_bound(void *b)
{
	buf_init(b, SIZE_MAX);
	buf_space(b, SIZE_MAX / 2 + 2);
}

static void misuse_aborts(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_put(&b, STR("text"));
	assert_aborts(put_itself, &b);
	assert_aborts(set_itself, &b);
	assert_aborts(drop_too_much, &b);
	assert_aborts(grow_too_much, &b);
	assert_aborts(without_bound, &b);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_buffer_owns_nothing),
		cmocka_unit_test(most_is_most),
		cmocka_unit_test(what_does_not_fit_is_not_put_in_at_all),
		cmocka_unit_test(format_fills_to_the_brim),
		cmocka_unit_test(format_grows),
		cmocka_unit_test(space_is_counted_by_who_writes),
		cmocka_unit_test(drop_moves_the_rest_up),
		cmocka_unit_test(wipe_leaves_nothing),
		cmocka_unit_test(outgrown_room_is_wiped),
		cmocka_unit_test(misuse_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
