package caapi_test

import (
	"crypto"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/access"
	"senim/internal/caapi/client"
	"senim/internal/pkitest"
)

// TestRenewalProofReplayed: a captured proof serves once. Whoever sends it again, under whatever order, gets no second
// certificate, also after the first was revoked; another request, or another certificate's renewal, it does not serve at all.
func TestRenewalProofReplayed(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	ctx := t.Context()
	ra, _ := s.client(t, access.Client{})
	thief, _ := s.client(t, access.Client{Name: "thief", Rights: []access.Right{access.Renew, access.Read}})
	cert, key := s.issue(t, ra, "A-1")
	twin, _ := s.issue(t, ra, "A-2") // of the same holder
	serial, fresh := cert.SerialHex(), pkitest.NewKey(t, algid.GOST512)
	captured := renewal(t, cert, key, pkitest.Person(), fresh)

	// Before it was used: only the very key of the request can come of it, whoever brings it.
	other := captured
	other.CSR = renewal(t, cert, key, pkitest.Person(), pkitest.NewKey(t, algid.GOST512)).CSR
	if _, err := thief.Renew(ctx, serial, "T-1", other); code(err) != "PROOF_INVALID" {
		t.Errorf("for the thief's own key: %v", err)
	}
	if _, err := thief.Renew(ctx, twin.SerialHex(), "T-2", captured); code(err) != "PROOF_INVALID" {
		t.Errorf("for another certificate: %v", err)
	}
	made, err := ra.Renew(ctx, serial, "R-1", captured)
	if err != nil || !fresh.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(parsed(t, made.Certificate).PublicKey) {
		t.Fatalf("%v", err)
	}
	for _, c := range []struct {
		by   *client.Client
		key  string
		want string
	}{{thief, "T-3", "ALREADY_RENEWED"}, {ra, "R-2", "ALREADY_RENEWED"}, {thief, "R-1", "ALREADY_RENEWED"}} { // R-1 is another order when it is another client's
		if _, err := c.by.Renew(ctx, serial, c.key, captured); code(err) != c.want {
			t.Errorf("%s: %v, want %s", c.key, err, c.want)
		}
	}
	if again, err := ra.Renew(ctx, serial, "R-1", captured); err != nil || again.Serial != made.Serial {
		t.Errorf("the same order again: %v", err)
	}
	if _, err := ra.Revoke(ctx, made.Serial, "rev", client.RevokeRequest{Reason: "superseded"}); err != nil {
		t.Fatal(err)
	}
	for _, by := range []*client.Client{thief, ra} { // the old key may be renewed again, but not by what was used
		if _, err := by.Renew(ctx, serial, "L-1", captured); code(err) != "KEY_REUSED" {
			t.Errorf("after its certificate was revoked: %v", err)
		}
	}
	held := renewal(t, cert, key, pkitest.Person(), pkitest.NewKey(t, algid.GOST512)) // captured, never used
	s.clock.move(366 * 24 * time.Hour)
	if _, err := thief.Renew(ctx, serial, "T-4", held); code(err) != "OLD_KEY_EXPIRED" {
		t.Errorf("longer than the old certificate: %v", err)
	}
}
