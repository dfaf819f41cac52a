package caapi_test

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/internal/access"
	"senim/internal/caapi/client"
	"senim/internal/pkitest"
	"senim/pki"
)

func code(err error) string {
	if p, ok := errors.AsType[*client.Problem](err); ok {
		return p.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// TestLifeOfACertificate walks every route with the client: issue, status, search, hold, release by
// two, renew, revoke, list.
func TestLifeOfACertificate(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	ctx := t.Context()
	ra, _ := s.client(t, access.Client{Name: "ra-1"})
	second, _ := s.client(t, access.Client{Name: "officer-2", Rights: []access.Right{access.Release}})
	cert, key := s.issue(t, ra, "A-1")
	serial := cert.SerialHex()

	got, err := ra.Certificate(ctx, serial)
	if err != nil || got.State != client.StateValid || got.Order != "ra-1/A-1" || got.Profile != "individual" || got.IIN != "123456789011" {
		t.Fatalf("%+v, %v", got, err)
	}
	if !bytes.Equal(parsed(t, got.Certificate).Raw, cert.Raw) {
		t.Error("another certificate")
	}
	held, err := ra.Hold(ctx, serial, "hold-1", client.HoldRequest{Comment: "SEARCHING"})
	if err != nil || held.Reason != "certificateHold" {
		t.Fatalf("hold: %+v, %v", held, err)
	}
	first, err := ra.Release(ctx, serial, "rel-1", client.HoldRequest{})
	if err != nil || first.State != "awaiting_second" || first.Until == nil {
		t.Fatalf("first voice: %+v, %v", first, err)
	}
	if again, err := ra.Release(ctx, serial, "rel-2", client.HoldRequest{}); err != nil || again.State != "awaiting_second" {
		t.Fatalf("one client stands for two: %+v, %v", again, err)
	}
	if now, _ := ra.Certificate(ctx, serial); now.State != client.StateHold {
		t.Fatalf("after one voice: %s", now.State)
	}
	done, err := second.Release(ctx, serial, "rel-1", client.HoldRequest{})
	if err != nil || done.State != "released" || done.First != "ra-1" {
		t.Fatalf("second voice: %+v, %v", done, err)
	}
	if now, _ := ra.Certificate(ctx, serial); now.State != client.StateValid {
		t.Fatalf("after both: %s", now.State)
	}

	fresh := pkitest.NewKey(t, algid.GOST512)
	next, err := ra.Renew(ctx, serial, "A-2", renewal(t, cert, key, pkitest.Person(), fresh))
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := ra.Certificate(ctx, next.Serial); n.Replaces != serial || n.Profile != "individual" || n.IIN != "123456789011" || n.Name != got.Name {
		t.Errorf("renewed: %+v", n)
	}
	if h, was := parsed(t, next.Certificate).Holder(), cert.Holder(); h.Email != was.Email || h.Given != was.Given || h.Surname != was.Surname {
		t.Errorf("renewed for %+v, was %+v", h, was)
	}

	since := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	gone, err := ra.Revoke(ctx, serial, "rev-1", client.RevokeRequest{Reason: "keyCompromise", Invalidity: &since, Comment: "LOST"})
	if err != nil || gone.Reason != "keyCompromise" || gone.Invalidity == nil || !gone.Invalidity.Equal(since) {
		t.Fatalf("%+v, %v", gone, err)
	}
	if info, err := s.ca.Certificate(ctx, serial); err != nil || info.Revoked == nil || info.Revoked.By != "api:ra-1" {
		t.Errorf("%+v, %v", info, err)
	}
	all, err := ra.SearchAll(ctx, client.Query{IIN: "123456789011", Limit: 1}, 10)
	if err != nil || len(all) != 2 || all[0].Serial != next.Serial || all[1].Serial != serial || all[1].State != client.StateRevoked {
		t.Errorf("%d found, %v", len(all), err)
	}
	if err := s.ca.Publish(ctx, "gost"); err != nil {
		t.Fatal(err)
	}
	for _, delta := range []bool{false, true} {
		if list, err := ra.CRL(ctx, "gost", delta); err != nil || len(list) < 100 {
			t.Errorf("list: %d bytes, %v", len(list), err)
		}
	}
	if p, err := ra.Profiles(ctx); err != nil || len(p.Items) < 20 {
		t.Errorf("%d profiles, %v", len(p.Items), err)
	}
	if a, err := ra.Authorities(ctx); err != nil || len(a.Items) != 2 || a.Items[0].Name != "gost" || a.Items[0].Parent != "root_gost" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := s.open(t, "").Health(ctx); err != nil {
		t.Error(err)
	}
	if n, err := s.store.VerifyAudit(ctx); err != nil || n == 0 {
		t.Errorf("audit: %d, %v", n, err)
	}
}

// TestEveryCallIsRecorded: the client is the actor, and no personal number is written down.
func TestEveryCallIsRecorded(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	ra, key := s.client(t, access.Client{})
	cert, _ := s.issue(t, ra, "A-1")
	if _, err := ra.Search(t.Context(), client.Query{IIN: "123456789011"}); err != nil {
		t.Fatal(err)
	}
	_, _ = ra.Certificate(t.Context(), strings.Repeat("0", 40)) // refused, and recorded
	s.do(t, "GET", "/ca/v1/profiles", "nobody.AAAA", nil)
	if _, err := ra.Revoke(t.Context(), cert.SerialHex(), "rev-1", client.RevokeRequest{Reason: "superseded", Comment: "NEW_KEY", Reference: "ticket 9"}); err != nil {
		t.Fatal(err)
	}
	records, err := s.store.AuditRecords(t.Context(), "test", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, r := range records {
		all := r.Actor + r.Object + r.Result
		for k, v := range r.Detail {
			all += k + v
		}
		if strings.Contains(all, "123456789011") || strings.Contains(all, strings.SplitAfter(key, ".")[1]) {
			t.Errorf("%s holds a personal number or a secret", r.Action)
		}
		if r.Action == "api.call" {
			calls = append(calls, r.Actor+" "+r.Detail["route"]+" "+r.Result+" "+r.Object)
		}
		if r.Action == "api.call" && r.Detail["route"] == "GET /ca/v1/certificates" && !strings.HasPrefix(r.Detail["iin"], "h:") {
			t.Errorf("whom was searched for: %q", r.Detail["iin"])
		}
		if r.Action == "ca.issued" && r.Actor != "api:ra-1" || r.Action == "ca.revoked" && r.Actor != "api:ra-1 ticket 9" {
			t.Errorf("%s by %q", r.Action, r.Actor)
		}
	}
	want := []string{
		"api:ra-1 POST /ca/v1/certificates ok " + cert.SerialHex(),
		"api:ra-1 GET /ca/v1/certificates ok ",
		"api:ra-1 GET /ca/v1/certificates/{serial} NOT_FOUND " + strings.Repeat("0", 40),
		"unknown GET /ca/v1/profiles UNAUTHENTICATED ",
		"api:ra-1 POST /ca/v1/certificates/{serial}/revoke ok " + cert.SerialHex(),
	}
	if !slices.Equal(calls, want) {
		t.Errorf("recorded:\n%s\nwant:\n%s", strings.Join(calls, "\n"), strings.Join(want, "\n"))
	}
}

// TestRSAChain: what the API gives out is a chain for Go's own verifier.
func TestRSAChain(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.RSA)
	ra, key := s.client(t, access.Client{})
	made, err := ra.Issue(t.Context(), "A-1", request(t, pkitest.NewKey(t, algid.RSA), "individual-auth"))
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	if len(made.Chain) != 2 || !between.AppendCertsFromPEM([]byte(made.Chain[0])) || !roots.AppendCertsFromPEM([]byte(made.Chain[1])) {
		t.Fatalf("chain of %d", len(made.Chain))
	}
	der, err := client.DER(made.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	for accept, want := range map[string]string{
		"application/pkix-cert": "application/pkix-cert", "application/x-pem-file": "application/x-pem-file", "*/*": "application/json",
		"application/json;q=0.1, application/pkix-cert;q=0.9": "application/pkix-cert",
	} {
		a := s.do(t, "GET", "/ca/v1/certificates/"+made.Serial, key, nil, "Accept", accept)
		if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != want {
			t.Errorf("Accept %s: %s, %s", accept, a.Status, a.Header.Get("Content-Type"))
		}
		if want == "application/pkix-cert" && !bytes.Equal(a.body, der) || want == "application/x-pem-file" && string(a.body) != made.Certificate {
			t.Errorf("Accept %s: another certificate", accept)
		}
	}
	if a := s.do(t, "GET", "/ca/v1/certificates/"+made.Serial, key, nil, "Accept", "text/html"); a.problem.Code != "NOT_ACCEPTABLE" {
		t.Errorf("text/html: %s", a.problem.Code)
	}
}

// TestRenewalIsRefused: what does not renew.
func TestRenewalIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	ctx := t.Context()
	ra, _ := s.client(t, access.Client{})
	cert, key := s.issue(t, ra, "A-1")
	other, otherKey := s.issue(t, ra, "A-2")
	serial := cert.SerialHex()
	fresh := func() client.RenewRequest {
		return renewal(t, cert, key, pkitest.Person(), pkitest.NewKey(t, algid.GOST512))
	}
	stranger := pkitest.Person()
	stranger.IIN = "123456789012"
	swapped := fresh()
	swapped.CSR = fresh().CSR
	for name, tt := range map[string]struct {
		r    client.RenewRequest
		want string
	}{
		"signed by another key":      {renewal(t, other, otherKey, pkitest.Person(), pkitest.NewKey(t, algid.GOST512)), "PROOF_INVALID"},
		"proof over another request": {swapped, "PROOF_INVALID"},
		"another holder":             {renewal(t, cert, key, stranger, pkitest.NewKey(t, algid.GOST512)), "SUBJECT_DIFFERS"},
		"the old key again":          {renewal(t, cert, key, pkitest.Person(), key), "KEY_NOT_NEW"},
		"another's old key":          {renewal(t, cert, key, pkitest.Person(), otherKey), "KEY_REUSED"},
		"no signature at all":        {client.RenewRequest{CSR: fresh().CSR, Proof: "MAA="}, "PROOF_INVALID"},
	} {
		if _, err := ra.Renew(ctx, serial, "R-"+strings.NewReplacer(" ", "-", "'", "").Replace(name), tt.r); code(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if _, err := ra.Hold(ctx, serial, "h", client.HoldRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := ra.Renew(ctx, serial, "R-held", fresh()); code(err) != "OLD_KEY_REVOKED" {
		t.Errorf("on hold: %v", err)
	}
	if _, err := ra.Renew(ctx, other.SerialHex(), "R-1", renewal(t, other, otherKey, pkitest.Person(), pkitest.NewKey(t, algid.GOST512))); err != nil {
		t.Fatal(err)
	}
	if _, err := ra.Renew(ctx, other.SerialHex(), "R-2", renewal(t, other, otherKey, pkitest.Person(), pkitest.NewKey(t, algid.GOST512))); code(err) != "ALREADY_RENEWED" {
		t.Errorf("renewed twice: %v", err)
	}
	// a successor revoked for good is none any more: the old key is in force and may be renewed
	lost, lostKey := s.issue(t, ra, "A-4")
	again := func() client.RenewRequest {
		return renewal(t, lost, lostKey, pkitest.Person(), pkitest.NewKey(t, algid.GOST512))
	}
	next, err := ra.Renew(ctx, lost.SerialHex(), "R-3", again())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ra.Hold(ctx, next.Serial, "h-3", client.HoldRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := ra.Renew(ctx, lost.SerialHex(), "R-4", again()); code(err) != "ALREADY_RENEWED" {
		t.Errorf("the successor is on hold: %v", err)
	}
	if _, err := ra.Revoke(ctx, next.Serial, "r-3", client.RevokeRequest{Reason: "keyCompromise"}); err != nil {
		t.Fatal(err)
	}
	second, err := ra.Renew(ctx, lost.SerialHex(), "R-5", again())
	if err != nil {
		t.Fatalf("the successor is revoked: %v", err)
	}
	if was, err := ra.Certificate(ctx, lost.SerialHex()); err != nil || was.ReplacedBy != second.Serial {
		t.Errorf("replaced by %q, want %q: %v", was.ReplacedBy, second.Serial, err)
	}
	third, thirdKey := s.issue(t, ra, "A-3")
	s.clock.move(366 * 24 * time.Hour)
	if _, err := ra.Renew(ctx, third.SerialHex(), "R-late", renewal(t, third, thirdKey, pkitest.Person(), pkitest.NewKey(t, algid.GOST512))); code(err) != "OLD_KEY_EXPIRED" {
		t.Errorf("expired: %v", err)
	}
}

// TestRenewalOfARegisteredSystem: the number of a registered system goes over into its next certificate.
func TestRenewalOfARegisteredSystem(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil, algid.GOST512)
	ra, _ := s.client(t, access.Client{})
	h := pki.Holder{CommonName: "ИС ТЕСТ", Organization: `АО "ТЕСТ"`, BIN: "123456789021", UID: "1.2.398.6.10.1.1"}
	key := pkitest.NewKey(t, algid.GOST512)
	made, err := ra.Issue(t.Context(), "S-1", client.IssueRequest{Profile: "info-system-registered", CSR: base64.StdEncoding.EncodeToString(pkitest.Request(t, key, h)),
		Subject: client.Subject{CommonName: h.CommonName, Organization: h.Organization, BIN: h.BIN, UID: h.UID, System: 17}})
	if err != nil {
		t.Fatal(err)
	}
	old := parsed(t, made.Certificate)
	next, err := ra.Renew(t.Context(), made.Serial, "S-2", renewal(t, old, key, h, pkitest.NewKey(t, algid.GOST512)))
	if err != nil {
		t.Fatal(err)
	}
	if is := parsed(t, next.Certificate).ExtKeyUsage; !slices.EqualFunc(old.ExtKeyUsage, is, asn1.ObjectIdentifier.Equal) {
		t.Errorf("%v, want %v", is, old.ExtKeyUsage)
	}
}
