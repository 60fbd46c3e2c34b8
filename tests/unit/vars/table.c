/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash table: all that was put in is found, nothing else is. */
#include "unit.h"
#include "vars/table.h"

static struct str key(struct arena *a, unsigned long i)
{
	return arena_format(a, "User%lu@Example.org", i);
}

static void finds_what_was_put(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct table t;
	enum { MANY = 20000 };

	(void)state;
	table_init(&t, a, true);
	assert_null(table_find(&t, STR("")));
	for (unsigned long i = 0; i < MANY; i++) {
		assert_null(table_find(&t, key(a, i)));
		table_add(&t, key(a, i))->value = (const void *)(i + 1);
	}
	for (unsigned long i = 0; i < MANY; i++) {
		struct str lower = arena_format(a, "user%lu@EXAMPLE.ORG", i);

		assert_ptr_equal(table_find(&t, lower)->value, (const void *)(i + 1));
	}
	assert_null(table_find(&t, key(a, MANY)));
	arena_free(a);
}

static void minds_case_when_told(void **state)
{
	struct arena *a = arena_new(1024);
	struct table t;

	(void)state;
	table_init(&t, a, false);
	table_add(&t, STR("a\0B"));
	assert_null(table_find(&t, STR("a\0b")));
	assert_null(table_find(&t, STR("a")));
	assert_non_null(table_find(&t, STR("a\0B")));
	table_add(&t, STR(""));
	assert_non_null(table_find(&t, (struct str){ NULL, 0 }));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put),
		cmocka_unit_test(minds_case_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
