/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of the outermost level and of events {}; see core.h.
 *
 * Many of them steer machinery that this program does not have (other event mechanisms, an accept mutex,
 * pools of threads). A file that has them must load, and a mistake in them is still a mistake: they are
 * checked like all others, and the manual says that they do nothing.
 *
 * What depends on the machine (users, CPUs, limits) is asked through the bundle, so that a worker without
 * rights or files sees what the master saw.
 */
#include "main/core.h"

#include <string.h>

enum { WORKERS_MAX = 1024 };

static directive_set_fn user_set, workers_set, affinity_set, priority_set, load_module_set, thread_pool_set,
	engine_set, connections_set, use_set, debug_connection_set;
static directive_set_fn control_set;
static void control_preset(struct conf *c, struct scope *in, void *settings);
static void user_preset(struct conf *c, struct scope *in, void *settings);
static void rlimit_nofile_preset(struct conf *c, struct scope *in, void *settings);
static void rlimit_core_preset(struct conf *c, struct scope *in, void *settings);

static const struct choice DEBUG_POINTS[] = { { "stop", 0 }, { "abort", 1 }, { NULL, 0 } };

/* clang-format off */
/* Nearly all have one argument; the places come first in each row. */
#define MAIN .where = IN_MAIN
#define EVENTS .where = IN_EVENTS
#define ONE .min = 1, .max = 1
#define FLAG ONE, .slot = SLOT_FLAG, .args = "on | off"
#define CORE(member) .offset = offsetof(struct core_settings, member)
#define CORE_CUSTOM(member) \
	.slot = SLOT_CUSTOM, CORE(member), .size = sizeof(((struct core_settings *)NULL)->member)
#define UNUSED .flags = CONF_NO_EFFECT

