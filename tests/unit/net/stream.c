/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plain streams over real sockets, against a bare socket at the far end: what is told and when, what
 * reading and writing say, what reaches the other side at the end; and how many system calls each of it
 * takes.
 */
#include "net/stream.h"

#include "net/shim.h"
#include "net/wire.h"
#include <errno.h>
#include <linux/tcp.h>

/* A stream, and the bare socket at its other end. */
struct bench {
	struct loop *loop;
	struct ear ear;
	int far;
	char room[8192];
};

static struct stream *near(struct bench *b)
{
	return &b->ear.stream;
}

static void open_on(struct bench *b, const int ends[static 2])
{
	b->loop = loop_new();
	b->far = ends[0];
	assert_true(stream_accept(near(b), b->loop, ends[1], ear_hear));
	settle(b->loop);
	assert_int_equal(b->ear.times, 0);
	shim_reset();
}

static void begin(struct bench *b)
{
	int ends[2];

	*b = (struct bench){ 0 };
	wire_tcp(ends, 0);
	open_on(b, ends);
}

static void begin_tight(struct bench *b)
{
	int ends[2];

	*b = (struct bench){ 0 };
	wire_tcp(ends, 4096);
	open_on(b, ends);
}

static void end(struct bench *b)
{
	stream_close(near(b));
	if (b->far >= 0)
		close(b->far);
	loop_free(b->loop);
}

static void say(struct bench *b, const char *text)
{
	far_write(b->loop, b->far, str_of(text));
	shim.send--;
}

static ssize_t take(struct bench *b)
{
	return stream_read(near(b), b->room, sizeof(b->room));
}

static void expect_read(struct bench *b, const char *text)
{
	ssize_t n = take(b);

	assert_true(n > 0);
	assert_str(((struct str){ b->room, (size_t)n }), str_of(text));
}

static void reads_what_came_with_one_call(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	assert_false(stream_readable(near(&b)));
	assert_int_equal(take(&b), STREAM_WAIT);
	say(&b, "a LOGIN x y\r\n");
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(b.ear.heard, STREAM_READABLE);
	assert_true(stream_readable(near(&b)));
	expect_read(&b, "a LOGIN x y\r\n");
	assert_false(stream_readable(near(&b)));
	assert_int_equal(take(&b), STREAM_WAIT);
	assert_int_equal(shim_calls(), 1);
	assert_int_equal(shim.recv, 1);
	end(&b);
}

/* What does not fit stays known without another event. */
static void remembers_what_was_left(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	say(&b, "12345678");
	ear_listen(&b.ear, STREAM_READABLE);
	for (int i = 0; i < 4; i++) {
		assert_true(stream_readable(near(&b)));
		assert_int_equal(stream_read(near(&b), b.room, 2), 2);
		assert_memory_equal(b.room, &"12345678"[2 * i], 2);
		settle(b.loop);
	}
	assert_int_equal(b.ear.times, 1);
	assert_int_equal(take(&b), STREAM_WAIT);
	assert_int_equal(shim.vain, 1);
	end(&b);
}

/* The trap of edge-triggered epoll: bytes and FIN in one event. */
static void sees_the_fin_that_came_with_the_data(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	say(&b, "bye");
	shutdown(b.far, SHUT_WR);
	shim_reset();
	ear_listen(&b.ear, STREAM_READABLE);
	assert_true(stream_ended(near(&b)));
	assert_false(stream_over(near(&b)));
	expect_read(&b, "bye");
	assert_true(stream_over(near(&b)));
	assert_true(stream_readable(near(&b)));
	assert_int_equal(take(&b), STREAM_END);
	assert_int_equal(take(&b), STREAM_END);
	assert_int_equal(shim_calls(), 1);
	end(&b);
}

static void sees_the_fin_that_came_later(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	say(&b, "bye");
	ear_listen(&b.ear, STREAM_READABLE);
	expect_read(&b, "bye");
	assert_false(stream_ended(near(&b)));
	shutdown(b.far, SHUT_WR);
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(take(&b), STREAM_END);
	/* the other direction lives on */
	assert_int_equal(stream_write(near(&b), "late", 4), 4);
	far_expect(b.loop, b.far, STR("late"));
	settle(b.loop);
	assert_int_equal(b.ear.times, 1);
	end(&b);
}

