/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the TLS library complains of, as one line of text in the form that log watchers know:
 * "SSL_do_handshake() failed (SSL: error:0A000076:SSL routines::no suitable signature algorithm)".
 *
 * The library leaves its complaints in a queue, innermost first; the queue is always emptied, since what is
 * left there would be taken for the reason of the next failure.
 */
#include "net/tls_inside.h"

#include "base/text.h"
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { REASON_MAX = 256, REASONS_MAX = 1024 };

/* Is it our own trouble? Everything in a handshake is the peer's doing, but for broken insides, a failing key
 * and lacking memory. The last complaint is the outermost and decides. */
static enum log_level level_of(unsigned long code)
{
	if (code == 0)
		return LOG_INFO;
	if (ERR_GET_LIB(code) != ERR_LIB_SSL || ERR_FATAL_ERROR(code) ||
	    ERR_GET_REASON(code) == ERR_R_EVP_LIB)
		return LOG_CRIT;
	return LOG_INFO;
}

static void put_reason(struct buf *to, unsigned long code, const char *data, int flags)
{
	char text[REASON_MAX];

	ERR_error_string_n(code, text, sizeof(text));
	buf_put(to, str_of(text));
	if (!(flags & ERR_TXT_STRING) || data[0] == '\0')
		return;
	buf_put_byte(to, ':');
	visible_put(to, str_of(data), REASON_MAX);
}

enum log_level tls_reasons_put(struct buf *to)
{
	enum log_level level = LOG_INFO;
	const char *data, *lead = " (SSL: ";
	unsigned long code;
	int flags;

	while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
		level = level_of(code);
		buf_put(to, str_of(lead));
		put_reason(to, code, data, flags);
		lead = " ";
	}
	if (lead[1] == '\0')
		buf_put_byte(to, ')');
	return level;
}

struct str tls_shown(struct str word)
{
	return str_starts(word, STR("data:")) ? STR("data:") : word;
}

bool tls_fault(struct conf *c, const struct tls_word *at, const char *format, ...)
{
	struct buf text;
	char what[REASONS_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	buf_init(&text, REASONS_MAX + sizeof(what));
	buf_put(&text, str_of(what));
	tls_reasons_put(&text);
	conf_fault_at(c, at->file, at->line, "%.*s", STR_ARG(buf_text(&text)));
	buf_done(&text);
	return false;
}