static const struct directive CORE_ROWS[] = {
	{ .name = "daemon", MAIN, FLAG, CORE(daemon), .preset = "on",
	  .help = "Whether the program goes to the background." },
	{ .name = "master_process", MAIN, FLAG, CORE(master_process), .preset = "on",
	  .help = "Whether there are a master and workers; with off one process does everything, for "
		  "development." },
	{ .name = "user", MAIN, .min = 1, .max = 2, CORE_CUSTOM(user), .set = user_set,
	  .preset_fn = user_preset,
	  .args = "user [group]",
	  .help = "Whom workers become when the master is root. The group is the one of the same name when "
		  "none is given. By default nobody, with the group nobody or nogroup." },
	{ .name = "worker_processes", MAIN, ONE, CORE_CUSTOM(workers), .set = workers_set, .preset = "1",
	  .args = "number | auto",
	  .help = "How many workers there are; auto is one for each CPU." },
	{ .name = "worker_cpu_affinity", MAIN, .min = 1, .flags = CONF_UNLIMITED, CORE_CUSTOM(affinity),
	  .set = affinity_set,
	  .args = "mask … | auto [mask]",
	  .help = "The CPUs of each worker as binary masks whose last digit is CPU 0; the last mask is for "
		  "all further workers. With auto each worker has one CPU, of those in the mask. By default "
		  "workers run on any." },
	{ .name = "worker_priority", MAIN, ONE, CORE_CUSTOM(priority), .set = priority_set, .preset = "0",
	  .args = "number",
	  .help = "The scheduling priority of workers as nice has it, usually -20 to 20." },
	{ .name = "worker_rlimit_nofile", MAIN, ONE, .slot = SLOT_NUMBER, CORE(rlimit_nofile),
	  .preset_fn = rlimit_nofile_preset,
	  .args = "number",
	  .help = "How many files and sockets a worker may have open. By default the limit that the master "
		  "was started with." },
	{ .name = "worker_rlimit_core", MAIN, ONE, .slot = SLOT_OFFSET, CORE(rlimit_core),
	  .preset_fn = rlimit_core_preset,
	  .args = "size",
	  .help = "The largest core file of a worker. By default the limit that the master was started "
		  "with." },
	{ .name = "worker_shutdown_timeout", MAIN, ONE, .slot = SLOT_MSEC, CORE(shutdown_timeout_ms),
	  .preset = "0",
	  .args = "time",
	  .help = "After a graceful stop or a reload, sessions of before end after this time. With 0 they "
		  "may live on." },
	{ .name = "working_directory", MAIN, ONE, .slot = SLOT_TEXT, CORE(working_directory),
	  .args = "folder",
	  .help = "The current folder of workers, where core files are written." },
	{ .name = "env", MAIN, ONE, .slot = SLOT_LIST, CORE(env),
	  .args = "name[=value]",
	  .help = "A variable of the environment that is kept, or set. All others but TZ are removed." },
	{ .name = "pid", MAIN, ONE, .slot = SLOT_PREFIX_PATH, CORE(pid), .preset = "logs/postern.pid",
	  .args = "file",
	  .help = "Where the master writes its process id. A relative name begins at the prefix." },
	{ .name = "control", MAIN, ONE, CORE_CUSTOM(control), .set = control_set, .preset_fn = control_preset,
	  .args = "unix:path | off",
	  .help = "The socket where the master hears posternctl; only root and the user that the master runs "
		  "as may use it. A relative path begins at the prefix. By default unix:logs/postern.ctl." },
	{ .name = "lock_file", MAIN, ONE, .slot = SLOT_TEXT, UNUSED,
	  .args = "file",
	  .help = "A file for locks; no lock is needed." },
	{ .name = "timer_resolution", MAIN, ONE, .slot = SLOT_MSEC, UNUSED,
	  .args = "time",
	  .help = "How seldom the clock is read; it is read once for each turn of the event loop." },
	{ .name = "debug_points", MAIN, ONE, .slot = SLOT_ENUM, .choices = DEBUG_POINTS, UNUSED,
	  .args = "stop | abort",
	  .help = "What to do at an internal fault; the process always aborts." },
	{ .name = "load_module", MAIN, ONE, .flags = CONF_SKIPPED | CONF_REPEATS, .set = load_module_set,
	  .args = "file",
	  .help = "Loads a module; all there is has been built in." },
	{ .name = "pcre_jit", MAIN, FLAG, UNUSED,
	  .help = "Compiled regular expressions." },
	{ .name = "quic_bpf", MAIN, FLAG, UNUSED,
	  .help = "Routing of QUIC packets." },
	{ .name = "thread_pool", MAIN, .min = 2, .max = 3, .flags = CONF_NO_EFFECT | CONF_REPEATS,
	  .set = thread_pool_set,
	  .args = "name threads=number [max_queue=number]",
	  .help = "Threads for reading files; none are needed." },
	{ .name = "ssl_engine", MAIN, ONE, .slot = SLOT_TEXT, UNUSED, .set = engine_set,
	  .args = "device",
	  .help = "An OpenSSL engine; OpenSSL 3 has providers instead, which its own configuration names. A "
		  "warning says so." },
	{ .name = "ssl_object_cache_inheritable", MAIN, FLAG, UNUSED,
	  .help = "Whether unchanged certificates are taken over by a reload; they are read anew." },
	{ .name = "google_perftools_profiles", MAIN, ONE, .slot = SLOT_TEXT, UNUSED,
	  .args = "file",
	  .help = "Profiles of workers." },
	{ .name = "http", MAIN, .flags = CONF_BLOCK | CONF_SKIPPED,
	  .args = "{ … }",
	  .help = "Web servers." },
	{ .name = "stream", MAIN, .flags = CONF_BLOCK | CONF_SKIPPED,
	  .args = "{ … }",
	  .help = "Proxies for TCP and UDP." },
	{ .name = NULL }
};

