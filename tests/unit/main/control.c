/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: what is obeyed, what is refused, and what strangers to the protocol cannot do: hold the
 * master up, fill it, or take the place of another.
 */
#include "main/control.h"

#include "unit.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

const struct auth_kind *const auth_kinds[] = { NULL };

/* --- lines --- */

static void assert_says(struct auth_shared *shared, struct str line, const char *want)
{
	struct buf answer;

	buf_init(&answer, 1024);
	control_obey(shared, line, &answer);
	assert_str(buf_text(&answer), str_of(want));
	buf_done(&answer);
}

static void lines(void **state)
{
	struct auth_shared *shared = auth_shared_new();

	(void)state;
	assert_says(shared, STR("cache\tflush"), "ok 0 answers forgotten\n");
	assert_says(shared, STR("cache\tflush\tjoe@example.org"), "ok 0 answers forgotten\n");
	assert_says(NULL, STR("cache\tflush"), "ok 0 answers forgotten\n");
	assert_says(shared, STR("cache\tflush\ta\tb"), "error too many words behind \"cache flush\"\n");
	assert_says(shared, STR("cache\tflush\ta\tb\tc\td"), "error too many words behind \"cache flush\"\n");
	assert_says(shared, STR("cache"), "error unknown order \"cache\"\n");
	assert_says(shared, STR(""), "error unknown order \"\"\n");
	assert_says(shared, STR("\xff\t\""), "error unknown order \"\\xFF\\x09\\x22\"\n");
	assert_says(shared, STR("cache\tflush\rx"), "error a control character in the order\n");
	auth_shared_free(shared);
}

/* --- the socket --- */

struct fixture {
	struct loop *loop;
	struct control *control;
	struct auth_shared *shared;
	struct log log;
	char folder[64], path[128];
};

static void settle(struct fixture *f)
{
	control_settle(&f->control, f->loop, str_of(f->path), f->shared, &f->log);
}

static struct fixture *begin(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/tmp/postern-control-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/ctl", f->folder);
	f->loop = loop_new();
	f->shared = auth_shared_new();
	settle(f);
	assert_non_null(f->control);
	return f;
}

static void end(struct fixture *f)
{
	control_settle(&f->control, f->loop, STR(""), f->shared, &f->log);
	assert_null(f->control);
	assert_int_equal(rmdir(f->folder), 0);
	auth_shared_free(f->shared);
	loop_free(f->loop);
	free(f);
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, f->path, strlen(f->path));
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void turns(struct fixture *f)
{
	for (int i = 0; i < 20; i++)
		loop_turn(f->loop, 0);
}

/* All that came, until the other side closed: -1 when it has not. */
static ssize_t heard(int fd, char to[static 256])
{
	ssize_t n = recv(fd, to, 255, 0), more;

	if (n < 0)
		return errno == ECONNRESET ? 0 : -1;
	to[n] = '\0';
	more = n > 0 ? recv(fd, to + n, (size_t)(255 - n), 0) : 0;
	assert_true(more == 0 || (more < 0 && errno == ECONNRESET));
	return n;
}

static void one_line_one_answer(void **state)
{
	struct fixture *f = begin();
	struct stat st;
	char text[256];
	int fd = dial(f);

	(void)state;
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	send(fd, "cache\tfl", 8, 0);
	turns(f);
	assert_int_equal(heard(fd, text), -1);
	send(fd, "ush\ngarbage", 11, 0);
	turns(f);
	assert_true(heard(fd, text) > 0);
	assert_string_equal(text, "ok 0 answers forgotten\n");
	close(fd);
	end(f);
}

static void long_lines_and_silence(void **state)
{
	struct fixture *f = begin();
	char text[2 * CONTROL_LINE_MOST];
	int fd = dial(f), other = dial(f);

	(void)state;
	memset(text, 'x', sizeof(text));
	send(fd, text, sizeof(text), 0);
	close(other);
	turns(f);
	assert_int_equal(heard(fd, text), 0);
	close(fd);
	end(f);
}

static void a_crowd_is_turned_away(void **state)
{
	struct fixture *f = begin();
	char text[256];
	int fds[12];

	(void)state;
	for (int i = 0; i < 12; i++) {
		fds[i] = dial(f);
		turns(f);
	}
	assert_int_equal(heard(fds[11], text), 0);
	assert_int_equal(heard(fds[0], text), -1);
	close(fds[0]);
	close(fds[11]);
	turns(f);
	fds[0] = dial(f);
	send(fds[0], "cache\tflush\n", 12, 0);
	turns(f);
	assert_true(heard(fds[0], text) > 0);
	for (int i = 0; i < 11; i++)
		close(fds[i]);
	end(f);
}

/* An upgrade: the new master takes the path, and the old one leaves it alone. */
static void the_path_changes_hands(void **state)
{
	struct fixture *f = begin();
	struct control *heir = NULL, *first = f->control;
	struct stat st;

	(void)state;
	settle(f);
	assert_ptr_equal(f->control, first);
	control_settle(&heir, f->loop, str_of(f->path), f->shared, &f->log);
	assert_non_null(heir);
	control_settle(&f->control, f->loop, STR(""), f->shared, &f->log);
	assert_int_equal(stat(f->path, &st), 0);
	/* and back, when the new one is gone */
	control_settle(&heir, f->loop, STR(""), f->shared, &f->log);
	assert_int_not_equal(stat(f->path, &st), 0);
	settle(f);
	assert_int_equal(stat(f->path, &st), 0);
	unlink(f->path);
	settle(f);
	assert_int_equal(stat(f->path, &st), 0);
	end(f);
}

static void no_place_is_no_disaster(void **state)
{
	struct fixture *f = begin();
	struct control *c = NULL;

	(void)state;
	control_settle(&c, f->loop, STR("/nonexistent/ctl"), f->shared, &f->log);
	assert_null(c);
	/* what is no socket is not removed */
	control_settle(&c, f->loop, str_of(f->folder), f->shared, &f->log);
	assert_null(c);
	control_forget(NULL);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(one_line_one_answer),
		cmocka_unit_test(long_lines_and_silence),
		cmocka_unit_test(a_crowd_is_turned_away),
		cmocka_unit_test(the_path_changes_hands),
		cmocka_unit_test(no_place_is_no_disaster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
