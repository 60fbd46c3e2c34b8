/* SPDX-License-Identifier: BSD-2-Clause */
/* The SQLite store: what is put is found, hostile names are just names, changes come together or not at all,
 * and everything that may be wrong with a file is told in words. */
#include "store/store.h"

#include "unit.h"
#include <string.h>
#include <sys/stat.h>

struct trial {
	char folder[64], path[96];
	struct store *s;
	struct arena *home;
	struct buf fault;
	size_t seen;
	char names[256];
};

static int set_up(void **state)
{
	struct trial *t = calloc(1, sizeof(*t));

	snprintf(t->folder, sizeof(t->folder), "/tmp/postern-unit-store-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	snprintf(t->path, sizeof(t->path), "%s/users.db", t->folder);
	t->home = arena_new(1024);
	buf_init(&t->fault, STORE_FAULT_MAX);
	t->s = store_open(t->path, STORE_CREATE, &t->fault);
	if (t->s == NULL)
		print_error("%.*s\n", STR_ARG(buf_text(&t->fault)));
	assert_non_null(t->s);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct trial *t = *state;

	store_close(t->s);
	unlink(t->path);
	assert_int_equal(rmdir(t->folder), 0);
	arena_free(t->home);
	buf_done(&t->fault);
	free(t);
	return 0;
}

static void add(struct trial *t, struct str name)
{
	struct user u = { .name = name, .password = STR("{PLAIN}x") };

	assert_int_equal(store_put(t->s, &u, STORE_ADD, &t->fault), STORE_GOOD);
}

static void put_and_found(void **state)
{
	struct trial *t = *state;
	struct user u = { .name = STR("Jane@example.org"),
			  .password = STR("{PLAIN}x"),
			  .route = STR("group"),
			  .login = STR("jroe"),
			  .networks = STR("192.0.2.0/24"),
			  .protocols = STR("imap"),
			  .comment = STR("Jane Roe"),
			  .disabled = true },
		    got;
	struct stat st;

	assert_int_equal(store_find(t->s, u.name, &got, t->home, &t->fault), STORE_NONE);
	assert_int_equal(store_put(t->s, &u, STORE_CHANGE, &t->fault), STORE_NONE);
	assert_int_equal(store_put(t->s, &u, STORE_ADD, &t->fault), STORE_GOOD);
	assert_int_equal(store_find(t->s, STR("jane@EXAMPLE.org"), &got, t->home, &t->fault), STORE_GOOD);
	assert_str(got.name, u.name);
	assert_str(got.password, u.password);
	assert_str(got.route, u.route);
	assert_str(got.login, u.login);
	assert_str(got.networks, u.networks);
	assert_str(got.protocols, u.protocols);
	assert_str(got.comment, u.comment);
	assert_true(got.disabled);
	assert_true(got.created > 1700000000 && got.changed >= got.created);
	u.name = STR("JANE@example.org");
	assert_int_equal(store_put(t->s, &u, STORE_ADD, &t->fault), STORE_NONE);
	u.route = STR("");
	u.disabled = false;
	assert_int_equal(store_put(t->s, &u, STORE_REPLACE, &t->fault), STORE_GOOD);
	assert_int_equal(store_find(t->s, u.name, &got, t->home, &t->fault), STORE_GOOD);
	assert_str(got.name, STR("Jane@example.org"));
	assert_int_equal(got.route.len, 0);
	assert_false(got.disabled);
	assert_int_equal(store_delete(t->s, u.name, &t->fault), STORE_GOOD);
	assert_int_equal(store_delete(t->s, u.name, &t->fault), STORE_NONE);
	assert_int_equal(stat(t->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void hostile_names(void **state)
{
	static const struct str names[] = { LIT("' OR 1=1 --"), LIT("\"; DROP TABLE users; --"),
					    LIT("%"),		LIT("_"),
					    LIT("a\0b"),	LIT("\xff\xfe"),
					    LIT("?1") };
	struct trial *t = *state;
	struct user got;

	add(t, STR("a"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(store_find(t->s, names[i], &got, t->home, &t->fault), STORE_NONE);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		add(t, names[i]);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(store_find(t->s, names[i], &got, t->home, &t->fault), STORE_GOOD);
		assert_str(got.name, names[i]);
	}
}

static void note(void *to, const struct user *u)
{
	struct trial *t = to;

	t->seen++;
	strncat(t->names, u->name.at, u->name.len);
}

static void together(void **state)
{
	struct trial *t = *state;
	struct user got;

	assert_true(store_begin(t->s, &t->fault));
	add(t, STR("lost"));
	store_close(t->s);
	t->s = store_open(t->path, STORE_WRITE, &t->fault);
	assert_non_null(t->s);
	assert_int_equal(store_find(t->s, STR("lost"), &got, t->home, &t->fault), STORE_NONE);
	assert_true(store_begin(t->s, &t->fault));
	add(t, STR("b"));
	add(t, STR("A"));
	assert_true(store_keep(t->s, &t->fault));
	assert_int_equal(store_each(t->s, note, t, &t->fault), STORE_GOOD);
	assert_int_equal(t->seen, 2);
	assert_string_equal(t->names, "Ab");
}

/* A reader while somebody writes, and then waits no longer. */
static void locked(void **state)
{
	struct trial *t = *state;
	struct store *reader = store_open(t->path, STORE_READ, &t->fault);
	struct user got;

	add(t, STR("a"));
	assert_non_null(reader);
	assert_true(store_begin(t->s, &t->fault));
	add(t, STR("b"));
	assert_int_equal(store_find(reader, STR("a"), &got, t->home, &t->fault), STORE_GOOD);
	assert_int_equal(store_find(reader, STR("b"), &got, t->home, &t->fault), STORE_NONE);
	assert_true(store_keep(t->s, &t->fault));
	assert_int_equal(store_find(reader, STR("b"), &got, t->home, &t->fault), STORE_GOOD);
	assert_int_equal(store_put(reader, &got, STORE_REPLACE, &t->fault), STORE_FAILED);
	assert_non_null(strstr(t->fault.at, "cannot be written"));
	store_close(reader);
}

static void refused(struct trial *t, enum store_mode mode, const char *word)
{
	store_close(t->s);
	t->s = store_open(t->path, mode, &t->fault);
	assert_null(t->s);
	buf_put_byte(&t->fault, '\0');
	if (strstr(t->fault.at, word) == NULL || strstr(t->fault.at, t->path) == NULL)
		print_error("%s\n", t->fault.at);
	assert_non_null(strstr(t->fault.at, word));
	assert_non_null(strstr(t->fault.at, t->path));
}

static void overwrite(struct trial *t, const char *text)
{
	FILE *f = fopen(t->path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void wrong_files(void **state)
{
	struct trial *t = *state;

	overwrite(t, "this is no database, however long it may be: it has not even the right first words");
	refused(t, STORE_READ, "no SQLite database");
	refused(t, STORE_CREATE, "no SQLite database");
	overwrite(t, "");
	refused(t, STORE_READ, "no table of users yet");
	unlink(t->path);
	refused(t, STORE_READ, "is not there");
	refused(t, STORE_WRITE, "is not there");
	assert_int_equal(mkdir(t->path, 0700), 0);
	refused(t, STORE_READ, "is no file");
	assert_int_equal(rmdir(t->path), 0);
	snprintf(t->path, sizeof(t->path), "%s/nowhere/users.db", t->folder);
	refused(t, STORE_CREATE, "make its folder first");
}

/* user_version stands in the four bytes from 60 on, big-endian. */
static void newer_version(void **state)
{
	struct trial *t = *state;
	FILE *f = fopen(t->path, "r+");

	assert_non_null(f);
	assert_int_equal(fseek(f, 63, SEEK_SET), 0);
	fputc(9, f);
	fclose(f);
	refused(t, STORE_READ, "version 9");
	refused(t, STORE_WRITE, "version 9");
	f = fopen(t->path, "r+");
	fseek(f, 63, SEEK_SET);
	fputc(0, f);
	fclose(f);
	refused(t, STORE_WRITE, "is not postern's");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(put_and_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(locked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(newer_version, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
