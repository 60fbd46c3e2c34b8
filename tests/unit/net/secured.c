/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stream.c makes of a TLS link and its moods, tried with a link that is no secret (fake_link.h): when
 * the handshake is driven and told, what is known about readiness, what becomes of records that wait for
 * room.
 */
#include "net/fake_link.h"
#include "net/shim.h"
#include "net/wire.h"

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

static ssize_t take(struct bench *b)
{
	return stream_read(near(b), b->room, sizeof(b->room));
}

static void begin_accepted(struct bench *b, int buffer)
{
	int ends[2];

	*b = (struct bench){ .loop = loop_new() };
	wire_tcp(ends, buffer);
	b->far = ends[0];
	assert_true(stream_accept(near(b), b->loop, ends[1], ear_hear));
	settle(b->loop);
	fake_link_counts = (struct fake_link_counts){ 0 };
	shim_reset();
}

static void begin_connected(struct bench *b)
{
	struct addr at, peer;
	int listening = wire_listen(&at, 0);

	*b = (struct bench){ .loop = loop_new() };
	assert_true(stream_connect(near(b), b->loop, &at, NULL, ear_hear));
	b->far = wire_accept(listening, &peer);
	close(listening);
	ear_listen(&b->ear, STREAM_CONNECTED);
	fake_link_counts = (struct fake_link_counts){ 0 };
}

/* Secured, and nothing read. */
static void begin_secured(struct bench *b, int buffer)
{
	begin_accepted(b, buffer);
	stream_secure(near(b), NULL, NULL);
	far_write(b->loop, b->far, STR("H"));
	ear_listen(&b->ear, STREAM_SECURED);
	far_expect(b->loop, b->far, STR("H"));
	shim_reset();
}

static void end(struct bench *b)
{
	stream_close(near(b));
	if (b->far >= 0)
		close(b->far);
	loop_free(b->loop);
}

/* "d", length, disguised text. */
static void far_record(struct bench *b, const char *text)
{
	char record[2 + FAKE_RECORD_MAX] = { 'd', (char)strlen(text) };

	for (size_t i = 0; text[i] != '\0'; i++)
		record[2 + i] = text[i] ^ 0x55;
	far_write(b->loop, b->far, (struct str){ record, 2 + strlen(text) });
}

static void server_waits_for_the_client(void **state)
{
	struct bench b;

	(void)state;
	begin_accepted(&b, 0);
	stream_secure(near(&b), NULL, NULL);
	settle(b.loop);
	assert_int_equal(shim_calls(), 0);
	far_write(b.loop, b.far, STR("H"));
	shim_reset();
	ear_listen(&b.ear, STREAM_SECURED | STREAM_FAILED);
	assert_int_equal(b.ear.heard, STREAM_SECURED);
	assert_int_equal(shim.recv, 1);
	assert_int_equal(shim.send, 1);
	assert_int_equal(shim_calls(), 2);
	assert_int_equal(fake_link_counts.flushes, 1);
	assert_false(stream_readable(near(&b)));
	end(&b);
}

static void client_speaks_first(void **state)
{
	struct bench b;

	(void)state;
	begin_connected(&b);
	stream_secure(near(&b), NULL, "mail.example.org");
	far_expect(b.loop, b.far, STR("H"));
	far_write(b.loop, b.far, STR("H"));
	ear_listen(&b.ear, STREAM_SECURED | STREAM_FAILED);
	assert_int_equal(b.ear.heard, STREAM_SECURED);
	assert_int_equal(b.ear.times, 1);
	end(&b);
}

/* STARTTLS read to the byte with the handshake right behind it: no event will tell of that any more. */
static void handshake_lies_there_already(void **state)
{
	struct bench b;

	(void)state;
	begin_accepted(&b, 0);
	far_write(b.loop, b.far, STR("STARTTLS\r\nH"));
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(stream_read(near(&b), b.room, 10), 10);
	b.ear.times = 0;
	stream_secure(near(&b), NULL, NULL);
	assert_int_equal(b.ear.times, 0);
	ear_listen(&b.ear, STREAM_SECURED | STREAM_FAILED);
	assert_int_equal(b.ear.heard, STREAM_SECURED);
	end(&b);
}

