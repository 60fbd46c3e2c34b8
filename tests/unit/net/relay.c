/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The relay between two parties that write and read as the dice will have it, over unix sockets, TCP with
 * small and large buffers, and a link that behaves as TLS does. Whatever happens, what arrives must be what
 * was sent.
 *
 * This file is built twice: with the link of fake_link.c, and with the real one (see `secrets.h`).
 */
#include "net/relay.h"

#include "net/secrets.h"
#include "net/shim.h"
#include "net/wire.h"
#include <linux/sockios.h>
#include <sys/ioctl.h>

enum kind { UNIX, TCP, SECRET, KINDS };

/* Who talks to the proxy: a client or a server. */
struct party {
	struct stream stream;
	uint64_t seed;	      /* of the bytes it sends */
	uint64_t said, heard; /* bytes so far */
	uint64_t total;	      /* how much it has to say */
	uint64_t owed;	      /* offered and not taken: to be offered again */
	bool ended, broken;   /* what it heard at the end */
	bool shut;
};

/* The proxy, and both parties on the same loop. */
struct house {
	struct loop *loop;
	struct party client, server;
	struct stream front, back; /* the proxy's ends */
	struct relay relay;
	bool over;
	enum relay_end why;
	struct dice dice;
};

enum { GUARD = 400000, CHUNK_MAX = 64 * 1024 };

static char scratch[CHUNK_MAX];

/* What stands at a place of what a party says. */
static char byte_of(uint64_t seed, uint64_t place)
{
	return (char)((place + seed) * 0x9e3779b97f4a7c15 >> 56);
}

/* Parties look at their streams by themselves. */
static void party_event(struct stream *s, unsigned what)
{
	(void)s;
	(void)what;
}

static void front_event(struct stream *s, unsigned what)
{
	relay_event(&CONTAINER(s, struct house, front)->relay, s, what);
}

static void back_event(struct stream *s, unsigned what)
{
	relay_event(&CONTAINER(s, struct house, back)->relay, s, what);
}

static void done(struct relay *r, enum relay_end why)
{
	struct house *h = CONTAINER(r, struct house, relay);

	assert_false(h->over);
	h->over = true;
	h->why = why;
	stream_close(&h->front);
	stream_close(&h->back);
}

static void pair_streams(struct house *h, enum kind kind, int buffer)
{
	int front[2], back[2];

	if (kind != UNIX) {
		wire_streams(h->loop, buffer, &h->client.stream, &h->front);
		wire_streams(h->loop, buffer, &h->back, &h->server.stream);
		return;
	}
	wire_unix(front, buffer);
	wire_unix(back, buffer);
	assert_true(stream_accept(&h->client.stream, h->loop, front[0], party_event));
	assert_true(stream_accept(&h->front, h->loop, front[1], party_event));
	assert_true(stream_accept(&h->back, h->loop, back[0], party_event));
	assert_true(stream_accept(&h->server.stream, h->loop, back[1], party_event));
}

static void house_open(struct house *h, enum kind kind, int buffer)
{
	*h = (struct house){ .loop = loop_new(), .dice = { 42 }, .client.seed = 1, .server.seed = 77 };
	pair_streams(h, kind, buffer);
	if (kind == SECRET) {
		wire_secure(&h->client.stream, &h->front);
		wire_secure(&h->back, &h->server.stream);
	}
	h->client.stream.fn = h->server.stream.fn = party_event;
	h->relay = (struct relay){
		.client = &h->front, .server = &h->back, .done = done, .idle_ms = 3600 * 1000
	};
	shim_reset();
}

static void house_close(struct house *h)
{
	relay_stop(&h->relay);
	stream_close(&h->front);
	stream_close(&h->back);
	stream_close(&h->client.stream);
	stream_close(&h->server.stream);
	loop_free(h->loop);
}

static void start_with(struct house *h, struct str early, struct str late)
{
	h->front.fn = front_event;
	h->back.fn = back_event;
	relay_start(&h->relay, early, late);
	assert_false(h->over);
}

static void start(struct house *h)
{
	start_with(h, STR(""), STR(""));
}

