/* SPDX-License-Identifier: BSD-2-Clause */
/* The passwd-like file: look-ups, malformed lines told by number while others serve, changes seen at once,
 * what cannot be read, and many users. */
#include "store/passwd.h"

#include "unit.h"
#include <string.h>
#include <sys/stat.h>

struct trial {
	char path[64];
	struct passwd *p;
	struct arena *home;
	struct buf fault;
	size_t told, last_line;
	const char *last;
};

static void told(void *to, const char *path, size_t line, const char *complaint)
{
	struct trial *t = to;

	assert_string_equal(path, t->path);
	t->told++;
	t->last_line = line;
	t->last = complaint;
}

static const char *no_bad(struct str stored)
{
	return str_eq(stored, STR("bad")) ? "bad password" : NULL;
}

static void put_file(struct trial *t, const char *text)
{
	char other[80];
	FILE *f;

	snprintf(other, sizeof(other), "%s.new", t->path);
	f = fopen(other, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(rename(other, t->path), 0);
}

static int set_up(void **state)
{
	struct trial *t = calloc(1, sizeof(*t));

	snprintf(t->path, sizeof(t->path), "/tmp/postern-unit-passwd-%d", (int)getpid());
	unlink(t->path);
	t->p = passwd_new(t->path, no_bad, told, t);
	t->home = arena_new(256);
	buf_init(&t->fault, 1024);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct trial *t = *state;

	passwd_free(t->p);
	arena_free(t->home);
	buf_done(&t->fault);
	unlink(t->path);
	free(t);
	return 0;
}

static void look_ups(void **state)
{
	struct trial *t = *state;
	struct user u;

	put_file(t, "# users\n\njane@example.org:{PLAIN}a\r\nJoe:b\nlast:c");
	assert_true(passwd_refresh(t->p, &t->fault));
	assert_int_equal(passwd_users(t->p), 3);
	assert_int_equal(t->told, 0);
	assert_int_equal(passwd_find(t->p, STR("JANE@example.org"), &u, t->home, &t->fault), PASSWD_FOUND);
	assert_str(u.password, STR("{PLAIN}a"));
	assert_int_equal(passwd_find(t->p, STR("joe"), &u, t->home, &t->fault), PASSWD_FOUND);
	assert_str(u.name, STR("Joe"));
	assert_int_equal(passwd_find(t->p, STR("last"), &u, t->home, &t->fault), PASSWD_FOUND);
	assert_int_equal(passwd_find(t->p, STR("lastly"), &u, t->home, &t->fault), PASSWD_NONE);
	assert_int_equal(passwd_find(t->p, STR(""), &u, t->home, &t->fault), PASSWD_NONE);
	assert_int_equal(passwd_find(t->p, STR("joe:b"), &u, t->home, &t->fault), PASSWD_NONE);
	assert_int_equal(passwd_find(t->p, STR("# users"), &u, t->home, &t->fault), PASSWD_NONE);
}

static void malformed(void **state)
{
	struct trial *t = *state;
	struct user u;

	put_file(t, "a:x\nnonsense\nb:y\n");
	assert_true(passwd_refresh(t->p, &t->fault));
	assert_int_equal(t->told, 1);
	assert_int_equal(t->last_line, 2);
	assert_int_equal(passwd_find(t->p, STR("b"), &u, t->home, &t->fault), PASSWD_FOUND);
	assert_true(passwd_refresh(t->p, &t->fault));
	assert_int_equal(t->told, 1);
	put_file(t, "a:x\nb:bad\na:z\n");
	assert_true(passwd_refresh(t->p, &t->fault));
	assert_int_equal(t->told, 3);
	assert_int_equal(t->last_line, 3);
	assert_non_null(strstr(t->last, "first line"));
	assert_int_equal(passwd_find(t->p, STR("a"), &u, t->home, &t->fault), PASSWD_FOUND);
	assert_str(u.password, STR("x"));
	assert_int_equal(passwd_find(t->p, STR("B"), &u, t->home, &t->fault), PASSWD_MALFORMED);
	assert_non_null(strstr(t->fault.at, ":2: bad password"));
	assert_int_equal(passwd_find(t->p, STR("c"), &u, t->home, &t->fault), PASSWD_NONE);
	assert_int_equal(passwd_faults(t->p), 2);
}

static void come_and_gone(void **state)
{
	struct trial *t = *state;
	struct user u;

	assert_false(passwd_refresh(t->p, &t->fault));
	assert_int_equal(passwd_find(t->p, STR("a"), &u, t->home, &t->fault), PASSWD_NONE);
	put_file(t, "a:x\n");
	assert_true(passwd_refresh(t->p, &t->fault));
	assert_int_equal(t->fault.len, 0);
	assert_int_equal(passwd_find(t->p, STR("a"), &u, t->home, &t->fault), PASSWD_FOUND);
	put_file(t, "b:x\n");
	assert_true(passwd_refresh(t->p, &t->fault));
	assert_int_equal(passwd_find(t->p, STR("a"), &u, t->home, &t->fault), PASSWD_NONE);
	assert_int_equal(passwd_find(t->p, STR("b"), &u, t->home, &t->fault), PASSWD_FOUND);
	unlink(t->path);
	assert_false(passwd_refresh(t->p, &t->fault));
	assert_int_equal(passwd_find(t->p, STR("b"), &u, t->home, &t->fault), PASSWD_NONE);
	assert_int_equal(mkdir(t->path, 0700), 0);
	assert_false(passwd_refresh(t->p, &t->fault));
	rmdir(t->path);
	put_file(t, "");
	assert_true(passwd_refresh(t->p, &t->fault));
	assert_int_equal(passwd_find(t->p, STR("b"), &u, t->home, &t->fault), PASSWD_NONE);
}

static void many(void **state)
{
	struct trial *t = *state;
	FILE *f = fopen(t->path, "w");
	char name[32];
	struct user u;

	for (int i = 0; i < 100000; i++)
		fprintf(f, "user%d@example.org:{PLAIN}p%d\n", i, i);
	fclose(f);
	assert_true(passwd_refresh(t->p, &t->fault));
	assert_int_equal(passwd_users(t->p), 100000);
	for (int i = 0; i < 100000; i += 7) {
		snprintf(name, sizeof(name), "user%d@example.org", i);
		assert_int_equal(passwd_find(t->p, str_of(name), &u, t->home, &t->fault), PASSWD_FOUND);
		snprintf(name, sizeof(name), "{PLAIN}p%d", i);
		assert_str(u.password, str_of(name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(look_ups, set_up, tear_down),
		cmocka_unit_test_setup_teardown(malformed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(come_and_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