static void gives_the_last_bytes_before_a_reset(void **state)
{
	struct buf why;
	struct bench b;

	(void)state;
	begin(&b);
	say(&b, "221 bye\r\n");
	far_reset(b.far);
	b.far = -1;
	ear_listen(&b.ear, STREAM_FAILED);
	assert_true(b.ear.heard & STREAM_READABLE);
	expect_read(&b, "221 bye\r\n");
	assert_int_equal(take(&b), STREAM_BROKEN);
	assert_int_equal(take(&b), STREAM_BROKEN);
	assert_int_equal(stream_write(near(&b), "x", 1), STREAM_BROKEN);
	assert_false(stream_over(near(&b)));
	buf_init(&why, 256);
	stream_failure(near(&b), &why);
	assert_str(buf_text(&why), STR("(104: Connection reset by peer)"));
	buf_done(&why);
	settle(b.loop);
	assert_int_equal(b.ear.times, 1);
	end(&b);
}

/* The reset is found out by a read, before its event was told: the same, and nothing is told any more. */
static void a_read_may_find_the_reset(void **state)
{
	struct buf why;
	struct bench b;

	(void)state;
	begin(&b);
	say(&b, "221 bye\r\n");
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(stream_read(near(&b), b.room, 3), 3);
	far_reset(b.far);
	b.far = -1;
	assert_int_equal(stream_read(near(&b), b.room, 6), 6);
	assert_memory_equal(b.room, " bye\r\n", 6);
	assert_int_equal(take(&b), STREAM_BROKEN);
	buf_init(&why, 256);
	stream_failure(near(&b), &why);
	assert_str(buf_text(&why), STR("(104: Connection reset by peer)"));
	buf_done(&why);
	settle(b.loop);
	assert_int_equal(b.ear.times, 1);
	end(&b);
}

/* A failure that a call has already told is not told again by an event. */
static void tells_a_failure_once(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	far_reset(b.far);
	b.far = -1;
	assert_int_equal(stream_write(near(&b), "x", 1), STREAM_BROKEN);
	settle(b.loop);
	assert_int_equal(b.ear.times, 0);
	assert_int_equal(take(&b), STREAM_BROKEN);
	end(&b);
}

static void writes_with_one_call(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(stream_write(near(&b), "* OK\r\n", 6), 6);
	assert_int_equal(shim_calls(), 1);
	assert_false(stream_stuck(near(&b)));
	far_expect(b.loop, b.far, STR("* OK\r\n"));
	end(&b);
}

/* Fill the socket; then no call is made until there is room, which is told once. */
static void waits_for_room(void **state)
{
	static char bytes[1 << 20];
	struct dice dice = { 1 };
	struct bench b;
	size_t sent = 0;
	ssize_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)dice_roll(&dice, 256);
	begin_tight(&b);
	n = stream_write(near(&b), bytes, sizeof(bytes));
	assert_true(n > 0 && (size_t)n < sizeof(bytes));
	sent = (size_t)n;
	assert_true(stream_stuck(near(&b)));
	shim_reset();
	assert_int_equal(stream_write(near(&b), bytes + sent, sizeof(bytes) - sent), STREAM_WAIT);
	assert_int_equal(shim_calls(), 0);
	settle(b.loop);
	assert_int_equal(b.ear.times, 0);
	for (size_t seen = 0; seen < sizeof(bytes);) {
		size_t len = sent - seen < 1500 ? sent - seen : 1500;

		if (len == 0)
			ear_listen(&b.ear, STREAM_WRITABLE);
		far_expect(b.loop, b.far, (struct str){ bytes + seen, len });
		seen += len;
		if (stream_stuck(near(&b)) || sent == sizeof(bytes))
			continue;
		assert_int_equal(b.ear.heard, STREAM_WRITABLE);
		n = stream_write(near(&b), bytes + sent, sizeof(bytes) - sent);
		assert_true(n > 0);
		sent += (size_t)n;
	}
	/* each end of a wait was told, and nothing was tried in vain */
	assert_int_equal(shim.vain, 0);
	assert_int_equal(sent, sizeof(bytes));
	end(&b);
}

static void shuts_one_direction(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(stream_write(near(&b), "end", 3), 3);
	stream_shut(near(&b));
	stream_shut(near(&b));
	assert_int_equal(shim.shutdown, 1);
	far_expect(b.loop, b.far, STR("end"));
	assert_int_equal(far_end(b.loop, b.far), 0);
	say(&b, "still here");
	ear_listen(&b.ear, STREAM_READABLE);
	expect_read(&b, "still here");
	/* both directions are shut: a hang-up, which is an end and no failure */
	shutdown(b.far, SHUT_WR);
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(b.ear.heard, STREAM_READABLE);
	assert_int_equal(take(&b), STREAM_END);
	assert_int_equal(shim.sockopt, 0);
	end(&b);
}

static unsigned segments(const struct stream *s)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(s->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_segs_out;
}