/* Say up to `most` bytes of what is left. */
static void say(struct party *p, uint64_t most)
{
	uint64_t len = p->total - p->said;
	ssize_t n;

	if (len > most)
		len = most > p->owed ? most : p->owed;
	if (len > CHUNK_MAX)
		len = CHUNK_MAX;
	if (len == 0 || p->broken)
		return;
	for (uint64_t i = 0; i < len; i++)
		scratch[i] = byte_of(p->seed, p->said + i);
	n = stream_write(&p->stream, scratch, len);
	if (n == STREAM_BROKEN)
		p->broken = true;
	if (n >= 0) {
		p->said += (uint64_t)n;
		p->owed = len - (uint64_t)n;
	}
}

/* Hear up to `most` bytes, each of which must be the next that `from` said. */
static void hear(struct party *p, const struct party *from, size_t most)
{
	ssize_t n;

	if (p->ended || p->broken || most == 0)
		return;
	n = stream_read(&p->stream, scratch, most < CHUNK_MAX ? most : CHUNK_MAX);
	p->ended |= n == STREAM_END;
	p->broken |= n == STREAM_BROKEN;
	for (ssize_t i = 0; i < n; i++)
		if (scratch[i] != byte_of(from->seed, p->heard + (uint64_t)i))
			fail_msg("byte %zu is not what was sent", (size_t)p->heard + (size_t)i);
	if (n > 0)
		p->heard += (uint64_t)n;
}

static void shut_when_said(struct party *p)
{
	if (p->said == p->total && !p->shut && !p->broken) {
		stream_shut(&p->stream);
		p->shut = true;
	}
}

/* Sizes of any order of magnitude. */
static size_t any_size(struct dice *d)
{
	return (size_t)dice_roll(d, (uint64_t)1 << dice_roll(d, 17)) + 1;
}

/* True when the party did anything. */
static bool act(struct house *h, struct party *p, const struct party *from)
{
	uint64_t before = p->said + p->heard;

	if (dice_roll(&h->dice, 3) != 0)
		say(p, any_size(&h->dice));
	if (dice_roll(&h->dice, 3) != 0)
		hear(p, from, any_size(&h->dice));
	if (dice_roll(&h->dice, 4) == 0)
		shut_when_said(p);
	return p->said + p->heard != before;
}

/* Mostly the dice alone keep everybody silent; only after many idle turns is the kernel waited for. */
static void live(struct house *h)
{
	int idle = 0;

	for (int i = 0; i < GUARD && !(h->over && h->client.ended && h->server.ended); i++) {
		bool acted = act(h, &h->client, &h->server);

		acted |= act(h, &h->server, &h->client);
		idle = acted ? 0 : idle + 1;
		loop_turn(h->loop, idle < 20 ? 0 : 1);
	}
	assert_true(h->over);
}

static void assert_all_heard(const struct house *h)
{
	assert_int_equal(h->server.heard, h->client.total);
	assert_int_equal(h->client.heard, h->server.total);
	assert_int_equal(h->relay.up.bytes, h->client.total);
	assert_int_equal(h->relay.down.bytes, h->server.total);
	assert_null(h->relay.up.kept);
	assert_null(h->relay.down.kept);
	assert_int_equal(h->why, RELAY_DONE);
}

static void one_life(enum kind kind, int buffer, uint64_t seed)
{
	struct house h;

	house_open(&h, kind, buffer);
	h.dice.state = seed;
	h.client.total = dice_roll(&h.dice, 400000);
	h.server.total = dice_roll(&h.dice, 400000);
	start(&h);
	live(&h);
	assert_all_heard(&h);
	house_close(&h);
}

static void lives_whatever_the_dice_say(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		one_life(UNIX, 0, seed);
		one_life(UNIX, 1, seed);
		one_life(TCP, 0, seed);
		one_life(TCP, 20000, seed);
		one_life(SECRET, 0, seed);
		one_life(SECRET, 20000, seed);
	}
}

/* Turn until a party has heard so much. */
static void hear_until(struct house *h, struct party *p, const struct party *from, uint64_t bytes)
{
	for (int i = 0; i < GUARD && p->heard < bytes; i++) {
		hear(p, from, CHUNK_MAX);
		loop_turn(h->loop, p->heard < bytes ? 1 : 0);
	}
	assert_int_equal(p->heard, bytes);
}

