/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file and an index over it; see passwd.h. The whole file lies in memory, and a table of hashed names
 * says where each line begins: 100,000 users take their file's size and 1.5 MB, and a look-up reads one line.
 */
#include "store/passwd.h"

#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct passwd {
	char *path;
	const char *(*complaint_of)(struct str stored);
	passwd_fault_fn *fn;
	void *to;
	struct stat seen; /* of the file that was read */
	bool loaded;
	char *text;
	size_t text_len;
	struct str *lines; /* open hashing; at NULL: free */
	size_t slots;	   /* a power of two, at least twice the users */
	size_t users, faults;
};

struct passwd *passwd_new(const char *path, const char *(*complaint_of)(struct str stored),
			  passwd_fault_fn *fn, void *to)
{
	struct passwd *p = mem_new(sizeof(*p));

	p->path = strdup(path);
	p->complaint_of = complaint_of;
	p->fn = fn;
	p->to = to;
	return p;
}

static void forget(struct passwd *p)
{
	mem_wipe(p->text, p->text_len);
	free(p->text);
	free(p->lines);
	p->text = NULL;
	p->lines = NULL;
	p->text_len = p->slots = p->users = p->faults = 0;
	p->loaded = false;
}

void passwd_free(struct passwd *p)
{
	if (p == NULL)
		return;
	forget(p);
	free(p->path);
	free(p);
}

/* FNV-1a over lower-cased ASCII. */
static size_t hash(struct str name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];

		h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * UINT64_C(0x100000001b3);
	}
	return (size_t)(h ^ h >> 32);
}

static struct str name_of(struct str line)
{
	return str_cut(&line, ':');
}

/* Where the name's line is, or would be. */
static struct str *slot(const struct passwd *p, struct str name)
{
	size_t i = hash(name) & (p->slots - 1);

	while (p->lines[i].at != NULL && !str_same(name_of(p->lines[i]), name))
		i = (i + 1) & (p->slots - 1);
	return &p->lines[i];
}

static const char *check(const struct passwd *p, struct str line, struct user *u, struct arena *home)
{
	const char *complaint = user_read(line, u, home);

	if (complaint == NULL && p->complaint_of != NULL)
		complaint = p->complaint_of(u->password);
	return complaint;
}

static void take_line(struct passwd *p, struct str line, size_t number, struct arena *scratch)
{
	const char *complaint;
	struct str *at;
	struct user u;

	if (user_is_comment(line))
		return;
	complaint = check(p, line, &u, scratch);
	at = slot(p, name_of(line));
	if (at->at != NULL && complaint == NULL)
		complaint = "this user stands above already; the first line counts";
	else if (at->at == NULL && name_of(line).len != 0)
		*at = line; /* malformed, too: its user is no stranger */
	if (complaint == NULL) {
		p->users++;
		return;
	}
	p->faults++;
	if (p->fn != NULL)
		p->fn(p->to, p->path, number, complaint);
}

static void take_lines(struct passwd *p)
{
	struct str rest = { p->text, p->text_len }, line;
	struct arena *scratch = arena_new(4096);
	size_t lines = 1, number = 0;

	for (size_t i = 0; i < rest.len; i++)
		lines += rest.at[i] == '\n';
	for (p->slots = 16; p->slots < 2 * lines;)
		p->slots *= 2;
	p->lines = mem_array(p->slots, sizeof(*p->lines));
	while (str_line(&rest, &line))
		take_line(p, line, ++number, scratch);
	if (rest.len != 0)
		take_line(p, rest, ++number, scratch);
	arena_free(scratch);
}

static bool read_all(int fd, char *to, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, to + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	return true;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static const char *cure(int why)
{
	return why == EACCES ? "; it must be readable by the user or group of the workers" : "";
}

/* A file that shrinks while it is read is read again next time. */
static bool load(struct passwd *p, int fd, const struct stat *st, struct buf *fault)
{
	forget(p);
	if (!S_ISREG(st->st_mode))
		buf_format(fault, "users file \"%s\" is no file", p->path);
	else if (st->st_size > PASSWD_SIZE_MAX)
		buf_format(fault, "users file \"%s\" is larger than 64 MiB; auth_sqlite holds more users",
			   p->path);
	if (fault->len != 0)
		return false;
	p->text_len = (size_t)st->st_size;
	p->text = mem_new(p->text_len + 1);
	if (!read_all(fd, p->text, p->text_len)) {
		buf_format(fault, "users file \"%s\" changed while it was read, or cannot be read", p->path);
		forget(p);
		return false;
	}
	take_lines(p);
	p->seen = *st;
	p->loaded = true;
	return true;
}

bool passwd_refresh(struct passwd *p, struct buf *fault)
{
	struct stat st;
	bool good;
	int fd;

	buf_clear(fault);
	if (p->loaded && stat(p->path, &st) == 0 && same(&st, &p->seen))
		return true;
	fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) != 0) {
		buf_format(fault, "users file \"%s\": %s%s", p->path, strerror(errno), cure(errno));
		if (fd >= 0)
			close(fd);
		forget(p);
		return false;
	}
	good = load(p, fd, &st, fault);
	close(fd);
	return good;
}

static size_t number_of(const struct passwd *p, const char *line)
{
	size_t n = 1;

	for (const char *at = p->text; at < line; at++)
		n += *at == '\n';
	return n;
}

enum passwd_found passwd_find(const struct passwd *p, struct str name, struct user *u, struct arena *home,
			      struct buf *fault)
{
	const struct str *line = p->loaded ? slot(p, name) : NULL;
	const char *complaint;

	buf_clear(fault);
	if (line == NULL || line->at == NULL)
		return PASSWD_NONE;
	complaint = check(p, *line, u, home);
	if (complaint == NULL)
		return PASSWD_FOUND;
	buf_format(fault, "%s:%zu: %s", p->path, number_of(p, line->at), complaint);
	return PASSWD_MALFORMED;
}

size_t passwd_users(const struct passwd *p)
{
	return p->users;
}

size_t passwd_faults(const struct passwd *p)
{
	return p->faults;
}