static const struct directive EVENTS_ROWS[] = {
	{ .name = "events", MAIN, .flags = CONF_BLOCK, .opens = IN_EVENTS,
	  .args = "{ … }",
	  .help = "Opens the block about connections. It must be there, if only empty." },
	{ .name = "worker_connections", EVENTS, ONE, .slot = SLOT_CUSTOM, .set = connections_set,
	  .offset = offsetof(struct events_settings, worker_connections), .size = sizeof(uint64_t),
	  .preset = "512",
	  .args = "number",
	  .help = "How many sockets a worker may have open, listening ones and those to other servers "
		  "included." },
	{ .name = "use", EVENTS, ONE, UNUSED, .set = use_set,
	  .args = "epoll",
	  .help = "The event mechanism; there is no other." },
	{ .name = "multi_accept", EVENTS, FLAG, UNUSED,
	  .help = "Whether a worker accepts several connections at once." },
	{ .name = "accept_mutex", EVENTS, FLAG, UNUSED,
	  .help = "Whether workers take turns in accepting; the kernel wakes only one of them." },
	{ .name = "accept_mutex_delay", EVENTS, ONE, .slot = SLOT_MSEC, UNUSED,
	  .args = "time",
	  .help = "How long a worker waits for its turn." },
	{ .name = "debug_connection", EVENTS, ONE, .flags = CONF_REPEATS, .slot = SLOT_CUSTOM,
	  .offset = offsetof(struct events_settings, debug_connection), .size = sizeof(struct network_list),
	  .set = debug_connection_set,
	  .args = "address | network | host | unix:",
	  .help = "Clients whose sessions are logged with level debug, whatever error_log says." },
	{ .name = "worker_aio_requests", EVENTS, ONE, .slot = SLOT_NUMBER, UNUSED,
	  .args = "number",
	  .help = "Outstanding operations on files; there are none." },
	{ .name = "epoll_events", EVENTS, ONE, .slot = SLOT_NUMBER, UNUSED,
	  .args = "number",
	  .help = "How many events are taken from the kernel at once." },
	{ .name = NULL }
};
/* clang-format on */

const struct module core_module = {
	.name = "core",
	.places = IN_MAIN,
	.size = sizeof(struct core_settings),
	.directives = CORE_ROWS,
};

const struct module events_module = {
	.name = "events",
	.places = IN_EVENTS,
	.size = sizeof(struct events_settings),
	.directives = EVENTS_ROWS,
};

const struct core_settings *core_settings(struct conf *c)
{
	return scope_settings(conf_top(c), &core_module);
}

const struct events_settings *events_settings(struct conf *c)
{
	return scope_settings(scope_first(conf_top(c), IN_EVENTS), &events_module);
}

/* A fact that is a number. */
static bool fact(struct conf *c, struct str name, uint64_t *number)
{
	struct str text;
	int error;

	return bundle_ask(conf_bundle(c), BUNDLE_FACT, name, &text, &error) &&
	       str_number(text, UINT64_MAX, number);
}

static bool is_root(struct conf *c)
{
	uint64_t euid;

	return fact(c, STR("euid"), &euid) && euid == 0;
}

/* The id of "user NAME" or "group NAME". False, and what the system says about it. */
static bool name_to_id(struct conf *c, const char *kind, struct str name, uint64_t *id, int *error)
{
	struct str key = arena_format(conf_arena(c), "%s %.*s", kind, STR_ARG(name)), text;

	if (!bundle_ask(conf_bundle(c), BUNDLE_FACT, key, &text, error))
		return false;
	*error = 0;
	return str_number(text, UINT32_MAX, id);
}

static bool fault_name(struct conf *c, const char *call, struct str name, int error)
{
	if (error == 0)
		return conf_fault(c, "%s(\"%.*s\") failed", call, STR_ARG(name));
	return conf_fault(c, "%s(\"%.*s\") failed (%d: %s)", call, STR_ARG(name), error, strerror(error));
}

static void become(struct core_settings *s, struct str name, uint64_t uid, uint64_t gid)
{
	s->user = (struct core_user){ .change = true, .uid = (uid_t)uid, .gid = (gid_t)gid, .name = name };
}