static void hear_the_end(struct house *h, struct party *p, const struct party *from)
{
	for (int i = 0; i < GUARD && !p->ended && !p->broken; i++) {
		hear(p, from, CHUNK_MAX);
		loop_turn(h->loop, 1);
	}
	assert_true(p->ended || p->broken);
}

static void run_until_over(struct house *h)
{
	for (int i = 0; i < GUARD && !h->over; i++)
		loop_turn(h->loop, 1);
	assert_true(h->over);
}

/* A client that says all and shuts its side still hears the answers, however late; and the other way
 * round. */
static void half_close(enum kind kind, bool client_first)
{
	struct house h;
	struct party *first, *second;

	house_open(&h, kind, 0);
	first = client_first ? &h.client : &h.server;
	second = client_first ? &h.server : &h.client;
	first->total = 1000;
	second->total = 300000;
	start(&h);
	say(first, 1000);
	shut_when_said(first);
	hear_until(&h, second, first, 1000);
	hear_the_end(&h, second, first);
	assert_false(h.over);
	while (second->said < second->total) {
		say(second, CHUNK_MAX);
		hear(first, second, CHUNK_MAX);
		loop_turn(h.loop, 0);
	}
	shut_when_said(second);
	hear_the_end(&h, first, second);
	assert_false(first->broken);
	run_until_over(&h);
	assert_all_heard(&h);
	house_close(&h);
}

static void half_close_is_carried_through(void **state)
{
	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++) {
		half_close(kind, true);
		half_close(kind, false);
	}
}

/* Let everything that a party said arrive at the proxy's kernel, unread, for a reset throws away what is on
 * the way. */
static void arrive(struct party *p)
{
	int left = 1;

	for (int i = 0; i < GUARD && left != 0; i++)
		assert_int_equal(ioctl(p->stream.watch.fd, SIOCOUTQ, &left), 0);
	assert_int_equal(left, 0);
}

/* One side says its last words and resets the connection; the other hears them all, though it was slow
 * before. */
static void reset(enum kind kind, bool client_first, uint64_t bytes)
{
	struct house h;
	struct party *first, *second;

	house_open(&h, kind, 0);
	first = client_first ? &h.client : &h.server;
	second = client_first ? &h.server : &h.client;
	first->total = bytes;
	second->total = 5;
	start(&h);
	say(second, 5);
	hear_until(&h, first, second, 5);
	while (first->said < first->total) {
		say(first, CHUNK_MAX);
		loop_turn(h.loop, 0);
	}
	arrive(first);
	stream_reset(&first->stream);
	hear_until(&h, second, first, bytes);
	hear_the_end(&h, second, first);
	assert_true(second->ended);
	run_until_over(&h);
	assert_int_equal(h.why, client_first ? RELAY_CLIENT_BROKEN : RELAY_SERVER_BROKEN);
	house_close(&h);
}

static void last_words_before_a_reset_are_delivered(void **state)
{
	(void)state;
	for (enum kind kind = TCP; kind < KINDS; kind++)
		for (int client_first = 0; client_first <= 1; client_first++) {
			reset(kind, client_first, 1);
			reset(kind, client_first, 60000);
			reset(kind, client_first, 1000000);
		}
}

/* The server resets behind its farewell while a command is on its way to it: found out by the write, and
 * still the farewell arrives. */
static void farewell_crosses(enum kind kind)
{
	struct house h;

	house_open(&h, kind, 0);
	h.client.total = 6;
	h.server.total = 9;
	start(&h);
	settle(h.loop);
	say(&h.server, 9);
	arrive(&h.server);
	say(&h.client, 6);
	stream_reset(&h.server.stream);
	hear_the_end(&h, &h.client, &h.server);
	assert_int_equal(h.client.heard, 9);
	assert_true(h.client.ended);
	assert_int_equal(h.why, RELAY_SERVER_BROKEN);
	house_close(&h);
}

static void farewell_crosses_a_command(void **state)
{
	(void)state;
	farewell_crosses(TCP);
	farewell_crosses(SECRET);
}

/* A reader that does not read stops the writer: what the relay keeps is bounded, and nothing spins
 * meanwhile. */
