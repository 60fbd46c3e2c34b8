/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders: settings survive the way through text whatever stands in them, and equal orders become one. */
#include "auth/helper_order.h"

#include "unit.h"

static void settings_come_back(void **state)
{
	static const struct str VALUES[] = { LIT("simple"), LIT(""), LIT("a=b\\n\n\r\0\\"), LIT("\n\n") };
	struct helper_order o;
	struct str rest, name;
	struct buf value;

	(void)state;
	helper_order_init(&o, "test");
	for (size_t i = 0; i < 4; i++)
		helper_setting(&o, "key", VALUES[i]);
	helper_setting(&o, "none", (struct str){ NULL, 0 });
	rest = buf_text(&o.settings);
	buf_init(&value, 1024);
	for (size_t i = 0; i < 4; i++) {
		assert_true(helper_setting_next(&rest, &name, &value));
		assert_true(str_eq(name, STR("key")));
		assert_true(str_eq(buf_text(&value), VALUES[i]));
	}
	assert_false(helper_setting_next(&rest, &name, &value));
	assert_int_equal(rest.len, 0);
	buf_done(&value);
	helper_order_done(&o);
}

static void bad_lines_are_refused(void **state)
{
	static const char *const LINES[] = { "no equals\n", "=x\n", "a=\\\n", "a=\\x\n", "a=b" };
	struct buf value;

	(void)state;
	buf_init(&value, 1024);
	for (size_t i = 0; i < 5; i++) {
		struct str rest = str_of(LINES[i]), name;

		assert_false(helper_setting_next(&rest, &name, &value));
		assert_int_not_equal(rest.len, 0);
	}
	buf_done(&value);
}

static void add(struct auth_helpers *list, const char *program, const char *value, struct helper_order **to)
{
	struct helper_order o;

	helper_order_init(&o, program);
	helper_setting(&o, "a", str_of(value));
	*to = helper_orders_add(list, &o);
	helper_order_done(&o);
}

static void equal_orders_are_one(void **state)
{
	struct auth_helpers list = { NULL, 0 };
	struct helper_order *first, *second, *third, *fourth;

	(void)state;
	add(&list, "x", "1", &first);
	add(&list, "x", "2", &second);
	add(&list, "y", "1", &third);
	add(&list, "x", "1", &fourth);
	assert_ptr_equal(first, fourth);
	assert_ptr_not_equal(first, second);
	assert_ptr_not_equal(first, third);
	assert_int_equal(list.len, 3);
	assert_ptr_equal(list.first->next, second);
	helper_orders_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_come_back),
		cmocka_unit_test(bad_lines_are_refused),
		cmocka_unit_test(equal_orders_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
