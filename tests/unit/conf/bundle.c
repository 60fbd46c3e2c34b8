/* SPDX-License-Identifier: BSD-2-Clause */
/* The bundle: the world asked once, sealed, replayed; and bytes that are no bundle. */
#include "conf/bundle.h"

#include "base/buf.h"
#include "base/mem.h"
#include "unit.h"
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* A folder of the test's own. */
struct folder {
	char path[64];
};

static char *in(const struct folder *f, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return path;
}

static void folder_init(struct folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/postern-bundle-XXXXXX");
	assert_non_null(mkdtemp(f->path));
}

static void put_file(const struct folder *f, const char *name, const char *bytes, size_t len)
{
	FILE *to = fopen(in(f, name), "we");

	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, len, to), len);
	assert_int_equal(fclose(to), 0);
}

static struct bundle *replayed(const struct bundle *b)
{
	int fd = bundle_seal(b);
	struct bundle *again;

	assert_true(fd >= 0);
	again = bundle_replay(fd);
	assert_non_null(again);
	close(fd);
	return again;
}

static struct str answer_of(struct bundle *b, enum bundle_kind kind, const char *key)
{
	struct str answer = { NULL, 0 };
	int error = 0;

	assert_true(bundle_ask(b, kind, str_of(key), &answer, &error));
	assert_int_equal(answer.at[answer.len], '\0');
	return answer;
}

static int error_of(struct bundle *b, enum bundle_kind kind, struct str key)
{
	struct str answer;
	int error = -12345;

	assert_false(bundle_ask(b, kind, key, &answer, &error));
	return error;
}

static void the_world_is_asked_once(void **state)
{
	struct folder f;
	struct bundle *b = bundle_record(), *again;
	struct str first;

	(void)state;
	folder_init(&f);
	put_file(&f, "a", "one\0two", 7);
	first = answer_of(b, BUNDLE_FILE, in(&f, "a"));
	assert_str(first, STR("one\0two"));
	assert_int_equal(error_of(b, BUNDLE_FILE, str_of(in(&f, "b"))), ENOENT);
	put_file(&f, "a", "changed", 7);
	put_file(&f, "b", "new", 3);
	for (int i = 0; i < 100; i++) {
		char key[32];

		snprintf(key, sizeof(key), "/no/such/%d", i);
		assert_int_equal(error_of(b, BUNDLE_FILE, str_of(key)), ENOENT);
	}
	assert_str(answer_of(b, BUNDLE_FILE, in(&f, "a")), STR("one\0two"));
	assert_ptr_equal(answer_of(b, BUNDLE_FILE, in(&f, "a")).at, first.at);
	assert_int_equal(error_of(b, BUNDLE_FILE, str_of(in(&f, "b"))), ENOENT);
	/* another kind is another question */
	assert_str(answer_of(b, BUNDLE_CONF, in(&f, "a")), STR("changed"));
	again = replayed(b);
	assert_str(answer_of(again, BUNDLE_FILE, in(&f, "a")), STR("one\0two"));
	assert_str(answer_of(again, BUNDLE_CONF, in(&f, "a")), STR("changed"));
	assert_int_equal(error_of(again, BUNDLE_FILE, str_of(in(&f, "b"))), ENOENT);
	assert_int_equal(error_of(again, BUNDLE_FILE, STR("/etc/passwd")), ENOENT);
	bundle_free(again);
	bundle_free(b);
	unlink(in(&f, "a"));
	unlink(in(&f, "b"));
	rmdir(f.path);
}

static void files_of_all_kinds(void **state)
{
	enum { LIMIT = 16 << 20 };
	struct folder f;
	struct bundle *b = bundle_record();
	char *large = mem_new(LIMIT + 1);
	int ends[2];
	char fifo[64];

	(void)state;
	folder_init(&f);
	put_file(&f, "empty", "", 0);
	assert_int_equal(answer_of(b, BUNDLE_FILE, in(&f, "empty")).len, 0);
	memset(large, 'x', LIMIT + 1);
	put_file(&f, "large", large, LIMIT);
	assert_int_equal(answer_of(b, BUNDLE_FILE, in(&f, "large")).len, LIMIT);
	put_file(&f, "larger", large, LIMIT + 1);
	assert_int_equal(error_of(b, BUNDLE_FILE, str_of(in(&f, "larger"))), EFBIG);
	assert_int_equal(error_of(b, BUNDLE_FILE, str_of(f.path)), EISDIR);
	assert_int_equal(error_of(b, BUNDLE_FILE, (struct str)LIT("/etc/passwd\0x")), ENOENT);
	assert_int_equal(error_of(b, BUNDLE_FILE, STR("")), ENOENT);
	/* a pipe tells no size and comes in pieces */
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], large, 10000), 10000);
	close(ends[1]);
	snprintf(fifo, sizeof(fifo), "/dev/fd/%d", ends[0]);
	assert_int_equal(answer_of(b, BUNDLE_FILE, fifo).len, 10000);
	close(ends[0]);
	bundle_free(b);
	free(large);
	unlink(in(&f, "empty"));
	unlink(in(&f, "large"));
	unlink(in(&f, "larger"));
	rmdir(f.path);
}