static void slow_reader(enum kind kind)
{
	struct house h;
	uint64_t said = UINT64_MAX;

	house_open(&h, kind, 0);
	h.server.total = 64 * 1000 * 1000;
	start(&h);
	while (said != h.server.said) {
		said = h.server.said;
		say(&h.server, CHUNK_MAX);
		settle(h.loop);
	}
	assert_true(h.server.said < h.server.total);
	assert_true(stream_stuck(&h.front));
	assert_true(h.relay.down.kept_len <= SCRATCH_SIZE);
	shim_reset();
	settle(h.loop);
	assert_int_equal(shim_calls(), 0);
	h.server.total = said + 5000;
	for (int i = 0; i < GUARD && h.server.said < h.server.total; i++) {
		hear(&h.client, &h.server, 3000);
		say(&h.server, CHUNK_MAX);
		loop_turn(h.loop, 0);
	}
	hear_until(&h, &h.client, &h.server, h.server.total);
	/* nothing is kept once all is delivered */
	assert_null(h.relay.down.kept);
	shut_when_said(&h.server);
	shut_when_said(&h.client);
	hear_the_end(&h, &h.client, &h.server);
	run_until_over(&h);
	assert_int_equal(h.why, RELAY_DONE);
	house_close(&h);
}

static void slow_readers_slow_the_writer(void **state)
{
	(void)state;
	for (enum kind kind = 0; kind < KINDS; kind++)
		slow_reader(kind);
}

/*
 * A write that is cut short after each number of bytes, on the way up, with and without the end behind it.
 * Cut sockets are full to the stream only, so the loop is asked to tell of their room.
 */
static void cut_after(enum kind kind, size_t cut, bool with_end)
{
	struct house h;

	house_open(&h, kind, 0);
	h.client.total = 40;
	start(&h);
	settle(h.loop);
	say(&h.client, 40);
	if (with_end)
		shut_when_said(&h.client);
	shim.cut_fd = h.back.watch.fd;
	shim.cut_room = cut;
	settle(h.loop);
	hear(&h.server, &h.client, CHUNK_MAX);
	assert_true(h.server.heard <= cut);
	assert_false(h.server.ended);
	for (int i = 0; i < 20; i++) {
		shim.cut_room = 7;
		loop_rouse(h.loop, &h.back.watch);
		loop_turn(h.loop, 0);
	}
	shim.cut_fd = -1;
	loop_rouse(h.loop, &h.back.watch);
	hear_until(&h, &h.server, &h.client, 40);
	shut_when_said(&h.client);
	hear_the_end(&h, &h.server, &h.client);
	assert_true(h.server.ended);
	shut_when_said(&h.server);
	run_until_over(&h);
	assert_all_heard(&h);
	house_close(&h);
}

static void writes_may_be_cut_at_every_byte(void **state)
{
	(void)state;
	for (enum kind kind = TCP; kind < KINDS; kind++)
		for (size_t cut = 0; cut < 40; cut++) {
			cut_after(kind, cut, false);
			cut_after(kind, cut, true);
		}
}

/* What the login left over goes first, also when it does not go at once. */
static void begin_with_leftovers(bool cut)
{
	struct house h;
	char early[100], late[50];

	house_open(&h, TCP, 0);
	h.client.total = 1000;
	h.server.total = 2000;
	for (size_t i = 0; i < sizeof(early); i++)
		early[i] = byte_of(h.client.seed, i);
	for (size_t i = 0; i < sizeof(late); i++)
		late[i] = byte_of(h.server.seed, i);
	h.client.said = sizeof(early);
	h.server.said = sizeof(late);
	say(&h.client, 1000);
	settle(h.loop);
	shim_reset();
	shim.cut_fd = cut ? h.back.watch.fd : -1;
	shim.cut_room = 33;
	start_with(&h, (struct str){ early, sizeof(early) }, (struct str){ late, sizeof(late) });
	assert_int_equal(shim_calls(), 2);
	memset(early, 0, sizeof(early));
	memset(late, 0, sizeof(late));
	assert_int_equal(h.relay.up.kept_len, cut ? 67 : 0);
	settle(h.loop);
	shim.cut_fd = -1;
	loop_rouse(h.loop, &h.back.watch);
	live(&h);
	assert_all_heard(&h);
	house_close(&h);
}

static void leftovers_go_first(void **state)
{
	(void)state;
	begin_with_leftovers(false);
	begin_with_leftovers(true);
}