/* … and the end behind it, all known before the handshake begins: what was said is still heard. */
static void client_has_left_already(void **state)
{
	struct bench b;

	(void)state;
	begin_accepted(&b, 0);
	far_write(b.loop, b.far, STR("STLS\r\nHd\1\x34"));
	shutdown(b.far, SHUT_WR);
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(stream_read(near(&b), b.room, 6), 6);
	stream_secure(near(&b), NULL, NULL);
	ear_listen(&b.ear, STREAM_SECURED | STREAM_FAILED);
	assert_int_equal(b.ear.heard, STREAM_SECURED | STREAM_READABLE);
	assert_int_equal(take(&b), 1);
	assert_int_equal(take(&b), STREAM_END);
	end(&b);
}

static void handshake_waits_for_room(void **state)
{
	struct bench b;

	(void)state;
	begin_connected(&b);
	shim_reset();
	shim.cut_fd = near(&b)->watch.fd;
	stream_secure(near(&b), NULL, NULL);
	settle(b.loop);
	assert_int_equal(shim.send, 1);
	shim.cut_fd = -1;
	loop_rouse(b.loop, &near(&b)->watch);
	far_expect(b.loop, b.far, STR("H"));
	far_write(b.loop, b.far, STR("H"));
	ear_listen(&b.ear, STREAM_SECURED | STREAM_FAILED);
	assert_int_equal(b.ear.heard, STREAM_SECURED);
	end(&b);
}

static void words_behind_the_handshake_are_told(void **state)
{
	struct bench b;

	(void)state;
	begin_accepted(&b, 0);
	stream_secure(near(&b), NULL, NULL);
	far_write(b.loop, b.far,
		  STR("Hd\1"
		      "\x34"));
	ear_listen(&b.ear, STREAM_SECURED);
	assert_int_equal(b.ear.heard, STREAM_SECURED | STREAM_READABLE);
	assert_int_equal(take(&b), 1);
	assert_int_equal(b.room[0], 'a');
	assert_false(stream_readable(near(&b)));
	end(&b);
}

static void failed_handshake_is_told_later_and_once(void **state)
{
	struct buf why;
	struct bench b;

	(void)state;
	begin_accepted(&b, 0);
	far_write(b.loop, b.far, STR("GET / HTTP/1.0\r\n\r\n"));
	stream_secure(near(&b), NULL, NULL);
	assert_int_equal(b.ear.times, 0);
	ear_listen(&b.ear, STREAM_SECURED | STREAM_FAILED);
	assert_int_equal(b.ear.heard, STREAM_FAILED);
	buf_init(&why, 64);
	stream_failure(near(&b), &why);
	assert_str(buf_text(&why), STR("(fake: not a record)"));
	buf_done(&why);
	far_write(b.loop, b.far, STR("more"));
	settle(b.loop);
	assert_int_equal(b.ear.times, 1);
	end(&b);
	assert_int_equal(fake_link_counts.shuts, 0);
}

static void leaving_in_the_handshake_is_a_failure(void **state)
{
	struct buf why;
	struct bench b;

	(void)state;
	begin_accepted(&b, 0);
	stream_secure(near(&b), NULL, NULL);
	shutdown(b.far, SHUT_WR);
	ear_listen(&b.ear, STREAM_SECURED | STREAM_FAILED);
	assert_int_equal(b.ear.heard, STREAM_FAILED);
	end(&b);

	begin_accepted(&b, 0);
	stream_secure(near(&b), NULL, NULL);
	far_reset(b.far);
	b.far = -1;
	ear_listen(&b.ear, STREAM_SECURED | STREAM_FAILED);
	assert_int_equal(b.ear.heard, STREAM_FAILED);
	buf_init(&why, 64);
	stream_failure(near(&b), &why);
	assert_true(why.len != 0);
	buf_done(&why);
	end(&b);
}

static void close_it(struct ear *e)
{
	stream_close(&e->stream);
}

