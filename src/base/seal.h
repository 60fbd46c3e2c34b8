/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that only the holder of a key can read, and that nobody can change unnoticed: AES-256-GCM. */
#pragma once
#include "base/str.h"

enum { SEAL_KEY = 32, SEAL_NONCE = 12, SEAL_TAG = 16, SEAL_MORE = SEAL_NONCE + SEAL_TAG };

/* Write nonce, ciphertext and tag: bytes.len + SEAL_MORE. A key serves for a million seals at most. */
void seal_put(const uint8_t key[static SEAL_KEY], struct str bytes, char *to);

/* Write the sealed.len - SEAL_MORE bytes that were sealed. False, and nothing of use written, when these are
 * not the sealed bytes of this key. */
bool seal_open(const uint8_t key[static SEAL_KEY], struct str sealed, char *to);