static void patterns(void **state)
{
	struct folder f;
	struct bundle *b = bundle_record(), *again;
	char text[256], pattern[128];
	struct str want = { text, 0 };

	(void)state;
	folder_init(&f);
	put_file(&f, "b.conf", "", 0);
	put_file(&f, "a.conf", "", 0);
	put_file(&f, ".c.conf", "", 0);
	put_file(&f, "d.txt", "", 0);
	snprintf(pattern, sizeof(pattern), "%s/*.conf", f.path);
	want.len = (size_t)snprintf(text, sizeof(text), "%s/a.conf%c%s/b.conf", f.path, '\0', f.path) + 1;
	assert_str(answer_of(b, BUNDLE_GLOB, pattern), want);
	snprintf(text, sizeof(text), "%s/*.none", f.path);
	assert_int_equal(answer_of(b, BUNDLE_GLOB, text).len, 0);
	again = replayed(b);
	assert_str(answer_of(again, BUNDLE_GLOB, pattern), answer_of(b, BUNDLE_GLOB, pattern));
	bundle_free(again);
	bundle_free(b);
	unlink(in(&f, "b.conf"));
	unlink(in(&f, "a.conf"));
	unlink(in(&f, ".c.conf"));
	unlink(in(&f, "d.txt"));
	rmdir(f.path);
}

static void hosts(void **state)
{
	struct bundle *b = bundle_record(), *again;
	struct str local;
	int error;

	(void)state;
	assert_str(answer_of(b, BUNDLE_HOST, "192.0.2.1"), STR("192.0.2.1\0"));
	local = answer_of(b, BUNDLE_HOST, "localhost");
	assert_true(str_starts(local, STR("127.0.0.1\0")) || str_starts(local, STR("::1\0")));
	error = error_of(b, BUNDLE_HOST, STR("no such host"));
	assert_true(error == EAI_NONAME || error == EAI_AGAIN || error == EAI_FAIL);
	again = replayed(b);
	assert_str(answer_of(again, BUNDLE_HOST, "localhost"), local);
	assert_int_equal(error_of(again, BUNDLE_HOST, STR("no such host")), error);
	bundle_free(again);
	bundle_free(b);
}

static void facts(void **state)
{
	struct bundle *b = bundle_record(), *again;
	struct str name = answer_of(b, BUNDLE_FACT, "hostname");
	uint64_t n;

	(void)state;
	assert_true(name.len > 0);
	for (size_t i = 0; i < name.len; i++)
		assert_false(name.at[i] >= 'A' && name.at[i] <= 'Z');
	assert_true(str_number(answer_of(b, BUNDLE_FACT, "cpus"), 1 << 20, &n) && n > 0);
	assert_true(str_number(answer_of(b, BUNDLE_FACT, "euid"), UINT32_MAX, &n) && n == geteuid());
	assert_true(str_number(answer_of(b, BUNDLE_FACT, "nofile"), UINT64_MAX, &n) && n > 0);
	assert_str(answer_of(b, BUNDLE_FACT, "user root"), STR("0"));
	assert_str(answer_of(b, BUNDLE_FACT, "group root"), STR("0"));
	assert_int_equal(error_of(b, BUNDLE_FACT, STR("user no such user")), 0);
	assert_int_equal(error_of(b, BUNDLE_FACT, STR("group no such group")), 0);
	assert_int_equal(error_of(b, BUNDLE_FACT, STR("nothing")), ENOENT);
	assert_int_equal(error_of(b, BUNDLE_FACT, STR("cpus2")), ENOENT);
	bundle_note(b, STR("globals"), STR("daemon off;"));
	bundle_note(b, STR("globals"), STR("daemon on;"));
	bundle_note(b, STR("nothing"), STR(""));
	again = replayed(b);
	assert_str(answer_of(again, BUNDLE_FACT, "hostname"), name);
	assert_str(answer_of(again, BUNDLE_FACT, "globals"), STR("daemon on;"));
	assert_int_equal(answer_of(again, BUNDLE_FACT, "nothing").len, 0);
	assert_int_equal(error_of(again, BUNDLE_FACT, STR("user no such user")), 0);
	bundle_free(again);
	bundle_free(b);
}

static void collect(void *to, struct str key, struct str answer)
{
	buf_format(to, "%.*s=%.*s;", STR_ARG(key), STR_ARG(answer));
}

