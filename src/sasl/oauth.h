/* SPDX-License-Identifier: BSD-2-Clause */
/* The messages of XOAUTH2 and OAUTHBEARER (RFC 7628 section 3.1), decoded from base64: who, and a bearer
 * token. */
#pragma once
#include "base/buf.h"

enum oauth_fault { OAUTH_GOOD, OAUTH_BAD_USER, OAUTH_BAD_TOKEN };

/* "user=" U 0x01 "auth=Bearer " T 0x01 0x01. `user` is cleared and filled; `token` points into `message`. */
enum oauth_fault oauth_read_xoauth2(struct str message, struct buf *user, struct str *token);

/* "n,a=" U "," 0x01 KEY=VALUE 0x01 … 0x01, with an "auth=Bearer " T among the pairs. `=2C` and `=3D` in U are
 * decoded. */
enum oauth_fault oauth_read_bearer(struct str message, struct buf *user, struct str *token);

/* Append such a message, not yet in base64. */
void oauth_put_xoauth2(struct buf *to, struct str user, struct str token);
void oauth_put_bearer(struct buf *to, struct str user, struct str token);
