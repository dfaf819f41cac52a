/* gost-engine through OpenSSL's EVP: signatures of 512 bits (tc26-512-A) and 256 (tc26-256-A),
 * Streebog-512, and whole CMS messages. Usage: engine SECONDS [NAME]... */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "measure.h"

#include <openssl/cms.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

static ENGINE *gost;

static void must(int ok, const char *what)
{
	if (!ok)
		ERR_print_errors_fp(stderr);
	need(ok, what);
}

/* Signatures over ready digests. */

static struct signer {
	EVP_PKEY *key;
	EVP_PKEY_CTX *sign, *verify;
	size_t size; /* of a digest */
	unsigned char digests[MESSAGES][64], sigs[MESSAGES][128];
	size_t lengths[MESSAGES];
} signers[2], *current; /* 512 and 256 bits */

static const struct { int nid; const char *curve; } kinds[2] = {
	{NID_id_GostR3410_2012_512, "A"}, {NID_id_GostR3410_2012_256, "TCA"},
};

static EVP_PKEY *new_key(int kind)
{
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(kinds[kind].nid, gost);
	must(ctx && EVP_PKEY_keygen_init(ctx) > 0 && EVP_PKEY_CTX_ctrl_str(ctx, "paramset", kinds[kind].curve) > 0 &&
	     EVP_PKEY_keygen(ctx, &key) > 0, "gost-engine keygen");
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void sign(unsigned i)
{
	unsigned char out[128];
	size_t n = sizeof out;
	must(EVP_PKEY_sign(current->sign, out, &n, current->digests[i], current->size) > 0, "gost-engine sign");
}

static void verify(unsigned i)
{
	must(EVP_PKEY_verify(current->verify, current->sigs[i], current->lengths[i], current->digests[i], current->size) == 1,
	     "gost-engine verify");
}

static void keygen(unsigned i)
{
	(void)i;
	EVP_PKEY_free(new_key((int)(current - signers)));
}

static void prepare_signer(int kind)
{
	struct signer *s = &signers[kind];
	s->size = kind == 0 ? 64 : 32;
	s->key = new_key(kind);
	s->sign = EVP_PKEY_CTX_new(s->key, gost);
	s->verify = EVP_PKEY_CTX_new(s->key, gost);
	must(s->sign && s->verify && EVP_PKEY_sign_init(s->sign) > 0 && EVP_PKEY_verify_init(s->verify) > 0, "gost-engine init");
	random_bytes(NULL, sizeof s->digests, s->digests[0]);
	for (unsigned i = 0; i < MESSAGES; i++) {
		s->lengths[i] = sizeof s->sigs[i];
		must(EVP_PKEY_sign(s->sign, s->sigs[i], &s->lengths[i], s->digests[i], s->size) > 0, "gost-engine sign");
	}
	need(EVP_PKEY_verify(s->verify, s->sigs[1], s->lengths[1], s->digests[0], s->size) != 1, "gost-engine refusing");
}

/* Streebog-512. */

static unsigned char text[1 << 20];
static size_t length;
static const EVP_MD *streebog;

static void hash(unsigned i)
{
	static EVP_MD_CTX *ctx;
	unsigned char out[64];
	if (!ctx)
		ctx = EVP_MD_CTX_new();
	text[0] = (unsigned char)i;
	must(EVP_DigestInit_ex(ctx, streebog, gost) && EVP_DigestUpdate(ctx, text, length) && EVP_DigestFinal_ex(ctx, out, NULL),
	     "gost-engine Streebog");
}

/* Attached messages of 1 KiB by eight people whose certificates one authority issued. One operation is:
 * parse, verify the signature, find and check the path, give the content. */

#define PEOPLE 8
static struct { unsigned char *der; int length; } messages[PEOPLE];
static X509_STORE *store;

static X509 *certificate(EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *by)
{
	static long serial = 1000;
	X509V3_CTX ctx;
	X509 *c = X509_new();
	must(c && X509_set_version(c, 2) && ASN1_INTEGER_set(X509_get_serialNumber(c), serial++) &&
	     X509_gmtime_adj(X509_getm_notBefore(c), -3600) && X509_gmtime_adj(X509_getm_notAfter(c), 86400) &&
	     X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) &&
	     X509_set_issuer_name(c, X509_get_subject_name(issuer ? issuer : c)) && X509_set_pubkey(c, key), "certificate");
	X509V3_set_ctx(&ctx, issuer ? issuer : c, c, NULL, NULL, 0);
	const char *extensions[][2] = {
		{"basicConstraints", issuer ? "critical,CA:FALSE" : "critical,CA:TRUE"},
		{"keyUsage", issuer ? "critical,digitalSignature,nonRepudiation" : "critical,keyCertSign,cRLSign"},
		{"subjectKeyIdentifier", "hash"},
		{"authorityKeyIdentifier", "keyid"},
		{"extendedKeyUsage", "emailProtection"},
	};
	for (size_t i = 0; i < (issuer ? 5 : 4); i++) {
		X509_EXTENSION *e = X509V3_EXT_conf(NULL, &ctx, extensions[i][0], extensions[i][1]);
		must(e && X509_add_ext(c, e, -1), extensions[i][0]);
		X509_EXTENSION_free(e);
	}
	must(X509_sign(c, by, streebog) > 0, "certificate signature");
	return c;
}

