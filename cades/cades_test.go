package cades

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/ocsp"
	"senim/pki"
)

var never time.Time

// From BES to LTA and twice renewed, seen at moments years apart.
func TestLifeOfASignature(t *testing.T) {
	for _, kind := range []algid.Key{algid.GOST512, algid.RSA} {
		t.Run(kind.String(), func(t *testing.T) {
			w := newWorld(t, kind)
			stamp := t0.Add(time.Minute)
			bes := w.sign(w.signer, "договор")
			w.want("BES", w.validate(bes, w.told(t0.Add(time.Hour))), Valid, LevelB, never)
			w.want("BES, nobody tells", w.validate(bes, w.trust(t0.Add(time.Hour))), CannotSay, LevelB, never)
			w.want("BES after the end", w.validate(bes, w.told(t0.Add(2*year))), Invalid, LevelB, never)

			tt := w.stamped(bes, w.tsa)
			w.want("T", w.validate(tt, w.told(t0.Add(time.Hour))), Valid, LevelT, stamp)
			w.want("T, nobody tells", w.validate(tt, w.trust(t0.Add(time.Hour))), CannotSay, LevelB, never)
			w.want("T after all ends", w.validate(tt, w.told(t0.Add(2*year))), CannotSay, LevelB, never)

			lt := w.enclosed(tt, t0.Add(10*time.Minute))
			w.want("LT", w.validate(lt, w.trust(t0.Add(time.Hour))), Valid, LevelLT, stamp)
			w.want("LT, half a year on", w.validate(lt, w.trust(t0.Add(year/2))), Valid, LevelLT, stamp)
			w.want("LT after all ends", w.validate(lt, w.trust(t0.Add(2*year))), CannotSay, LevelB, never)
			if m := w.validate(lt, w.trust(t0.Add(time.Hour))).Missing(); len(m) != 0 {
				t.Errorf("LT lacks %d", len(m))
			}

			lta := w.archived(lt, w.longTSA, t0.Add(time.Hour))
			w.want("LTA at once", w.validate(lta, w.told(t0.Add(2*time.Hour))), Valid, LevelLTA, stamp)
			w.want("LTA after two years", w.validate(lta, w.told(t0.Add(2*year))), Valid, LevelLTA, stamp)
			w.want("LTA, nobody tells of its authority", w.validate(lt, w.trust(t0.Add(2*year))), CannotSay, LevelB, never)
			w.want("LTA after eleven years", w.validate(lta, w.told(t0.Add(11*year))), CannotSay, LevelB, never)

			third := w.newTSA(t0.Add(8*year), t0.Add(18*year))
			renewed := w.archived(w.enclosed(lta, t0.Add(9*year)), third, t0.Add(9*year+time.Hour))
			r := w.validate(renewed, w.told(t0.Add(15*year)))
			w.want("renewed, after fifteen years", r, Valid, LevelLTA, stamp)
			if ts := r.Signers[0].Timestamps; len(ts) != 3 || ts[0].Archive || !ts[1].Archive || !ts[2].Archive ||
				!ts[0].Known.Equal(t0.Add(time.Hour)) || !r.Signers[0].Claimed.Equal(t0) {
				t.Errorf("time-stamps %+v", ts)
			}
			w.want("renewed, after nineteen years", w.validate(renewed, w.told(t0.Add(19*year))), CannotSay, LevelB, never)
		})
	}
}

// What archives is not touched by what is added later; what is added is not covered by it.
func TestRenewalCoversWhatTheFirstLeftOut(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	lta := w.archived(w.enclosed(w.stamped(w.sign(w.signer, "x"), w.tsa), t0.Add(10*time.Minute)), w.longTSA, t0.Add(time.Hour))
	more := w.enclosed(lta, t0.Add(day))
	first := func(m []byte) Timestamp {
		for _, ts := range w.validate(m, w.told(t0.Add(2*day))).Signers[0].Timestamps {
			if ts.Archive && ts.Token.Time.Equal(t0.Add(time.Hour)) {
				return ts
			}
		}
		t.Fatal("no archive time-stamp")
		return Timestamp{}
	}
	if a, b := first(lta), first(more); a.LeavesOut != 0 || a.Outcome != Valid || b.Outcome != Valid || b.LeavesOut == 0 || a.Covers != b.Covers {
		t.Errorf("left out %d and %d of %d and %d: %v %v", a.LeavesOut, b.LeavesOut, a.Covers, b.Covers, a.Err, b.Err)
	}
}