/* What broke before the relay began is told, but later. */
static void begins_with_a_broken_side(void **state)
{
	struct house h;

	(void)state;
	house_open(&h, TCP, 0);
	stream_reset(&h.server.stream);
	start_with(&h, STR("NOOP\r\n"), STR(""));
	run_until_over(&h);
	assert_int_equal(h.why, RELAY_SERVER_BROKEN);
	house_close(&h);
}

/* What is already there when the relay begins needs no further event. */
static void begins_with_both_at_their_end(void **state)
{
	struct house h;

	(void)state;
	house_open(&h, TCP, 0);
	h.client.total = h.server.total = 100;
	say(&h.client, 100);
	say(&h.server, 100);
	shut_when_said(&h.client);
	shut_when_said(&h.server);
	settle(h.loop);
	start(&h);
	hear_the_end(&h, &h.client, &h.server);
	hear_the_end(&h, &h.server, &h.client);
	run_until_over(&h);
	assert_all_heard(&h);
	house_close(&h);
}

/* The idle timer is called by hand, so that no test waits. */
static void idles(void **state)
{
	struct house h;

	(void)state;
	house_open(&h, TCP, 0);
	h.client.total = 1;
	start(&h);
	settle(h.loop);
	/* half an hour later */
	h.relay.last_ms -= 1800 * 1000;
	loop_disarm(&h.relay.idle);
	h.relay.idle.fn(&h.relay.idle);
	assert_false(h.over);
	assert_true(timer_armed(&h.relay.idle));
	assert_true(h.relay.idle.due <= loop_now(h.loop) + 1800 * 1000);
	/* a byte in either direction begins the hour anew */
	say(&h.client, 1);
	hear_until(&h, &h.server, &h.client, 1);
	assert_true(h.relay.last_ms + 1000 * 1000 > loop_now(h.loop));
	h.relay.last_ms -= 3600 * 1000;
	h.relay.idle.fn(&h.relay.idle);
	assert_true(h.over);
	assert_int_equal(h.why, RELAY_IDLE);
	house_close(&h);

	/* and the loop's own clock, with the shortest patience */
	house_open(&h, TCP, 0);
	h.relay.idle_ms = 1;
	start(&h);
	run_until_over(&h);
	assert_int_equal(h.why, RELAY_IDLE);
	house_close(&h);
}

/* The server has ended, the client does not: it is waited for, but not for an hour. */
static void lingers_for_the_client(void **state)
{
	struct house h;

	(void)state;
	house_open(&h, TCP, 0);
	h.server.total = 10;
	start(&h);
	say(&h.server, 10);
	shut_when_said(&h.server);
	hear_until(&h, &h.client, &h.server, 10);
	hear_the_end(&h, &h.client, &h.server);
	assert_false(h.over);
	assert_true(h.relay.idle.due <= loop_now(h.loop) + RELAY_LINGER_MS);
	h.relay.last_ms -= RELAY_LINGER_MS;
	h.relay.idle.fn(&h.relay.idle);
	assert_true(h.over);
	assert_int_equal(h.why, RELAY_DONE);
	house_close(&h);
}

static struct house *victim;

/* As an owner may do who frees in the next task: nothing of the relay or the streams may be touched any
 * more. */
static void done_and_gone(struct relay *r, enum relay_end why)
{
	done(r, why);
	memset(&victim->relay, 0xa5, sizeof(victim->relay));
	memset(&victim->front, 0xa5, sizeof(victim->front));
	memset(&victim->back, 0xa5, sizeof(victim->back));
}

static void end_of_a_life(bool with_reset)
{
	struct house h;

	victim = &h;
	house_open(&h, TCP, 0);
	h.relay.done = done_and_gone;
	start(&h);
	settle(h.loop);
	/* both sides end in one batch of events */
	if (with_reset) {
		stream_reset(&h.client.stream);
		stream_reset(&h.server.stream);
	} else {
		stream_shut(&h.client.stream);
		stream_shut(&h.server.stream);
	}
	run_until_over(&h);
	settle(h.loop);
	h.relay = (struct relay){ 0 };
	h.front = h.back = (struct stream){ 0 };
	house_close(&h);
}

static void nothing_is_touched_after_the_end(void **state)
{
	(void)state;
	end_of_a_life(false);
	end_of_a_life(true);
}