static void sends_last_bytes_and_fin_as_one(void **state)
{
	struct bench b;
	unsigned before;

	(void)state;
	begin(&b);
	before = segments(near(&b));
	assert_int_equal(stream_write_last(near(&b), "BYE\r\n", 5), 5);
	assert_int_equal(segments(near(&b)) - before, 0);
	stream_shut(near(&b));
	assert_int_equal(segments(near(&b)) - before, 1);
	far_expect(b.loop, b.far, STR("BYE\r\n"));
	assert_int_equal(far_end(b.loop, b.far), 0);
	end(&b);
}

/* Unread bytes at close() would make it a reset that overtakes the last words. */
static void closing_does_not_swallow_the_last_words(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	say(&b, "one command too many\r\nand another\r\n");
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(stream_read(near(&b), b.room, 5), 5);
	say(&b, "and a third, of which no event has told\r\n");
	assert_int_equal(stream_write_last(near(&b), "BYE\r\n", 5), 5);
	stream_close(near(&b));
	far_expect(b.loop, b.far, STR("BYE\r\n"));
	assert_int_equal(far_end(b.loop, b.far), 0);
	end(&b);
}

static void closing_takes_one_call_when_all_was_read(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	shutdown(b.far, SHUT_WR);
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(take(&b), STREAM_END);
	shim_reset();
	stream_close(near(&b));
	assert_int_equal(shim_calls(), 1);
	assert_false(stream_is_open(near(&b)));
	stream_close(near(&b));
	assert_int_equal(shim_calls(), 1);
	assert_int_equal(far_end(b.loop, b.far), 0);
	end(&b);
}

static void resets(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	stream_reset(near(&b));
	assert_int_equal(shim.close, 1);
	assert_int_equal(shim_calls(), 2);
	assert_int_equal(far_end(b.loop, b.far), ECONNRESET);
	stream_reset(near(&b));
	assert_int_equal(shim.close, 1);
	end(&b);
}

static void peeks_without_taking(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(stream_peek(near(&b), b.room, 8), STREAM_WAIT);
	say(&b, "PROXY");
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(stream_peek(near(&b), b.room, 8), 5);
	assert_int_equal(stream_peek(near(&b), b.room, 3), 3);
	assert_true(stream_readable(near(&b)));
	expect_read(&b, "PROXY");
	assert_int_equal(stream_peek(near(&b), b.room, 8), STREAM_WAIT);
	shutdown(b.far, SHUT_WR);
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(stream_peek(near(&b), b.room, 8), STREAM_END);
	assert_int_equal(stream_read(near(&b), b.room, 8), STREAM_END);
	end(&b);
}

static struct ear *other_ear;

static void close_the_other(struct ear *e)
{
	struct ear *other = other_ear;

	stream_close(&e->stream);
	stream_close(&other->stream);
}

/* Both have news in one batch; whoever is told first closes both, and the other is never told. */
static void closed_streams_are_silent(void **state)
{
	struct bench a, b;
	int ends[2];

	(void)state;
	begin(&a);
	b = (struct bench){ .loop = a.loop };
	wire_tcp(ends, 0);
	b.far = ends[0];
	assert_true(stream_accept(near(&b), a.loop, ends[1], ear_hear));
	settle(a.loop);
	a.ear.also = b.ear.also = close_the_other;
	say(&a, "x");
	say(&b, "x");
	for (int i = 0; i < 100 && stream_is_open(near(&a)); i++) {
		other_ear = &b.ear;
		loop_turn(a.loop, 10);
	}
	assert_int_equal(a.ear.times + b.ear.times, 1);
	assert_false(stream_is_open(near(&b)));
	settle(a.loop);
	assert_int_equal(a.ear.times + b.ear.times, 1);
	close(b.far);
	end(&a);
}