static bool user_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct str group = w->at[w->len - 1];
	uint64_t uid, gid;
	int error;

	(void)d;
	if (!is_root(c)) {
		conf_say(c, LOG_WARN,
			 "the \"user\" directive makes sense only if the master process runs "
			 "with super-user privileges, ignored");
		return true;
	}
	if (!name_to_id(c, "user", w->at[1], &uid, &error))
		return fault_name(c, "getpwnam", w->at[1], error);
	if (!name_to_id(c, "group", group, &gid, &error))
		return fault_name(c, "getgrnam", group, error);
	become(settings, w->at[1], uid, gid);
	return true;
}

/* Systems differ in what they call the group of nobody. */
static void user_preset(struct conf *c, struct scope *in, void *settings)
{
	uint64_t uid, gid;
	int error;

	(void)in;
	if (!is_root(c))
		return;
	if (!name_to_id(c, "user", STR("nobody"), &uid, &error))
		fault_name(c, "getpwnam", STR("nobody"), error);
	else if (name_to_id(c, "group", STR("nobody"), &gid, &error) ||
		 name_to_id(c, "group", STR("nogroup"), &gid, &error))
		become(settings, STR("nobody"), uid, gid);
	else
		fault_name(c, "getgrnam", STR("nogroup"), error);
}

/* What a socket's address has room for. */
enum { SOCKET_PATH_MOST = 107 };

static bool control_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct core_settings *s = settings;
	struct str place = w->at[1], path;

	if (str_eq(place, STR("off"))) {
		s->control = STR("");
		return true;
	}
	if (!str_starts(place, STR("unix:")) || place.len == 5)
		return conf_fault(c, "\"%s\" must be \"unix:path\" or \"off\"", d->name);
	path = conf_prefix_path(c, str_skip(place, 5));
	if (path.len > SOCKET_PATH_MOST)
		return conf_fault(c, "too long path in \"%s\": at most %d bytes", d->name, SOCKET_PATH_MOST);
	s->control = path;
	return true;
}

/* Below a prefix that is too long there is none. */
static void control_preset(struct conf *c, struct scope *in, void *settings)
{
	struct core_settings *s = settings;
	struct str path = conf_prefix_path(c, STR("logs/postern.ctl"));

	(void)in;
	if (path.len <= SOCKET_PATH_MOST)
		s->control = path;
}

static bool workers_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct core_settings *s = settings;
	uint64_t n = 1;

	if (str_eq(w->at[1], STR("auto")))
		fact(c, STR("cpus"), &n);
	else if (!str_number(w->at[1], INT64_MAX, &n))
		return conf_fault(c, "\"%s\" directive invalid value", d->name);
	if (n == 0 || n > WORKERS_MAX)
		return conf_fault(c, "value must be between 1 and %d", WORKERS_MAX);
	s->workers = n;
	return true;
}

static void all_cpus(struct conf *c, cpu_set_t *mask)
{
	uint64_t n = 1;

	fact(c, STR("cpus"), &n);
	for (size_t i = 0; i < n && i < CPU_SETSIZE; i++)
		CPU_SET(i, mask);
}

/* Binary digits from the right, blanks between them do not count. */
static bool read_mask(struct conf *c, struct str text, cpu_set_t *mask)
{
	size_t cpu = 0;

	if (text.len > CPU_SETSIZE)
		return conf_fault(c, "\"worker_cpu_affinity\" supports up to %d CPUs only", CPU_SETSIZE);
	CPU_ZERO(mask);
	for (size_t i = text.len; i > 0; i--) {
		char digit = text.at[i - 1];

		if (digit == ' ')
			continue;
		if (digit != '0' && digit != '1')
			return conf_fault(c, "invalid character \"%c\" in \"worker_cpu_affinity\"", digit);
		if (digit == '1')
			CPU_SET(cpu, mask);
		cpu++;
	}
	return true;
}

