/* SPDX-License-Identifier: BSD-2-Clause */
/* What the system knows, one function per kind of question; see world.h. */
#include "conf/world.h"

#include "base/addr.h"
#include "base/must.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much is read at once from a file that does not tell its size. */
enum { READ_SIZE = 4096, HOST_NAME_LEN = 256 };

typedef bool ask_fn(const char *key, struct buf *answer, int *error);

static ask_fn ask_file, ask_glob, ask_host, ask_fact;

static ask_fn *const KINDS[] = {
	[BUNDLE_CONF] = ask_file, [BUNDLE_FILE] = ask_file, [BUNDLE_GLOB] = ask_glob,
	[BUNDLE_HOST] = ask_host, [BUNDLE_FACT] = ask_fact,
};

bool world_ask(enum bundle_kind kind, const char *key, struct buf *answer, int *error)
{
	must((size_t)kind < sizeof(KINDS) / sizeof(KINDS[0]));
	if (!KINDS[kind](key, answer, error))
		return false;
	if (!answer->full && answer->len <= ANSWER_MAX)
		return true;
	*error = EFBIG;
	return false;
}

/*
 * A file that told its size is read with one call, and its end seen with another. Too much is left to the
 * caller to see.
 */
static bool read_all(int fd, size_t guess, struct buf *to)
{
	for (;;) {
		char *at = buf_space(to, guess);
		ssize_t n;

		if (at == NULL)
			return true;
		n = read(fd, at, guess);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		buf_grew(to, (size_t)n);
		guess = READ_SIZE;
	}
}

/* A file may be a pipe: pass phrases are given that way. */
static bool ask_file(const char *key, struct buf *answer, int *error)
{
	int fd = open(key, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t guess = READ_SIZE;
	bool fine;

	*error = errno;
	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > READ_SIZE && st.st_size < ANSWER_MAX)
		guess = (size_t)st.st_size;
	fine = read_all(fd, guess, answer);
	*error = errno;
	close(fd);
	return fine;
}

static bool ask_glob(const char *key, struct buf *answer, int *error)
{
	glob_t found;
	int result = glob(key, 0, NULL, &found);

	*error = result == GLOB_NOSPACE ? ENOMEM : EIO;
	if (result == GLOB_NOMATCH)
		return true;
	if (result != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		buf_put(answer, str_of(found.gl_pathv[i]));
		buf_put_byte(answer, '\0');
	}
	globfree(&found);
	return true;
}

static bool ask_host(const char *key, struct buf *answer, int *error)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG,
	};
	struct addrinfo *found;
	char text[ADDR_TEXT_MAX];

	*error = getaddrinfo(key, NULL, &hints, &found);
	if (*error != 0)
		return false;
	for (const struct addrinfo *i = found; i != NULL; i = i->ai_next) {
		struct sockaddr_storage at = { 0 };
		struct addr a;

		if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
			continue;
		memcpy(&at, i->ai_addr, i->ai_addrlen);
		addr_from_sockaddr(&a, &at, i->ai_addrlen);
		buf_put(answer, str_of(addr_ip_text(&a, text)));
		buf_put_byte(answer, '\0');
	}
	freeaddrinfo(found);
	return true;
}

static bool fact_hostname(const char *of, struct buf *answer, int *error)
{
	char name[HOST_NAME_LEN + 1] = "";

	(void)of;
	if (gethostname(name, HOST_NAME_LEN) != 0) {
		*error = errno;
		return false;
	}
	for (char *p = name; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	buf_put(answer, str_of(name));
	return true;
}

static bool fact_cpus(const char *of, struct buf *answer, int *error)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	(void)of;
	(void)error;
	buf_format(answer, "%ld", n > 0 ? n : 1);
	return true;
}

static bool fact_euid(const char *of, struct buf *answer, int *error)
{
	(void)of;
	(void)error;
	buf_format(answer, "%u", geteuid());
	return true;
}

static bool fact_nofile(const char *of, struct buf *answer, int *error)
{
	struct rlimit limit;

	(void)of;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		*error = errno;
		return false;
	}
	buf_format(answer, "%llu", (unsigned long long)limit.rlim_cur);
	return true;
}

/* Not known is told by an error of 0, as the system tells it. */
static bool fact_user(const char *of, struct buf *answer, int *error)
{
	struct passwd *p;

	errno = 0;
	p = getpwnam(of);
	*error = errno;
	if (p != NULL)
		buf_format(answer, "%u", p->pw_uid);
	return p != NULL;
}

static bool fact_group(const char *of, struct buf *answer, int *error)
{
	struct group *g;

	errno = 0;
	g = getgrnam(of);
	*error = errno;
	if (g != NULL)
		buf_format(answer, "%u", g->gr_gid);
	return g != NULL;
}

/* A name that ends in a blank takes a parameter. */
static const struct fact {
	const char *name;
	ask_fn *ask;
} FACTS[] = {
	{ "hostname", fact_hostname }, { "cpus", fact_cpus },  { "euid", fact_euid },
	{ "nofile", fact_nofile },     { "user ", fact_user }, { "group ", fact_group },
};

static bool ask_fact(const char *key, struct buf *answer, int *error)
{
	for (size_t i = 0; i < sizeof(FACTS) / sizeof(FACTS[0]); i++) {
		size_t len = strlen(FACTS[i].name);
		bool with_parameter = FACTS[i].name[len - 1] == ' ';

		if (strncmp(key, FACTS[i].name, len) == 0 && (with_parameter || key[len] == '\0'))
			return FACTS[i].ask(key + len, answer, error);
	}
	*error = ENOENT;
	return false;
}