static void connects(void **state)
{
	struct addr at, source = { .family = AF_INET, .ip4 = { 127, 0, 0, 9 } }, peer, local;
	int listening = wire_listen(&at, 0);
	struct bench b = { .loop = loop_new() };
	int nodelay = 0;
	socklen_t len = sizeof(nodelay);

	(void)state;
	shim_reset();
	assert_true(stream_connect(near(&b), b.loop, &at, NULL, ear_hear));
	assert_int_equal(b.ear.times, 0);
	ear_listen(&b.ear, STREAM_CONNECTED | STREAM_FAILED);
	assert_int_equal(b.ear.heard, STREAM_CONNECTED);
	/* socket, TCP_NODELAY, connect, epoll_ctl: nothing is asked afterwards */
	assert_int_equal(shim_calls(), 4);
	b.far = wire_accept(listening, &peer);
	assert_true(stream_local(near(&b), &local));
	assert_true(addr_eq(&local, &peer));
	assert_int_equal(getsockopt(near(&b)->watch.fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
	assert_true(nodelay);
	end(&b);

	b = (struct bench){ .loop = loop_new() };
	assert_true(stream_connect(near(&b), b.loop, &at, &source, ear_hear));
	ear_listen(&b.ear, STREAM_CONNECTED | STREAM_FAILED);
	b.far = wire_accept(listening, &peer);
	assert_true(addr_same_ip(&peer, &source));
	assert_true(stream_peer(near(&b), &peer));
	assert_true(addr_eq(&peer, &at));
	end(&b);
	close(listening);
}

/* The greeting may be there before we know that we are connected. */
static void connects_to_who_speaks_first(void **state)
{
	struct addr at, peer;
	int listening = wire_listen(&at, 0);
	struct bench b = { .loop = loop_new() };

	(void)state;
	assert_true(stream_connect(near(&b), b.loop, &at, NULL, ear_hear));
	b.far = wire_accept(listening, &peer);
	assert_int_equal(write(b.far, "220 hi\r\n", 8), 8);
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(b.ear.heard, STREAM_CONNECTED | STREAM_READABLE);
	expect_read(&b, "220 hi\r\n");
	close(listening);
	end(&b);
}

static void says_why_it_cannot_connect(void **state)
{
	struct addr at, nowhere = { .family = AF_UNIX, .path = "/nonexistent/socket" };
	int listening = wire_listen(&at, 0);
	struct bench b = { .loop = loop_new(), .far = -1 };
	struct buf why;

	(void)state;
	close(listening);
	buf_init(&why, 256);
	if (stream_connect(near(&b), b.loop, &at, NULL, ear_hear)) {
		ear_listen(&b.ear, STREAM_FAILED | STREAM_CONNECTED);
		assert_int_equal(b.ear.heard, STREAM_FAILED);
	}
	stream_failure(near(&b), &why);
	assert_str(buf_text(&why), STR("(111: Connection refused)"));
	stream_close(near(&b));

	assert_false(stream_connect(near(&b), b.loop, &nowhere, NULL, ear_hear));
	assert_false(stream_is_open(near(&b)));
	buf_clear(&why);
	stream_failure(near(&b), &why);
	assert_str(buf_text(&why), STR("(2: No such file or directory)"));
	buf_done(&why);
	end(&b);
}

static void cannot_bind(void **state)
{
	struct addr at, foreign = { .family = AF_INET, .ip4 = { 192, 0, 2, 1 } };
	struct addr other = { .family = AF_INET6, .ip6 = { [15] = 1 } };
	int listening = wire_listen(&at, 0);
	struct bench b = { .loop = loop_new(), .far = -1 };

	(void)state;
	shim_reset();
	assert_false(stream_connect(near(&b), b.loop, &at, &foreign, ear_hear));
	assert_int_equal(near(&b)->error, EADDRNOTAVAIL);
	assert_false(stream_connect(near(&b), b.loop, &at, &other, ear_hear));
	assert_int_not_equal(near(&b)->error, 0);
	/* and nothing is left open */
	assert_int_equal(shim.close, 2);
	assert_int_equal(shim.connect, 0);
	close(listening);
	end(&b);
}

/* A descriptor that cannot be watched stays the caller's. */
static void cannot_watch(void **state)
{
	struct bench b = { .loop = loop_new() };

	(void)state;
	b.far = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_false(stream_accept(near(&b), b.loop, b.far, ear_hear));
	assert_int_equal(errno, EPERM);
	assert_false(stream_is_open(near(&b)));
	assert_int_equal(write(b.far, "x", 1), 1);
	end(&b);
}

static void is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct stream) <= 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_came_with_one_call),
		cmocka_unit_test(remembers_what_was_left),
		cmocka_unit_test(sees_the_fin_that_came_with_the_data),
		cmocka_unit_test(sees_the_fin_that_came_later),
		cmocka_unit_test(gives_the_last_bytes_before_a_reset),
		cmocka_unit_test(a_read_may_find_the_reset),
		cmocka_unit_test(tells_a_failure_once),
		cmocka_unit_test(writes_with_one_call),
		cmocka_unit_test(waits_for_room),
		cmocka_unit_test(shuts_one_direction),
		cmocka_unit_test(sends_last_bytes_and_fin_as_one),
		cmocka_unit_test(closing_does_not_swallow_the_last_words),
		cmocka_unit_test(closing_takes_one_call_when_all_was_read),
		cmocka_unit_test(resets),
		cmocka_unit_test(peeks_without_taking),
		cmocka_unit_test(closed_streams_are_silent),
		cmocka_unit_test(connects),
		cmocka_unit_test(connects_to_who_speaks_first),
		cmocka_unit_test(says_why_it_cannot_connect),
		cmocka_unit_test(cannot_bind),
		cmocka_unit_test(cannot_watch),
		cmocka_unit_test(is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