static bool affinity_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct core_settings *s = settings;
	bool automatic = str_eq(w->at[1], STR("auto"));
	size_t first = automatic ? 2 : 1, len = w->len - first;
	cpu_set_t *masks = arena_take(conf_arena(c), (len + 1) * sizeof(*masks));

	if (automatic && len > 1)
		return conf_fault(c, "invalid number of arguments in \"%s\" directive", d->name);
	for (size_t i = 0; i < len; i++)
		if (!read_mask(c, w->at[first + i], &masks[i]))
			return false;
	if (automatic && len == 0) {
		all_cpus(c, &masks[0]);
		len = 1;
	}
	if (automatic && CPU_COUNT(&masks[0]) == 0)
		return conf_fault(c, "no CPU in \"worker_cpu_affinity\"");
	s->affinity = (struct core_affinity){ .automatic = automatic, .len = len, .masks = masks };
	return true;
}

/* The CPU of a mask that has `skip` others before it, counting round and round. */
static void one_cpu(const cpu_set_t *mask, unsigned skip, cpu_set_t *cpus)
{
	size_t cpu = 0;

	skip %= (unsigned)CPU_COUNT(mask);
	while (!CPU_ISSET(cpu, mask) || skip-- > 0)
		cpu++;
	CPU_ZERO(cpus);
	CPU_SET(cpu, cpus);
}

bool core_cpus(const struct core_settings *s, unsigned worker, cpu_set_t *cpus)
{
	const struct core_affinity *a = &s->affinity;

	if (a->len == 0)
		return false;
	if (a->automatic)
		one_cpu(&a->masks[0], worker, cpus);
	else
		*cpus = a->masks[worker < a->len ? worker : a->len - 1];
	return true;
}

/* What is beyond the system's bounds it cuts itself. */
static bool priority_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct core_settings *s = settings;
	struct str digits = w->at[1];
	bool minus = str_starts(digits, STR("-"));
	uint64_t n;

	if (minus || str_starts(digits, STR("+")))
		digits = str_skip(digits, 1);
	if (!str_number(digits, INT64_MAX, &n))
		return conf_fault(c, "\"%s\" directive invalid number", d->name);
	if (n > INT16_MAX)
		n = INT16_MAX;
	s->priority = minus ? -(int)n : (int)n;
	return true;
}

static void rlimit_nofile_preset(struct conf *c, struct scope *in, void *settings)
{
	struct core_settings *s = settings;

	(void)c;
	(void)in;
	s->rlimit_nofile = CORE_UNSET;
}

static void rlimit_core_preset(struct conf *c, struct scope *in, void *settings)
{
	struct core_settings *s = settings;

	(void)c;
	(void)in;
	s->rlimit_core = CORE_UNSET;
}

/* The peer counts its modules when the first block begins. */
static bool load_module_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct scope *top = conf_top(c);

	(void)w;
	(void)settings;
	if (scope_first(top, IN_EVENTS) != NULL || scope_first(top, IN_MAIL) != NULL ||
	    scope_given(top, &core_module, "http") || scope_given(top, &core_module, "stream"))
		return conf_fault(c, "\"%s\" directive is specified too late", d->name);
	return true;
}

/*
 * A parameter with a number: true when the word is that parameter; then *number is 0 if the text behind it is
 * no number.
 */
static bool number_parameter(struct str word, struct str name, uint64_t *number)
{
	if (!str_starts(word, name))
		return false;
	if (!str_number(str_skip(word, name.len), INT64_MAX, number))
		*number = 0;
	return true;
}

static bool add_pool(struct conf *c, struct core_settings *s, struct str name)
{
	struct str *all = arena_take(conf_arena(c), (s->thread_pools.len + 1) * sizeof(*all));

	for (size_t i = 0; i < s->thread_pools.len; i++) {
		if (str_eq(s->thread_pools.at[i], name))
			return conf_fault(c, "duplicate thread pool \"%.*s\"", STR_ARG(name));
		all[i] = s->thread_pools.at[i];
	}
	all[s->thread_pools.len] = name;
	s->thread_pools = (struct strs){ all, s->thread_pools.len + 1 };
	return true;
}