static void stopping_is_silent(void **state)
{
	struct house h;

	(void)state;
	house_open(&h, TCP, 0);
	h.client.total = 1000;
	relay_stop(&h.relay);
	house_close(&h);

	house_open(&h, TCP, 0);
	h.client.total = 1000;
	say(&h.client, 1000);
	start(&h);
	relay_stop(&h.relay);
	relay_stop(&h.relay);
	assert_false(timer_armed(&h.relay.idle));
	settle(h.loop);
	stream_reset(&h.server.stream);
	settle(h.loop);
	assert_false(h.over);
	assert_int_equal(h.relay.up.bytes, 0);
	house_close(&h);
}

enum { BULK = 12 << 20 };

/* Send a lot between two who write and read as fast as they can; the most that one turn moved. */
static uint64_t pour(struct house *h)
{
	uint64_t before, most = 0;

	h->client.total = BULK;
	for (int i = 0; i < GUARD && h->server.heard < BULK; i++) {
		for (int j = 0; j < 100; j++)
			say(&h->client, CHUNK_MAX);
		before = h->relay.up.bytes;
		loop_turn(h->loop, 1);
		if (h->relay.up.bytes - before > most)
			most = h->relay.up.bytes - before;
		for (int j = 0; j < 100; j++)
			hear(&h->server, &h->client, CHUNK_MAX);
	}
	assert_int_equal(h->server.heard, BULK);
	assert_int_equal(h->relay.up.bytes, BULK);
	return most;
}

/* A flow that could go on for ever gives way within each turn. */
static void busy_flows_give_way(void **state)
{
	struct house h;
	uint64_t most;

	(void)state;
	house_open(&h, TCP, 8 << 20);
	start(&h);
	settle(h.loop);
	most = pour(&h);
	/* an event of each stream, and the task at the end: each of them two scratches, and what a step has
	 * too much */
	assert_true(most <= 3 * 3 * SCRATCH_SIZE);
	/* or the bound was not tried at all */
	assert_true(most > SCRATCH_SIZE);
	house_close(&h);
}

/* What fills the scratch goes on through the pipe, where both sides can. */
static void bulk_is_not_copied(void **state)
{
	struct house h;

	(void)state;
	house_open(&h, TCP, 8 << 20);
	start(&h);
	pour(&h);
	assert_true(shim.splice > 20);
	house_close(&h);

	house_open(&h, SECRET, 8 << 20);
	start(&h);
	pour(&h);
	assert_int_equal(shim.splice, 0);
	house_close(&h);

	house_open(&h, TCP, 8 << 20);
	shim.no_splice = true;
	start(&h);
	pour(&h);
	assert_true(shim.splice > 0);
	house_close(&h);
}

/* What the receiver does not take of what is in the pipe must come out again, whatever the moment. */
static void the_pipe_is_left_empty(void **state)
{
	struct dice dice = { 5 };
	struct house h;

	(void)state;
	house_open(&h, TCP, 8 << 20);
	h.client.total = BULK;
	start(&h);
	for (int i = 0; i < GUARD && h.server.heard < BULK; i++) {
		for (int j = 0; j < 100; j++)
			say(&h.client, CHUNK_MAX);
		shim.cut_fd = h.back.watch.fd;
		/* a scratch goes through, so the pipe is tried next */
		shim.cut_room = SCRATCH_SIZE + dice_roll(&dice, 2 * SCRATCH_SIZE);
		loop_rouse(h.loop, &h.back.watch);
		loop_turn(h.loop, 0);
		assert_true(h.relay.up.kept_len <= SCRATCH_SIZE);
		assert_int_equal(read(loop_pipe(h.loop)[0], scratch, 1), -1);
		for (int j = 0; j < 100; j++)
			hear(&h.server, &h.client, CHUNK_MAX);
	}
	assert_int_equal(h.server.heard, BULK);
	assert_true(shim.splice > 20);
	house_close(&h);
}

/* A receiver who goes away while much is on its way to him: from one loop to the end of both, and no signal.
 */
static void bulk_to_nobody(void **state)
{
	struct house h;

	(void)state;
	house_open(&h, TCP, 8 << 20);
	h.client.total = BULK;
	start(&h);
	for (int i = 0; i < GUARD && !h.over; i++) {
		for (int j = 0; j < 100; j++)
			say(&h.client, CHUNK_MAX);
		if (h.relay.up.bytes > BULK / 4)
			stream_reset(&h.server.stream);
		else
			hear(&h.server, &h.client, CHUNK_MAX);
		loop_turn(h.loop, 0);
	}
	assert_true(h.over);
	assert_int_equal(h.why, RELAY_SERVER_BROKEN);
	house_close(&h);
}