func TestDetachedAndDigest(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	content := []byte("договор")
	o := cms.Options{Key: w.signer.Key, Certificate: w.signer.Certificate, Content: content, Detached: true, SigningTime: t0}
	lt := w.stampDetached(o, content)
	lta, err := AddArchiveTimestamp(lt, 0, Document{Content: content}, w.hash, w.by(w.longTSA, t0.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	same, err := AddArchiveTimestamp(lt, 0, Document{Hash: w.hash, Digest: w.hash.Sum(content)}, w.hash, w.by(w.longTSA, t0.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(lta)
	if err != nil {
		t.Fatal(err)
	}
	at := w.told(t0.Add(2 * year))
	for name, c := range map[string]struct {
		message []byte
		d       Document
		o       Outcome
		l       Level
	}{
		"content":                      {lta, Document{Content: content}, Valid, LevelLTA},
		"digest":                       {lta, Document{Hash: w.hash, Digest: w.hash.Sum(content)}, Valid, LevelLTA},
		"archived by digest":           {same, Document{Content: content}, Valid, LevelLTA},
		"other content":                {lta, Document{Content: []byte("Договор")}, Invalid, NoLevel},
		"digest of another hash":       {lta, Document{Hash: algid.SHA256, Digest: algid.SHA256.Sum(content)}, Invalid, NoLevel},
		"digest of another content":    {lta, Document{Hash: w.hash, Digest: w.hash.Sum([]byte("x"))}, Invalid, NoLevel},
		"other content, other message": {same, Document{Content: []byte("x")}, Invalid, NoLevel},
	} {
		if sd, err = cms.Parse(c.message); err != nil {
			t.Fatal(err)
		}
		r, err := Validate(sd, c.d, at)
		if err != nil || r.Outcome() != c.o || r.Signers[0].Level != c.l {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	for name, d := range map[string]Document{"nothing": {}, "both": {Content: content, Hash: w.hash, Digest: w.hash.Sum(content)}} {
		if _, err := Validate(sd, d, at); err == nil {
			t.Errorf("%s: judged", name)
		}
	}
	if _, err := AddArchiveTimestamp(lt, 0, Document{Content: []byte("x")}, w.hash, w.by(w.longTSA, t0)); !errors.Is(err, cms.ErrDigest) {
		t.Errorf("archived another document: %v", err)
	}
	if _, err := AddArchiveTimestamp(lt, 0, Document{Hash: w.hash, Digest: w.hash.Sum(content)}, algid.SHA256, w.by(w.longTSA, t0)); !errors.Is(err, errNoDigest) {
		t.Errorf("archived by a digest of another hash: %v", err)
	}
}

func (w *world) stampDetached(o cms.Options, content []byte) []byte {
	w.t.Helper()
	bes, err := cms.Sign(rand.Reader, o)
	tt := w.stamped(w.must(bes, err), w.tsa)
	sd, err := cms.Parse(tt)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := Validate(sd, Document{Content: content}, w.trust(t0.Add(time.Hour)))
	if err != nil {
		w.t.Fatal(err)
	}
	at := t0.Add(10 * time.Minute)
	out, err := AddEvidence(tt, Evidence{Certificates: r.Chain(), Lists: []*pki.RevocationList{w.list(at), w.rootList(at)}})
	return w.must(out, err)
}

// Signers by key identifier go through every level.
func TestSignerByKeyIdentifier(t *testing.T) {
	w := newWorld(t, algid.RSA)
	o := cms.Options{Key: w.signer.Key, Certificate: w.signer.Certificate, Content: []byte("x"), SigningTime: t0, SubjectKeyID: true}
	bes, err := cms.Sign(rand.Reader, o)
	lta := w.archived(w.enclosed(w.stamped(w.must(bes, err), w.tsa), t0.Add(10*time.Minute)), w.longTSA, t0.Add(time.Hour))
	w.want("by key identifier", w.validate(lta, w.told(t0.Add(2*year))), Valid, LevelLTA, t0.Add(time.Minute))
}

// Several signers: each has its own answer, and who signs twice is one.
func TestSignersAreCountedOnce(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	other := w.Head()
	m := w.sign(w.signer, "x")
	for _, l := range []struct {
		options cms.Options
	}{
		{cms.Options{Key: other.Key, Certificate: other.Certificate, SigningTime: t0}},
		{cms.Options{Key: w.signer.Key, Certificate: w.signer.Certificate, SigningTime: t0.Add(time.Second)}},
	} {
		var err error
		if m, err = cms.AddSigner(rand.Reader, m, l.options); err != nil {
			t.Fatal(err)
		}
	}
	r := w.validate(m, w.told(t0.Add(time.Hour)))
	if r.Outcome() != Valid || len(r.Signers) != 3 || len(r.Signatories()) != 2 {
		t.Errorf("%v, %d signers, %d people", r.Outcome(), len(r.Signers), len(r.Signatories()))
	}
	if !warned(r.Signers[2], "same certificate as signer 1") {
		t.Errorf("warnings %q", r.Signers[2].Warnings)
	}
	// One of them revoked, one with a broken signature: the rest still counts.
	r = w.validate(m, w.told(t0.Add(time.Hour), revokedAt(other.Certificate, t0, pki.Superseded)))
	if r.Outcome() != Invalid || len(r.Signatories()) != 1 || r.Signers[1].Outcome != Invalid {
		t.Errorf("one revoked: %v, %d people", r.Outcome(), len(r.Signatories()))
	}
	broken := slices.Clone(m)
	broken[len(broken)-1] ^= 1
	r = w.validate(broken, w.told(t0.Add(time.Hour)))
	if r.Signers[2].Outcome != Invalid || !errors.Is(r.Signers[2].Err, cms.ErrSignature) || len(r.Signatories()) != 2 {
		t.Errorf("one broken: %v, %d people", r.Signers[2].Err, len(r.Signatories()))
	}
	// Each can be raised by himself.
	stamped, err := AddTimestamp(m, 1, w.hash, w.by(w.tsa, t0.Add(time.Minute)))
	r = w.validate(w.must(stamped, err), w.told(t0.Add(time.Hour)))
	if r.Signers[0].Level != LevelB || r.Signers[1].Level != LevelT || !r.Signers[1].Proved.Equal(t0.Add(time.Minute)) || !r.Signers[0].Proved.IsZero() {
		t.Errorf("levels %v %v", r.Signers[0].Level, r.Signers[1].Level)
	}
}

func TestMissingAndChain(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	r := w.validate(w.stamped(w.sign(w.signer, "x"), w.tsa), w.told(t0.Add(time.Hour)))
	var missing []string
	for _, q := range r.Missing() {
		if q.Certificate.CheckSignatureFrom(q.Issuer) != nil {
			t.Error("a question with another issuer")
		}
		missing = append(missing, q.Certificate.SerialHex())
	}
	for _, c := range []*pki.Certificate{w.signer.Certificate, w.CA, w.tsa.Certificate} {
		if !slices.Contains(missing, c.SerialHex()) {
			t.Errorf("not missing: %s", c.Subject)
		}
	}
	if len(missing) != 3 || len(r.Chain()) != 3 {
		t.Errorf("%d missing, %d in chains", len(missing), len(r.Chain()))
	}
}

// Evidence goes in once, and changes nothing that is signed.
func TestEvidenceGoesInOnce(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	tt := w.stamped(w.sign(w.signer, "x"), w.tsa)
	e := Evidence{Certificates: []*pki.Certificate{w.CA, w.signer.Certificate}, Lists: []*pki.RevocationList{w.list(t0)}}
	e.Answers = append(e.Answers, w.answer(w.responder, w.signer.Certificate, t0, nil))
	one, err := AddEvidence(tt, e)
	two, err2 := AddEvidence(w.must(one, err), e)
	if !bytes.Equal(one, w.must(two, err2)) {
		t.Error("added twice")
	}
	sd, err := cms.Parse(one)
	if err != nil {
		t.Fatal(err)
	}
	if len(sd.RawCertificates()) != 2 || len(sd.RawRevocation()) != 2 || !bytes.Equal(sd.Raw(), one) {
		t.Errorf("%d certificates, %d evidence", len(sd.RawCertificates()), len(sd.RawRevocation()))
	}
	if _, err := AddEvidence(tt, Evidence{Answers: append(e.Answers, w.parseAnswer(ocsp.ErrorResponse(ocsp.TryLater), nil))}); err == nil {
		t.Error("an answer that says nothing goes in")
	}
}

func warned(s Signer, text string) bool {
	return slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, text) })
}
