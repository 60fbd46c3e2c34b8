/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests against the test vectors of RFC 1321, 2202, 3174, 4231, 6070, 6234 and 7914, and of RFC 2195's
 * example. */
#include "base/digest.h"

#include "unit.h"
#include <string.h>

typedef void digest_fn(struct str bytes, uint8_t *to);
typedef void hmac_fn(struct str key, struct str bytes, uint8_t *to);

static void assert_hex(const uint8_t *at, size_t len, const char *want)
{
	char hex[2 * SHA512_SIZE + 1];

	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", at[i]);
	assert_string_equal(hex, want);
}

static void check(digest_fn *fn, size_t size, struct str bytes, const char *want)
{
	uint8_t got[SHA512_SIZE];

	fn(bytes, got);
	assert_hex(got, size, want);
}

static void check_hmac(hmac_fn *fn, size_t size, struct str key, struct str bytes, const char *want)
{
	uint8_t got[SHA256_SIZE];

	fn(key, bytes, got);
	assert_hex(got, size, want);
}

static void md5(void **state)
{
	(void)state;
	check(digest_md5, MD5_SIZE, (struct str){ NULL, 0 }, "d41d8cd98f00b204e9800998ecf8427e");
	check(digest_md5, MD5_SIZE, STR("a"), "0cc175b9c0f1b6a831c399e269772661");
	check(digest_md5, MD5_SIZE, STR("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
	check(digest_md5, MD5_SIZE,
	      STR("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
	      "57edf4a22be3c955ac49da2e2107b67a");
	/* RFC 1939's example of APOP */
	check(digest_md5, MD5_SIZE, STR("<1896.697170952@dbc.mtview.ca.us>tanstaaf"),
	      "c4c9334bac560ecc979e58001b3e22fb");
}

static void sha(void **state)
{
	static char million[1000000];

	(void)state;
	check(digest_sha1, SHA1_SIZE, (struct str){ NULL, 0 }, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	check(digest_sha1, SHA1_SIZE, STR("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
	check(digest_sha256, SHA256_SIZE, (struct str){ NULL, 0 },
	      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check(digest_sha256, SHA256_SIZE, STR("abc"),
	      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check(digest_sha512, SHA512_SIZE, STR("abc"),
	      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
	memset(million, 'a', sizeof(million));
	check(digest_sha1, SHA1_SIZE, (struct str){ million, sizeof(million) },
	      "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	check(digest_sha256, SHA256_SIZE, (struct str){ million, sizeof(million) },
	      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void hmacs(void **state)
{
	char long_key[131], short_key[20];
	struct str longest = { long_key, sizeof(long_key) };

	(void)state;
	memset(long_key, 0xaa, sizeof(long_key));
	memset(short_key, 0x0b, sizeof(short_key));
	check_hmac(hmac_md5, MD5_SIZE, (struct str){ NULL, 0 }, (struct str){ NULL, 0 },
		   "74e6f7298a9c2d168935f58c001bad88");
	check_hmac(hmac_md5, MD5_SIZE, (struct str){ short_key, 16 }, STR("Hi There"),
		   "9294727a3638bb1c13f48ef8158bfc9d");
	check_hmac(hmac_md5, MD5_SIZE, STR("Jefe"), STR("what do ya want for nothing?"),
		   "750c783e6ab0b503eaa86e310a5db738");
	check_hmac(hmac_md5, MD5_SIZE, (struct str){ long_key, 80 },
		   STR("Test Using Larger Than Block-Size Key - Hash Key First"),
		   "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
	check_hmac(hmac_md5, MD5_SIZE, STR("tanstaaftanstaaf"),
		   STR("<1896.697170952@postoffice.reston.mci.net>"), "b913a602c7eda7a495b4e6e7334d3890");
	check_hmac(hmac_sha256, SHA256_SIZE, (struct str){ short_key, 20 }, STR("Hi There"),
		   "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	check_hmac(hmac_sha256, SHA256_SIZE, STR("Jefe"), STR("what do ya want for nothing?"),
		   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	check_hmac(hmac_sha256, SHA256_SIZE, longest,
		   STR("Test Using Larger Than Block-Size Key - Hash Key First"),
		   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void pbkdf2(void **state)
{
	uint8_t got[SHA256_SIZE];

	(void)state;
	pbkdf2_sha1(STR("password"), STR("salt"), 4096, got);
	assert_hex(got, SHA1_SIZE, "4b007901b765489abead49d926f721d065a429c1");
	pbkdf2_sha256(STR("passwd"), STR("salt"), 1, got);
	assert_hex(got, SHA256_SIZE, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	pbkdf2_sha256((struct str){ NULL, 0 }, (struct str){ NULL, 0 }, 1, got);
}

/* Sixteen draws of 16 bytes: a repetition, or a byte that no draw touches, would be a broken generator. */
static void random_bytes_differ(void **state)
{
	uint8_t draws[16][18], touched[18] = { 0 };

	(void)state;
	memset(draws, 0x5a, sizeof(draws));
	for (int i = 0; i < 16; i++) {
		random_bytes(draws[i] + 1, 16);
		assert_int_equal(draws[i][0], 0x5a);
		assert_int_equal(draws[i][17], 0x5a);
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(draws[i], draws[j], 18);
		for (int k = 1; k < 17; k++)
			touched[k] |= draws[i][k] ^ draws[0][k];
	}
	for (int k = 1; k < 17; k++)
		assert_int_not_equal(touched[k], 0);
	random_bytes(draws, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(md5),
		cmocka_unit_test(sha),
		cmocka_unit_test(hmacs),
		cmocka_unit_test(pbkdf2),
		cmocka_unit_test(random_bytes_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