static void visits_in_the_order_of_questions(void **state)
{
	struct bundle *b = bundle_record(), *again;
	struct buf got;

	(void)state;
	bundle_put(b, BUNDLE_CONF, STR("b"), STR("1"));
	bundle_put(b, BUNDLE_FILE, STR("f"), STR("2"));
	error_of(b, BUNDLE_CONF, STR("/no/such"));
	bundle_put(b, BUNDLE_CONF, STR("a"), STR("3"));
	bundle_put(b, BUNDLE_CONF, STR("b"), STR("4"));
	again = replayed(b);
	buf_init(&got, 4096);
	bundle_each(b, BUNDLE_CONF, collect, &got);
	bundle_each(again, BUNDLE_CONF, collect, &got);
	assert_str(buf_text(&got), STR("b=4;a=3;b=4;a=3;"));
	buf_done(&got);
	bundle_free(again);
	bundle_free(b);
}

static void nobody_can_change_what_is_sealed(void **state)
{
	struct bundle *b = bundle_record();
	int fd;

	(void)state;
	bundle_note(b, STR("a"), STR("b"));
	fd = bundle_seal(b);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_ptr_equal(mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	close(fd);
	bundle_free(b);
}

/* A sealed memory file with any bytes. */
static int sealed_file(const char *bytes, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	return fd;
}

/* True if it was taken for a bundle; all that it then answers is looked at. */
static bool taken(const char *bytes, size_t len)
{
	int fd = sealed_file(bytes, len);
	struct bundle *b = bundle_replay(fd);
	struct buf all;

	close(fd);
	if (b == NULL) {
		assert_int_equal(errno, EINVAL);
		return false;
	}
	buf_init(&all, 1 << 20);
	for (unsigned kind = BUNDLE_CONF; kind <= BUNDLE_FACT; kind++)
		bundle_each(b, (enum bundle_kind)kind, collect, &all);
	buf_done(&all);
	bundle_free(b);
	return true;
}

static size_t good_bytes(char *to, size_t room)
{
	struct bundle *b = bundle_record();
	ssize_t len;
	int fd;

	bundle_put(b, BUNDLE_CONF, STR("/etc/postern.conf"), STR("mail { }"));
	error_of(b, BUNDLE_FILE, STR("/no/such"));
	bundle_note(b, STR("globals"), STR(""));
	fd = bundle_seal(b);
	len = pread(fd, to, room, 0);
	assert_true(len > 0 && (size_t)len < room);
	close(fd);
	bundle_free(b);
	return (size_t)len;
}

static void damage_is_an_error(void **state)
{
	char good[1024], bad[1025];
	size_t len = good_bytes(good, sizeof(good));
	struct dice d = { 1 };

	(void)state;
	assert_true(taken(good, len));
	for (size_t cut = 1; cut < len; cut++)
		assert_false(taken(good, cut));
	memcpy(bad, good, len);
	bad[len] = '\0';
	assert_false(taken(bad, len + 1));
	for (size_t i = 0; i < 20000; i++) {
		memcpy(bad, good, len);
		for (uint64_t n = 0; n <= dice_roll(&d, 3); n++)
			bad[dice_roll(&d, len)] = (char)dice_roll(&d, 256);
		taken(bad, len);
	}
}

static void only_sealed_files_are_believed(void **state)
{
	char good[1024];
	size_t len = good_bytes(good, sizeof(good));
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING), ends[2];

	(void)state;
	assert_int_equal(write(fd, good, len), (ssize_t)len);
	assert_null(bundle_replay(fd));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	assert_null(bundle_replay(fd));
	close(fd);
	assert_int_equal(pipe(ends), 0);
	assert_null(bundle_replay(ends[0]));
	close(ends[0]);
	close(ends[1]);
	assert_null(bundle_replay(-1));
	assert_int_equal(errno, EBADF);
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
	assert_null(bundle_replay(fd));
	close(fd);
}

static void put_into(void *arg)
{
	bundle_note(arg, STR("a"), STR("b"));
}

static void replayed_bundles_take_nothing(void **state)
{
	struct bundle *b = bundle_record(), *again = replayed(b);

	(void)state;
	assert_aborts(put_into, again);
	bundle_free(again);
	bundle_free(b);
	bundle_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_world_is_asked_once),
		cmocka_unit_test(files_of_all_kinds),
		cmocka_unit_test(patterns),
		cmocka_unit_test(hosts),
		cmocka_unit_test(facts),
		cmocka_unit_test(visits_in_the_order_of_questions),
		cmocka_unit_test(nobody_can_change_what_is_sealed),
		cmocka_unit_test(damage_is_an_error),
		cmocka_unit_test(only_sealed_files_are_believed),
		cmocka_unit_test(replayed_bundles_take_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
