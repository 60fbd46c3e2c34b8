/* SPDX-License-Identifier: BSD-2-Clause */
/* Passwords from the terminal or standard input; see password.h. */
#include "ctl/password.h"

#include "ctl/ctl.h"
#include <fcntl.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { CONTROL_C = 3, CONTROL_D = 4, BACKSPACE = 8, CONTROL_U = 21, DELETE = 127 };

/* One line, byte by byte so that nothing behind it is taken. */
static bool read_line(int fd, struct buf *to)
{
	char c;

	buf_wipe(to);
	while (read(fd, &c, 1) == 1) {
		if (c == '\n')
			return true;
		buf_put_byte(to, c);
	}
	return to->len != 0;
}

bool password_read(struct buf *to)
{
	bool any = read_line(STDIN_FILENO, to);

	if (to->full)
		return ctl_fail("the password is too long") == 0;
	if (to->len != 0 && to->at[to->len - 1] == '\r')
		to->len--;
	return (any && to->len != 0) || ctl_fail("there is no password on standard input") == 0;
}

/* The last character: of UTF-8 all its bytes. */
static void take_back(struct buf *to)
{
	bool more = to->len != 0;

	while (more)
		more = ((unsigned char)to->at[--to->len] & 0xc0) == 0x80 && to->len != 0;
}

/* Keys come one by one, so that Control-C leaves no terminal without echo behind. */
static bool read_keys(int tty, struct buf *to)
{
	char c;

	buf_wipe(to);
	while (read(tty, &c, 1) == 1 && c != CONTROL_C && c != CONTROL_D) {
		if (c == '\r' || c == '\n')
			return true;
		if (c == CONTROL_U)
			buf_wipe(to);
		else if (c != BACKSPACE && c != DELETE)
			buf_put_byte(to, c);
		else
			take_back(to);
	}
	return false;
}

static bool prompt(int tty, const char *text, struct buf *to)
{
	struct termios before, unseen;
	bool good;

	if (tcgetattr(tty, &before) != 0)
		return false;
	unseen = before;
	unseen.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	unseen.c_cc[VMIN] = 1;
	unseen.c_cc[VTIME] = 0;
	tcsetattr(tty, TCSAFLUSH, &unseen);
	dprintf(tty, "%s", text);
	good = read_keys(tty, to);
	tcsetattr(tty, TCSAFLUSH, &before);
	dprintf(tty, "\n");
	return good;
}

bool password_ask(struct buf *to)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	struct buf again;
	bool good, same;

	if (tty < 0)
		return ctl_fail(
			       "there is no terminal to ask for the password; --stdin reads it from standard "
			       "input") == 0;
	buf_init(&again, to->most);
	good = prompt(tty, "Password: ", to) && prompt(tty, "The same again: ", &again);
	same = str_eq_secret(buf_text(to), buf_text(&again)) && !to->full;
	close(tty);
	buf_done(&again);
	if (!good)
		return ctl_fail("no password was given") == 0;
	if (!same)
		return ctl_fail("these were two different passwords, or too long ones") == 0;
	return to->len != 0 || ctl_fail("the password is empty") == 0;
}
