/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundle: a list of questions with their answers; see bundle.h.
 *
 * Sealed, it is one block of memory: a head, then the entries one behind the other, each a fixed part
 * followed by key and answer with a NUL behind either. Who replays maps that block and looks into it, so all
 * workers share one copy. The seals are asked for before anything is believed: without them the block could
 * shrink under the reader. Numbers are copied out, since nothing is aligned.
 *
 * Entries are searched one by one: a configuration asks dozens of questions, and only when it is loaded.
 */
#include "conf/bundle.h"

#include "base/mem.h"
#include "base/must.h"
#include "conf/world.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, FIRST_ENTRIES = 16 };

struct entry {
	enum bundle_kind kind;
	bool failed;
	int error;
	struct str key, answer;
	struct buf own; /* the answer of a recording bundle */
};

struct bundle {
	struct entry *entries;
	size_t len, room;
	void *map; /* of a replayed bundle, else NULL */
	size_t map_size;
};

/* As they lie in the memory file. */
struct head {
	char magic[8];
	uint64_t size, count;
};

struct item {
	uint32_t kind, failed;
	int64_t error;
	uint64_t key_len, answer_len;
};

static const char MAGIC[8] = "PSTNBNDL";

struct bundle *bundle_record(void)
{
	return mem_new(sizeof(struct bundle));
}

static void forget(struct entry *e)
{
	mem_wipe((char *)e->key.at, e->key.len);
	free((char *)e->key.at);
	buf_done(&e->own);
}

void bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	if (b->map != NULL)
		munmap(b->map, b->map_size);
	else
		for (size_t i = 0; i < b->len; i++)
			forget(&b->entries[i]);
	free(b->entries);
	free(b);
}

static struct entry *find(const struct bundle *b, enum bundle_kind kind, struct str key)
{
	for (size_t i = 0; i < b->len; i++)
		if (b->entries[i].kind == kind && str_eq(b->entries[i].key, key))
			return &b->entries[i];
	return NULL;
}

static struct entry *append(struct bundle *b)
{
	if (b->len == b->room) {
		b->room = b->room != 0 ? 2 * b->room : FIRST_ENTRIES;
		b->entries = mem_resize(b->entries, b->room * sizeof(b->entries[0]));
	}
	b->entries[b->len] = (struct entry){ 0 };
	return &b->entries[b->len++];
}

static struct str copy_key(struct str key)
{
	char *copy = mem_new(key.len + 1);

	if (key.len != 0)
		memcpy(copy, key.at, key.len);
	return (struct str){ copy, key.len };
}

static struct entry *new_entry(struct bundle *b, enum bundle_kind kind, struct str key)
{
	struct entry *e = append(b);

	e->kind = kind;
	e->key = copy_key(key);
	buf_init(&e->own, ANSWER_ROOM);
	return e;
}

/* The answer is complete: put the NUL behind it, where no later answer can move it. */
static void settle(struct entry *e)
{
	size_t len = e->own.len;

	buf_put_byte(&e->own, '\0');
	e->answer = (struct str){ e->own.at, len };
}

static struct entry *ask_world(struct bundle *b, enum bundle_kind kind, struct str key)
{
	struct entry *e = new_entry(b, kind, key);

	e->error = ENOENT;
	e->failed = str_has(key, '\0') || !world_ask(kind, e->key.at, &e->own, &e->error);
	if (e->failed)
		buf_wipe(&e->own);
	settle(e);
	return e;
}

bool bundle_ask(struct bundle *b, enum bundle_kind kind, struct str key, struct str *answer, int *error)
{
	struct entry *e = find(b, kind, key);

	if (e == NULL && b->map != NULL) {
		*error = ENOENT;
		return false;
	}
	if (e == NULL)
		e = ask_world(b, kind, key);
	if (e->failed) {
		*error = e->error;
		return false;
	}
	*answer = e->answer;
	return true;
}

void bundle_put(struct bundle *b, enum bundle_kind kind, struct str key, struct str answer)
{
	struct entry *e = find(b, kind, key);

	must(b->map == NULL);
	if (e == NULL)
		e = new_entry(b, kind, key);
	buf_done(&e->own);
	buf_init(&e->own, ANSWER_ROOM);
	must(answer.len <= ANSWER_MAX);
	buf_put(&e->own, answer);
	e->failed = false;
	settle(e);
}

void bundle_note(struct bundle *b, struct str key, struct str answer)
{
	bundle_put(b, BUNDLE_FACT, key, answer);
}