static void prepare_messages(void)
{
	EVP_PKEY *authority_key = new_key(0);
	X509 *authority = certificate(authority_key, "Authority", NULL, authority_key);
	store = X509_STORE_new();
	must(store && X509_STORE_add_cert(store, authority), "store");
	for (int i = 0; i < PEOPLE; i++) {
		char name[32];
		snprintf(name, sizeof name, "Person %d", i);
		EVP_PKEY *key = new_key(0);
		X509 *c = certificate(key, name, authority, authority_key);
		random_bytes(NULL, 1024, text);
		BIO *in = BIO_new_mem_buf(text, 1024);
		CMS_ContentInfo *m = CMS_sign(c, key, NULL, in, CMS_BINARY);
		must(m != NULL, "CMS_sign");
		messages[i].length = i2d_CMS_ContentInfo(m, &messages[i].der);
		must(messages[i].length > 1024, "CMS message");
		CMS_ContentInfo_free(m);
		BIO_free(in);
		X509_free(c);
		EVP_PKEY_free(key);
	}
}

static int verify_message(const unsigned char *der, int n)
{
	CMS_ContentInfo *m = d2i_CMS_ContentInfo(NULL, &der, n);
	BIO *out = BIO_new(BIO_s_mem());
	int ok = m && CMS_verify(m, NULL, store, NULL, out, CMS_BINARY) && BIO_pending(out) == 1024;
	BIO_free(out);
	CMS_ContentInfo_free(m);
	return ok;
}

static void cms(unsigned i)
{
	must(verify_message(messages[i % PEOPLE].der, messages[i % PEOPLE].length), "CMS_verify");
}

/* refuses makes sure that the check can fail: a message of a stranger's authority, and a changed one. */
static void refuses(void)
{
	X509_STORE *ours = store;
	store = X509_STORE_new();
	need(!verify_message(messages[0].der, messages[0].length), "CMS_verify refusing a stranger");
	X509_STORE_free(store);
	store = ours;
	messages[0].der[messages[0].length - 1] ^= 1;
	need(!verify_message(messages[0].der, messages[0].length), "CMS_verify refusing a changed message");
	messages[0].der[messages[0].length - 1] ^= 1;
	ERR_clear_error();
}

int main(int argc, char **argv)
{
	static const struct { const char *name; size_t length; } hashes[] = {
		{"streebog512/64", 64}, {"streebog512/1024", 1024}, {"streebog512/1048576", 1 << 20},
	};
	static const struct { const char *name; int kind; void (*op)(unsigned); } operations[] = {
		{"sign512", 0, sign}, {"verify512", 0, verify}, {"keygen512", 0, keygen},
		{"sign256", 1, sign}, {"verify256", 1, verify}, {"keygen256", 1, keygen},
	};
	double s = seconds_of(argc, argv);
	OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_ALL_BUILTIN, NULL);
	gost = ENGINE_by_id("gost");
	must(gost && ENGINE_init(gost) && ENGINE_set_default(gost, ENGINE_METHOD_ALL), "gost-engine");
	if (asked_version(argc, argv)) {
		printf("%s, gost-engine as an engine of it\n", OpenSSL_version(OPENSSL_VERSION));
		return 0;
	}
	streebog = EVP_get_digestbynid(NID_id_GostR3411_2012_512);
	must(streebog != NULL, "gost-engine Streebog");
	random_bytes(NULL, sizeof text, text);
	for (int kind = 0; kind < 2; kind++)
		prepare_signer(kind);
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
		current = &signers[operations[i].kind];
		if (wanted(argc, argv, operations[i].name))
			measure(operations[i].name, s, operations[i].op);
	}
	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
		length = hashes[i].length;
		if (wanted(argc, argv, hashes[i].name))
			measure(hashes[i].name, s, hash);
	}
	if (wanted(argc, argv, "cms")) {
		prepare_messages();
		refuses();
		measure("cms", s, cms);
	}
	return 0;
}
