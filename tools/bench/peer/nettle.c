/* nettle and hogweed: the 512-bit curve tc26-512-A, which they call gc512a, and Streebog-512.
 * Usage: nettle SECONDS [NAME]... */
#include "measure.h"

#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/gostdsa.h>
#include <nettle/streebog.h>
#include <nettle/version.h>

static struct ecc_scalar key;
static struct ecc_point pub;
static struct dsa_signature sigs[MESSAGES], scratch;
static uint8_t digests[MESSAGES][64];
static uint8_t text[1 << 20];
static size_t length;

static void sign(unsigned i) { gostdsa_sign(&key, NULL, random_bytes, 64, digests[i], &scratch); }

static void verify(unsigned i) { need(gostdsa_verify(&pub, 64, digests[i], &sigs[i]), "nettle verify"); }

static void keygen(unsigned i)
{
	struct ecc_scalar k;
	struct ecc_point p;
	(void)i;
	ecc_scalar_init(&k, nettle_get_gost_gc512a());
	ecc_point_init(&p, nettle_get_gost_gc512a());
	gostdsa_generate_keypair(&p, &k, NULL, random_bytes);
	ecc_scalar_clear(&k);
	ecc_point_clear(&p);
}

static void hash(unsigned i)
{
	struct streebog512_ctx ctx;
	uint8_t out[64];
	text[0] = (uint8_t)i;
	streebog512_init(&ctx);
	streebog512_update(&ctx, length, text);
	streebog512_digest(&ctx, sizeof out, out);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; size_t length; } hashes[] = {
		{"streebog512/64", 64}, {"streebog512/1024", 1024}, {"streebog512/1048576", 1 << 20},
	};
	double s = seconds_of(argc, argv);
	if (asked_version(argc, argv)) {
		printf("nettle %d.%d\n", NETTLE_VERSION_MAJOR, NETTLE_VERSION_MINOR);
		return 0;
	}
	ecc_scalar_init(&key, nettle_get_gost_gc512a());
	ecc_point_init(&pub, nettle_get_gost_gc512a());
	gostdsa_generate_keypair(&pub, &key, NULL, random_bytes);
	dsa_signature_init(&scratch);
	random_bytes(NULL, sizeof digests, digests[0]);
	random_bytes(NULL, sizeof text, text);
	for (unsigned i = 0; i < MESSAGES; i++) {
		dsa_signature_init(&sigs[i]);
		gostdsa_sign(&key, NULL, random_bytes, 64, digests[i], &sigs[i]);
	}
	need(!gostdsa_verify(&pub, 64, digests[0], &sigs[1]), "nettle refusing");
	if (wanted(argc, argv, "sign512"))
		measure("sign512", s, sign);
	if (wanted(argc, argv, "verify512"))
		measure("verify512", s, verify);
	if (wanted(argc, argv, "keygen512"))
		measure("keygen512", s, keygen);
	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
		length = hashes[i].length;
		if (wanted(argc, argv, hashes[i].name))
			measure(hashes[i].name, s, hash);
	}
	return 0;
}