void bundle_each(const struct bundle *b, enum bundle_kind kind,
		 void (*visit)(void *to, struct str key, struct str answer), void *to)
{
	for (size_t i = 0; i < b->len; i++)
		if (b->entries[i].kind == kind && !b->entries[i].failed)
			visit(to, b->entries[i].key, b->entries[i].answer);
}

static char *pack(char *to, const void *from, size_t size)
{
	if (size != 0)
		memcpy(to, from, size);
	return to + size;
}

/* With the NUL that stands behind every key and answer. */
static char *pack_str(char *to, struct str s)
{
	return pack(pack(to, s.at, s.len), "", 1);
}

static void pack_all(const struct bundle *b, char *to, size_t size)
{
	struct head h = { .size = size, .count = b->len };

	memcpy(h.magic, MAGIC, sizeof(MAGIC));
	to = pack(to, &h, sizeof(h));
	for (size_t i = 0; i < b->len; i++) {
		const struct entry *e = &b->entries[i];
		struct item item = { .kind = e->kind,
				     .failed = e->failed,
				     .error = e->error,
				     .key_len = e->key.len,
				     .answer_len = e->answer.len };

		to = pack(to, &item, sizeof(item));
		to = pack_str(to, e->key);
		to = pack_str(to, e->answer);
	}
}

static size_t packed_size(const struct bundle *b)
{
	size_t size = sizeof(struct head);

	for (size_t i = 0; i < b->len; i++)
		size += sizeof(struct item) + b->entries[i].key.len + 1 + b->entries[i].answer.len + 1;
	return size;
}

static bool fill(const struct bundle *b, int fd)
{
	size_t size = packed_size(b);
	char *map;

	if (ftruncate(fd, (off_t)size) != 0)
		return false;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return false;
	pack_all(b, map, size);
	munmap(map, size);
	return fcntl(fd, F_ADD_SEALS, SEALS) == 0;
}

int bundle_seal(const struct bundle *b)
{
	int fd = memfd_create("postern-bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING), error;

	if (fd < 0 || fill(b, fd))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static bool unpack(struct str *rest, void *to, size_t size)
{
	if (rest->len < size)
		return false;
	memcpy(to, rest->at, size);
	*rest = str_skip(*rest, size);
	return true;
}

static bool unpack_str(struct str *rest, uint64_t len, struct str *to)
{
	if (rest->len <= len || rest->at[len] != '\0')
		return false;
	*to = (struct str){ rest->at, (size_t)len };
	*rest = str_skip(*rest, (size_t)len + 1);
	return true;
}

static bool unpack_entry(struct str *rest, struct entry *e)
{
	struct item item;

	if (!unpack(rest, &item, sizeof(item)) || item.kind > BUNDLE_FACT || item.failed > 1 ||
	    item.error < INT32_MIN || item.error > INT32_MAX)
		return false;
	e->kind = (enum bundle_kind)item.kind;
	e->failed = item.failed;
	e->error = (int)item.error;
	return unpack_str(rest, item.key_len, &e->key) && unpack_str(rest, item.answer_len, &e->answer);
}

static bool unpack_all(struct bundle *b)
{
	struct str rest = { b->map, b->map_size };
	struct head h;

	if (!unpack(&rest, &h, sizeof(h)) || memcmp(h.magic, MAGIC, sizeof(MAGIC)) != 0 ||
	    h.size != b->map_size)
		return false;
	for (uint64_t i = 0; i < h.count; i++)
		if (!unpack_entry(&rest, append(b)))
			return false;
	return rest.len == 0;
}

/* Map the whole file if it can no longer change. */
static bool map_file(struct bundle *b, int memfd)
{
	struct stat st;
	int seals = fcntl(memfd, F_GET_SEALS);

	if (seals < 0 || fstat(memfd, &st) != 0)
		return false;
	if ((seals & SEALS) != SEALS || st.st_size <= 0) {
		errno = EINVAL;
		return false;
	}
	b->map_size = (size_t)st.st_size;
	b->map = mmap(NULL, b->map_size, PROT_READ, MAP_PRIVATE, memfd, 0);
	if (b->map != MAP_FAILED)
		return true;
	b->map = NULL;
	return false;
}

struct bundle *bundle_replay(int memfd)
{
	struct bundle *b = bundle_record();
	int error;

	if (map_file(b, memfd)) {
		if (unpack_all(b))
			return b;
		errno = EINVAL;
	}
	error = errno;
	bundle_free(b);
	errno = error;
	return NULL;
}
