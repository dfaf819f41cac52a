package portal

import (
	"testing"

	"senim/internal/participant"
	"senim/internal/pkitest"
	"senim/pfx"
	"senim/pki"
)

func realKey(t *testing.T, path string) *pkitest.Leaf {
	t.Helper()
	f, err := pfx.Decode(pkitest.Fixture(t, path), "Qwerty12")
	if err != nil {
		t.Fatal(err)
	}
	return &pkitest.Leaf{Certificate: f.Certificate, Key: f.Key}
}

// The portal that trusts the national TEST authority takes its real keys through the whole
// registration at 2026-09-01, and refuses the revoked one. Whether a key is revoked is told by the
// test: no list of that day is public.
func TestRealKeys(t *testing.T) {
	head, revoked := realKey(t, "p12/gost512-2026/ceo_valid.p12"), realKey(t, "p12/gost512-2026/ceo_revoked.p12")
	person := realKey(t, "p12/gost512-2026/individual_valid.p12")
	root, nca := pkitest.FixtureCertificate(t, "ca/test/root_test_gost_2022.cer"), pkitest.FixtureCertificate(t, "ca/test/nca_gost2022_test.cer")
	w := newWorldTrusting(t, func(p *pki.Pool) {
		p.AddRoot(root)
		p.AddIntermediate(nca)
	})
	w.heads(iinA, iinB)
	w.revoke(revoked)

	b := w.browser()
	b.begin(participant.LegalEntity).sign(revoked).refused("CERT_REVOKED")
	b = w.browser()
	b.begin(participant.LegalEntity).sign(realKey(t, "p12/gost512-2026/employee_signright_valid.p12")).refused("CERT_NO_HEAD_ROLE")
	b = w.browser()
	b.begin(participant.LegalEntity).sign(realKey(t, "p12/expired/GOST512_first_director_valid.p12")).refused("CERT_EXPIRED")
	b = w.browser()
	b.begin(participant.LegalEntity).sign(head).at("/2").says("АО «ТЕСТ»").says("123 456 789 021")
	b.fill("b@example.kz", passB).at("/3").sign(head).at("/4")
	b.follow().sign(person).at("/login/password").post("/login/password", "password", passB).at("/login/profile?done=1")
	if w.statusOf(iinB, binX) != participant.Active || w.statusOf(iinA, binX) != participant.HeadChangeBlocked {
		t.Errorf("B %s, A %s", w.statusOf(iinB, binX), w.statusOf(iinA, binX))
	}
	b.login(head, passB).at("/me").says("АО «ТЕСТ»")
}

// Without the national authority in the trust directory its keys are strangers.
func TestRealKeysUntrusted(t *testing.T) {
	head := realKey(t, "p12/gost512-2026/ceo_valid.p12")
	w := newWorld(t)
	b := w.browser()
	b.begin(participant.LegalEntity).sign(head).refused("CERT_UNTRUSTED")
}