static bool thread_pool_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	uint64_t threads = 0, queue;

	if (!add_pool(c, settings, w->at[1]))
		return false;
	for (size_t i = 2; i < w->len; i++) {
		if (number_parameter(w->at[i], STR("threads="), &threads) && threads == 0)
			return conf_fault(c, "invalid threads value \"%.*s\"", STR_ARG(w->at[i]));
		if (str_starts(w->at[i], STR("max_queue=")) &&
		    !str_number(str_skip(w->at[i], 10), INT64_MAX, &queue))
			return conf_fault(c, "invalid max_queue value \"%.*s\"", STR_ARG(w->at[i]));
	}
	if (threads == 0)
		return conf_fault(c, "\"%s\" must have \"threads\" parameter", d->name);
	return true;
}

static bool engine_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)w;
	(void)settings;
	conf_say(c, LOG_WARN, "\"%s\" is ignored, OpenSSL has providers instead of engines", d->name);
	return true;
}

static bool connections_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	struct events_settings *s = settings;

	(void)d;
	if (!str_number(w->at[1], INT64_MAX, &s->worker_connections))
		return conf_fault(c, "invalid number \"%.*s\"", STR_ARG(w->at[1]));
	return true;
}

static bool use_set(struct conf *c, const struct directive *d, const struct words *w, void *settings)
{
	(void)d;
	(void)settings;
	return str_eq(w->at[1], STR("epoll")) ||
	       conf_fault(c, "invalid event type \"%.*s\"", STR_ARG(w->at[1]));
}

static void add_network(struct conf *c, struct events_settings *s, const struct network *n)
{
	struct network *all = arena_take(conf_arena(c), (s->debug_connection.len + 1) * sizeof(*all));

	if (s->debug_connection.len != 0)
		memcpy(all, s->debug_connection.at, s->debug_connection.len * sizeof(*all));
	all[s->debug_connection.len] = *n;
	s->debug_connection = (struct network_list){ all, s->debug_connection.len + 1 };
}

static bool debug_connection_set(struct conf *c, const struct directive *d, const struct words *w,
				 void *settings)
{
	struct str word = w->at[1];
	struct addr found[32];
	struct network n;
	const char *wrong;
	size_t len;
	bool host_bits;

	if (network_parse(word, &n, &host_bits) && n.base.family != AF_UNSPEC) {
		if (host_bits)
			conf_say(c, LOG_WARN, "low address bits of %.*s are meaningless", STR_ARG(word));
		add_network(c, settings, &n);
		return true;
	}
	wrong = conf_hosts(c, word, found, sizeof(found) / sizeof(found[0]), &len);
	if (wrong != NULL)
		return conf_fault(c, "%s in %s \"%.*s\"", wrong, d->name, STR_ARG(word));
	for (size_t i = 0; i < len; i++) {
		n = (struct network){ .base = found[i], .bits = found[i].family == AF_INET ? 32 : 128 };
		add_network(c, settings, &n);
	}
	return true;
}

/*
 * Connections need files. Both limits are about the same resource, so an operator who raised one may have
 * forgotten the other.
 */
static void compare_limits(struct conf *c, uint64_t connections, uint64_t own_limit)
{
	uint64_t limit = UINT64_MAX;

	fact(c, STR("nofile"), &limit);
	if (connections <= limit || (own_limit != CORE_UNSET && connections <= own_limit))
		return;
	if (own_limit != CORE_UNSET)
		limit = own_limit;
	conf_say(c, LOG_WARN, "%llu worker_connections exceed open file resource limit: %llu",
		 (unsigned long long)connections, (unsigned long long)limit);
}

bool core_complete(struct conf *c)
{
	const struct core_settings *s = core_settings(c);

	if (scope_first(conf_top(c), IN_EVENTS) == NULL)
		return conf_fault(c, "no \"events\" section in configuration");
	if (!s->affinity.automatic && s->affinity.len > 1 && s->affinity.len != s->workers)
		conf_say(c, LOG_WARN,
			 "the number of \"worker_processes\" is not equal to the number of "
			 "\"worker_cpu_affinity\" masks, using last mask for remaining worker processes");
	compare_limits(c, events_settings(c)->worker_connections, s->rlimit_nofile);
	return true;
}
