package cades

import (
	"bytes"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/pki"
)

// openssl runs the program; the test is skipped without it.
func openssl(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl on this machine")
	}
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func write(t *testing.T, dir, name string, data ...[]byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), bytes.Join(data, nil), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A message of every level is read and verified by another program: the signature with the certificates
// and the revocation list inside, and each time-stamp over bytes that are put together here without
// our code.
func TestOpenSSLReadsOurs(t *testing.T) {
	w := newWorld(t, algid.RSA)
	dir := t.TempDir()
	write(t, dir, "root", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Root.Raw}))
	write(t, dir, "ca", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.CA.Raw}))
	write(t, dir, "both", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Root.Raw}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.CA.Raw}))
	bes := w.sign(w.signer, "договор")
	tt := w.stamped(bes, w.tsa)
	lt := w.enclosed(tt, t0.Add(10*time.Minute))
	lta := w.archived(lt, w.longTSA, t0.Add(time.Hour))
	at := strconv.FormatInt(t0.Add(2*time.Hour).Unix(), 10)
	for name, m := range map[string][]byte{"T": tt, "LT": lt, "LTA": lta} {
		write(t, dir, "m", m)
		args := []string{"cms", "-verify", "-cades", "-CAfile", "root", "-purpose", "any", "-attime", at, "-binary", "-inform", "DER", "-in", "m", "-out", "content"}
		if name == "T" {
			args[4] = "both"
		} else {
			args = append(args, "-crl_check_all") // by the lists in the message
		}
		openssl(t, dir, args...)
		if got, err := os.ReadFile(filepath.Join(dir, "content")); err != nil || string(got) != "договор" {
			t.Errorf("%s: content %q, %v", name, got, err)
		}
	}
	// With the signer on the list that is inside, the other program refuses too.
	revoked, err := AddEvidence(tt, Evidence{Certificates: []*pki.Certificate{w.CA}, Lists: []*pki.RevocationList{
		w.rootList(t0), w.list(t0, revokedAt(w.signer.Certificate, t0, pki.KeyCompromise))}})
	write(t, dir, "m", w.must(revoked, err))
	cmd := exec.Command("openssl", "cms", "-verify", "-CAfile", "root", "-purpose", "any", "-attime", at, "-crl_check_all", "-binary", "-inform", "DER", "-in", "m")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("revoked, and verified: %s", out)
	}

	s := signatureOf(t, lta)
	data := map[bool][]byte{false: s.SignatureValue, true: archiveInput(t, lta)}
	for _, a := range s.Unsigned {
		archive := a.OID.Equal(oidArchiveStamp)
		write(t, dir, "token", a.Values[0])
		write(t, dir, "data", data[archive])
		openssl(t, dir, "ts", "-verify", "-in", "token", "-token_in", "-data", "data", "-CAfile", "root", "-untrusted", "ca", "-attime", at)
	}
}

// archiveInput puts together what an archive time-stamp is over with the standard library alone.
func archiveInput(t *testing.T, message []byte) []byte {
	t.Helper()
	type content struct {
		Type asn1.ObjectIdentifier
		Data asn1.RawValue `asn1:"explicit,optional,tag:0"`
	}
	type attribute struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}
	type signer struct {
		Version    asn1.RawValue
		ID         asn1.RawValue
		Digest     asn1.RawValue
		Attributes asn1.RawValue
		Algorithm  asn1.RawValue
		Value      asn1.RawValue
		Unsigned   []attribute `asn1:"set,optional,tag:1"`
	}
	type signedData struct {
		Version      int
		Digests      asn1.RawValue
		Content      content
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		Revocation   asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []signer      `asn1:"set"`
	}
	read := func(der []byte) signedData {
		var info struct {
			Type asn1.ObjectIdentifier
			Data signedData `asn1:"explicit,tag:0"`
		}
		if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) != 0 {
			t.Fatalf("standard library: %v, %d bytes left", err, len(rest))
		}
		return info.Data
	}
	sd := read(message)
	oid, err := asn1.Marshal(sd.Content.Type)
	if err != nil {
		t.Fatal(err)
	}
	var plain []byte
	if _, err := asn1.Unmarshal(sd.Content.Data.Bytes, &plain); err != nil {
		t.Fatal(err)
	}
	s := sd.Signers[0]
	out := append(oid, algid.SHA256.Sum(plain)...)
	for _, part := range []asn1.RawValue{s.Version, s.ID, s.Digest, s.Attributes, s.Algorithm, s.Value} {
		out = append(out, part.FullBytes...)
	}
	for _, a := range s.Unsigned {
		if !a.Type.Equal(oidArchiveStamp) {
			continue
		}
		for _, inner := range read(a.Values[0].FullBytes).Signers[0].Unsigned {
			if inner.Type.Equal(asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 5}) {
				return append(out, inner.Values[0].FullBytes...)
			}
		}
	}
	t.Fatal("no hash index")
	return nil
}

// Tokens another program made over our signature prove its time.
func TestOpenSSLStampsOurs(t *testing.T) {
	w := newWorld(t, algid.RSA)
	dir := t.TempDir()
	key, err := algid.MarshalPrivateKey(w.tsa.Key)
	write(t, dir, "key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: w.must(key, err)}))
	write(t, dir, "cert", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.tsa.Certificate.Raw}))
	write(t, dir, "serial", []byte("01\n"))
	write(t, dir, "conf", []byte("[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=cert\nsigner_key=key\nsigner_digest=sha256\ndigests=sha256\ndefault_policy=1.2.3\ness_cert_id_alg=sha256\naccuracy=secs:1\n"))
	bes := w.sign(w.signer, "x")
	write(t, dir, "data", signatureOf(t, bes).SignatureValue)
	openssl(t, dir, "ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "q")
	openssl(t, dir, "ts", "-reply", "-queryfile", "q", "-config", "conf", "-token_out", "-out", "token")
	token, err := os.ReadFile(filepath.Join(dir, "token"))
	stamped, err2 := cms.AddTimestamp(bes, 0, w.must(token, err))
	r := w.validate(w.must(stamped, err2), w.told(t0.Add(time.Hour)))
	s := r.Signers[0]
	if len(s.Timestamps) != 1 || s.Timestamps[0].Token == nil {
		t.Fatalf("time-stamps %+v", s.Timestamps)
	}
	now := s.Timestamps[0].Token.Time // the program stamps with its own clock
	if now.Before(w.tsa.Certificate.NotBefore) || now.After(w.tsa.Certificate.NotAfter) {
		t.Skip("the clock of this machine is outside the life of the test's certificates")
	}
	w.want("stamped by another program", w.validate(stamped, w.told(now.Add(time.Hour))), Valid, LevelT, now)
}
