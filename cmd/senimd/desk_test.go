package main

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"senim/gost"
	"senim/internal/ra"
	"senim/pki"
)

// atDesk brings the accountant's application for a storage through a desk, to its certificate.
func atDesk(t *testing.T, s *server, storage ra.Storage) *pki.Certificate {
	t.Helper()
	ctx := t.Context()
	who := cast()[3]
	one, two := ra.Operator{IIN: cast()[4].iin, Serial: "1", Name: "О"}, ra.Operator{IIN: cast()[5].iin, Serial: "2", Name: "К"}
	a, err := s.office.Take(ctx, one, ra.DeskForm{IIN: who.iin, Role: ra.RoleIndividual, Email: who.email(), City: "Астана", Storage: storage, Lang: "ru"})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	_, err = s.office.Examine(ctx, one, a.Number, ra.Finding{Number: "045678901", Expires: time.Now().AddDate(3, 0, 0).Format(time.DateOnly),
		Surname: who.surname, Name: who.name, Patronymic: who.patronymic}, []byte("%PDF-1.7"))
	must(err)
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	must(err)
	csr, err := pki.CreateRequest(rand.Reader, key, pki.RequestTemplate{Subject: pki.SubjectName(pki.Holder{CommonName: who.commonName(), Surname: who.surname,
		Given: who.patronymic, IIN: who.iin, Country: "KZ"}), Emails: []string{who.email()}})
	must(err)
	a, err = s.office.DeskRequests(ctx, one, a.Number, [][]byte{csr})
	must(err)
	text, err := a.DeskDocument("identify", one, "")
	must(err)
	a, err = s.office.Identify(ctx, one, a.Number, text, []byte("<one/>"))
	must(err)
	text, err = a.DeskDocument("approve", two, "")
	must(err)
	a, err = s.office.Approve(ctx, two, a.Number, "", text, []byte("<two/>"))
	must(err)
	must(s.office.Issue(ctx, ra.Task{Number: a.Number, Revision: a.Revision}))
	a, err = s.office.Case(ctx, a.Number)
	must(err)
	cert, err := pki.ParseCertificate(a.Certificates[0].DER)
	must(err)
	return cert
}

// The authority gives a file 365 days and a carrier 1095, from issue, and writes which it is.
func TestC36CarrierAtTheDesk(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir(), "-issue.identity_oid")
	defer s.close()
	for storage, days := range map[ra.Storage]int{ra.PKCS12: 365, ra.Kaztoken: 1095, ra.IDCard: 1095} {
		cert := atDesk(t, s, storage)
		if want := cert.NotBefore.AddDate(0, 0, days); !cert.NotAfter.Equal(want) || time.Since(cert.NotBefore) > time.Minute {
			t.Errorf("%s: %s to %s, want %s", storage, cert.NotBefore, cert.NotAfter, want)
		}
		if !cert.Holder().Has(pki.RoleIdentifiedAtDesk) {
			t.Errorf("%s: how the person was identified is not written", storage)
		}
		want := map[ra.Storage]string{ra.PKCS12: pki.StoragePKCS12.String(), ra.Kaztoken: pki.StorageKaztoken.String(), ra.IDCard: pki.StorageIDCard.String()}[storage]
		if cert.Storage.String() != want {
			t.Errorf("%s: storage %s", storage, cert.Storage)
		}
	}
	n := 0
	err := issued{s.authority}.Expiring(context.WithoutCancel(t.Context()), time.Now(), time.Now().AddDate(0, 0, 30), func(ra.Key) error { n++; return nil })
	if err != nil || n == 0 {
		t.Errorf("%d keys end in the next 30 days, %v", n, err)
	}
}

// A hold is lifted by our own authority for two, and refused where it is elsewhere.
func TestReleaseForTwoOperators(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, t.TempDir())
	defer s.close()
	serial := atDesk(t, s, ra.PKCS12).SerialHex()
	i := issued{s.authority}
	if _, err := i.Revoke(t.Context(), serial, "certificateHold", time.Time{}, "cert:1"); err != nil {
		t.Fatal(err)
	}
	if err := i.Release(t.Context(), serial, "cert:1", "cert:1"); err == nil {
		t.Error("one lifted it")
	}
	if err := i.Release(t.Context(), serial, "cert:1", "cert:2"); err != nil {
		t.Error(err)
	}
	if k, err := i.Key(t.Context(), serial); err != nil || !k.RevokedAt.IsZero() {
		t.Errorf("%+v, %v", k.RevokedAt, err)
	}
	if err := (issued{&remote{}}).Release(t.Context(), serial, "cert:1", "cert:2"); err == nil || !strings.Contains(err.Error(), "HOLDS_ELSEWHERE") {
		t.Errorf("elsewhere: %v", err)
	}
}

func TestDeskFlags(t *testing.T) {
	t.Parallel()
	good := filepath.Join(t.TempDir(), "desks.yaml")
	text := "- {id: a, city: {ru: Астана}, name: {ru: ЦОН}, address: {ru: Достык}, hours: {ru: 9-18}, phone: '+77170000001'}\n"
	if err := os.WriteFile(good, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, c, err := parse([]string{"-data", "x", "-desks", good, "-desk.networks", "10.1.0.0/16, 192.168.0.0/24", "-le.head_first_issue", "desk", "-renew.window_days", "30", "-applications.open", "0"}, os.Stderr)
	if err != nil || len(c.desk.places) != 1 || len(c.desk.networks) != 2 || c.desk.headFirst != "desk" || c.desk.identityOID || c.desk.renewDays != 30 || c.desk.perDay != 5 || limit(c.desk.open) != -1 {
		t.Errorf("%+v, %v", c.desk, err)
	}
	for name, b := range map[string]string{"twice": text + text, "no id": "- {city: {ru: А}}", "no name": "- {id: a, city: {ru: А}}", "unknown field": "- {id: a, colour: red}", "no list": "a: b"} {
		if _, err := readPlaces([]byte(b)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if all, err := readPlaces([]byte(`[{"id":"a","city":{"ru":"А"},"name":{"ru":"А"},"address":{"ru":"А"},"hours":{"ru":"А"}}]`)); err != nil || len(all) != 1 {
		t.Errorf("JSON: %v", err)
	}
}