/* One line through the proxy: one receive, one send, and nothing else, however often. */
static void count_lines(enum kind kind)
{
	struct house h;

	house_open(&h, kind, 0);
	h.client.total = h.server.total = 100;
	start(&h);
	settle(h.loop);
	/* session tickets lie before the first line */
	hear(&h.client, &h.server, 1);
	for (unsigned i = 0; i < 10; i++) {
		shim_reset();
		say(&h.client, 10);
		hear_until(&h, &h.server, &h.client, (i + 1) * 10);
		say(&h.server, 10);
		hear_until(&h, &h.client, &h.server, (i + 1) * 10);
		/* two parties and the proxy between them do the same */
		assert_int_equal(shim.send, 4);
		assert_int_equal(shim.recv, 4);
		assert_int_equal(shim_calls(), 8);
	}
	house_close(&h);
}

/* The end: the server's farewell comes with its FIN and goes so; the client's FIN is read; two closes. */
static void count_the_end(void)
{
	struct house h;

	house_open(&h, TCP, 0);
	h.server.total = 5;
	start(&h);
	settle(h.loop);
	shim_reset();
	say(&h.server, 5);
	stream_shut(&h.server.stream);
	assert_int_equal(shim_calls(), 2);
	shim_reset();
	settle(h.loop);
	assert_int_equal(shim.recv, 1);
	assert_int_equal(shim.send, 1);
	assert_int_equal(shim.shutdown, 1);
	assert_int_equal(shim_calls(), 3);
	stream_shut(&h.client.stream);
	shim_reset();
	settle(h.loop);
	assert_true(h.over);
	assert_int_equal(shim.recv, 1);
	assert_int_equal(shim.close, 2);
	assert_int_equal(shim_calls(), 3);
	house_close(&h);
}

/* A megabyte: nothing is tried in vain, and what is there goes in large pieces. */
static void count_a_megabyte(void)
{
	struct house h;

	house_open(&h, TCP, 0);
	h.server.total = 1 << 20;
	start(&h);
	settle(h.loop);
	shim_reset();
	for (int i = 0; i < GUARD && h.client.heard < h.server.total; i++) {
		say(&h.server, CHUNK_MAX);
		loop_turn(h.loop, 0);
		hear(&h.client, &h.server, CHUNK_MAX);
	}
	assert_int_equal(h.client.heard, h.server.total);
	assert_int_equal(shim.vain, 0);
	assert_int_equal(shim.epoll_ctl + shim.sockopt, 0);
	house_close(&h);
}

static void counts_system_calls(void **state)
{
	(void)state;
	count_lines(TCP);
	count_lines(SECRET);
	count_the_end();
	count_a_megabyte();
}

static void is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct relay) + 2 * sizeof(struct stream) <= 288);
}

static int forget_secrets(void **state)
{
	(void)state;
	secrets_done();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_whatever_the_dice_say),
		cmocka_unit_test(half_close_is_carried_through),
		cmocka_unit_test(last_words_before_a_reset_are_delivered),
		cmocka_unit_test(farewell_crosses_a_command),
		cmocka_unit_test(slow_readers_slow_the_writer),
		cmocka_unit_test(writes_may_be_cut_at_every_byte),
		cmocka_unit_test(leftovers_go_first),
		cmocka_unit_test(begins_with_a_broken_side),
		cmocka_unit_test(begins_with_both_at_their_end),
		cmocka_unit_test(idles),
		cmocka_unit_test(lingers_for_the_client),
		cmocka_unit_test(nothing_is_touched_after_the_end),
		cmocka_unit_test(stopping_is_silent),
		cmocka_unit_test(busy_flows_give_way),
		cmocka_unit_test(bulk_is_not_copied),
		cmocka_unit_test(the_pipe_is_left_empty),
		cmocka_unit_test(bulk_to_nobody),
		cmocka_unit_test(counts_system_calls),
		cmocka_unit_test(is_small),
	};

	/* as the workers have it: splice knows no MSG_NOSIGNAL */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, forget_secrets);
}