static void closing_in_the_callback(void **state)
{
	struct bench b;

	(void)state;
	begin_accepted(&b, 0);
	b.ear.also = close_it;
	stream_secure(near(&b), NULL, NULL);
	far_write(b.loop, b.far,
		  STR("Hd\1"
		      "\x34"));
	for (int i = 0; i < 100 && stream_is_open(near(&b)); i++)
		loop_turn(b.loop, 10);
	assert_int_equal(b.ear.heard, STREAM_SECURED | STREAM_READABLE);
	assert_int_equal(fake_link_counts.flushes, 0);
	assert_int_equal(fake_link_counts.shuts, 1);
	end(&b);
}

static void many_records_are_one_read(void **state)
{
	struct bench b;

	(void)state;
	begin_secured(&b, 0);
	far_record(&b, "one ");
	far_record(&b, "two ");
	far_record(&b, "three");
	shim_reset();
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(take(&b), 13);
	assert_memory_equal(b.room, "one two three", 13);
	assert_int_equal(take(&b), STREAM_WAIT);
	assert_int_equal(shim_calls(), 1);
	end(&b);
}

static void what_is_inside_the_link_is_readable(void **state)
{
	struct bench b;

	(void)state;
	begin_secured(&b, 0);
	far_record(&b, "123456");
	ear_listen(&b.ear, STREAM_READABLE);
	for (int i = 0; i < 3; i++) {
		assert_true(stream_readable(near(&b)));
		assert_int_equal(stream_read(near(&b), b.room, 2), 2);
		assert_memory_equal(b.room, &"123456"[2 * i], 2);
	}
	settle(b.loop);
	assert_int_equal(b.ear.times, 1);
	assert_int_equal(take(&b), STREAM_WAIT);
	end(&b);
}

static void ends_with_close_notify_or_fin(void **state)
{
	struct bench b;

	(void)state;
	begin_secured(&b, 0);
	far_record(&b, "x");
	far_write(b.loop, b.far, (struct str){ "e", 2 });
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(take(&b), 1);
	assert_true(stream_over(near(&b)));
	assert_true(stream_ended(near(&b)));
	assert_int_equal(take(&b), STREAM_END);
	/* the other direction lives on */
	assert_int_equal(stream_write(near(&b), "a", 1), 1);
	far_expect(b.loop, b.far,
		   STR("d\1"
		       "\x34"));
	end(&b);

	begin_secured(&b, 0);
	far_record(&b, "x");
	shutdown(b.far, SHUT_WR);
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(take(&b), 1);
	assert_int_equal(take(&b), STREAM_END);
	end(&b);
}

static void rubbish_is_a_failure_that_the_read_tells(void **state)
{
	struct bench b;

	(void)state;
	begin_secured(&b, 0);
	far_record(&b, "good");
	far_write(b.loop, b.far, STR("?\1?"));
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(take(&b), 4);
	assert_int_equal(take(&b), STREAM_BROKEN);
	assert_int_equal(take(&b), STREAM_BROKEN);
	end(&b);
}

static void a_write_may_find_the_reset(void **state)
{
	struct bench b;

	(void)state;
	begin_secured(&b, 0);
	far_record(&b, "last words");
	far_reset(b.far);
	b.far = -1;
	assert_int_equal(stream_write(near(&b), "x", 1), STREAM_BROKEN);
	assert_int_equal(take(&b), 10);
	assert_int_equal(take(&b), STREAM_BROKEN);
	settle(b.loop);
	assert_int_equal(b.ear.times, 1);
	end(&b);
	assert_int_equal(fake_link_counts.shuts, 0);
}

static void says_goodbye_once(void **state)
{
	struct bench b;

	(void)state;
	begin_secured(&b, 0);
	stream_shut(near(&b));
	far_expect(b.loop, b.far, (struct str){ "e", 2 });
	assert_int_equal(far_end(b.loop, b.far), 0);
	far_record(&b, "still heard");
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(take(&b), 11);
	end(&b);
	assert_int_equal(fake_link_counts.shuts, 1);
}

/* Write until nothing goes any more; the count is that of the bytes which the link took. */
static size_t write_until_stuck(struct bench *b)
{
	static const char bytes[65536];
	ssize_t n = stream_write(near(b), bytes, sizeof(bytes));

	assert_true(n > 0 && (size_t)n < sizeof(bytes));
	assert_true(stream_stuck(near(b)));
	return (size_t)n;
}

static void far_drain(struct bench *b, unsigned until)
{
	char room[4096];

	b->ear.heard = 0;
	for (int i = 0; i < 1000 && !(b->ear.heard & until); i++) {
		recv(b->far, room, sizeof(room), MSG_DONTWAIT);
		loop_turn(b->loop, 1);
	}
	assert_int_equal(b->ear.heard & until, until);
}

/* A read that must write first waits for room, and the event that brings room is told as one that brings
 * bytes. */
static void reading_may_wait_for_room(void **state)
{
	struct bench b;

	(void)state;
	begin_secured(&b, 0);
	far_write(b.loop, b.far, (struct str){ "u", 2 });
	far_record(&b, "after");
	ear_listen(&b.ear, STREAM_READABLE);
	shim.cut_fd = near(&b)->watch.fd;
	assert_int_equal(take(&b), STREAM_WAIT);
	assert_false(stream_readable(near(&b)));
	shim.cut_fd = -1;
	loop_rouse(b.loop, &near(&b)->watch);
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(take(&b), 5);
	assert_memory_equal(b.room, "after", 5);
	far_expect(b.loop, b.far, (struct str){ "k", 2 });
	end(&b);
}

static void a_begun_record_is_offered_again(void **state)
{
	struct bench b;
	size_t n;

	(void)state;
	begin_secured(&b, 4096);
	n = write_until_stuck(&b);
	assert_int_equal(n % FAKE_RECORD_MAX, 0);
	shim_reset();
	assert_int_equal(stream_write(near(&b), b.room, 1), STREAM_WAIT);
	assert_int_equal(shim_calls(), 0);
	far_drain(&b, STREAM_WRITABLE);
	assert_true(stream_write(near(&b), b.room, sizeof(b.room)) > 0);
	end(&b);
	/* a record was on its way at the end, or none: close_notify must not come into the middle of one */
	assert_true(fake_link_counts.shuts <= 1);
}

/* A FIN may not overtake close_notify, which had no room: it follows when there is some. */
static void goodbye_waits_for_room(void **state)
{
	struct bench b;

	(void)state;
	begin_secured(&b, 0);
	shim.cut_fd = near(&b)->watch.fd;
	shim.cut_room = 1;
	stream_shut(near(&b));
	assert_int_equal(shim.shutdown, 0);
	far_expect(b.loop, b.far, STR("e"));
	/* meanwhile reading goes on */
	far_record(&b, "x");
	ear_listen(&b.ear, STREAM_READABLE);
	assert_int_equal(take(&b), 1);
	shim.cut_fd = -1;
	loop_rouse(b.loop, &near(&b)->watch);
	far_expect(b.loop, b.far, (struct str){ "", 1 });
	assert_int_equal(far_end(b.loop, b.far), 0);
	assert_int_equal(shim.shutdown, 1);
	assert_int_equal(fake_link_counts.shuts, 1);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_waits_for_the_client),
		cmocka_unit_test(client_speaks_first),
		cmocka_unit_test(handshake_lies_there_already),
		cmocka_unit_test(client_has_left_already),
		cmocka_unit_test(handshake_waits_for_room),
		cmocka_unit_test(words_behind_the_handshake_are_told),
		cmocka_unit_test(failed_handshake_is_told_later_and_once),
		cmocka_unit_test(leaving_in_the_handshake_is_a_failure),
		cmocka_unit_test(closing_in_the_callback),
		cmocka_unit_test(many_records_are_one_read),
		cmocka_unit_test(what_is_inside_the_link_is_readable),
		cmocka_unit_test(ends_with_close_notify_or_fin),
		cmocka_unit_test(rubbish_is_a_failure_that_the_read_tells),
		cmocka_unit_test(a_write_may_find_the_reset),
		cmocka_unit_test(says_goodbye_once),
		cmocka_unit_test(goodbye_waits_for_room),
		cmocka_unit_test(reading_may_wait_for_room),
		cmocka_unit_test(a_begun_record_is_offered_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
