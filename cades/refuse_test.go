package cades

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/ocsp"
	"senim/pki"
	"senim/tsp"
)

// put adds a raw token to the message, unchecked.
func (w *world) put(message []byte, oid asn1.ObjectIdentifier, token []byte) []byte {
	w.t.Helper()
	out, err := cms.AddUnsigned(message, 0, oid, token)
	return w.must(out, err)
}

func (w *world) token(tsa *pkitest.Leaf, at time.Time, data []byte) []byte {
	w.t.Helper()
	der, err := w.by(tsa, at)(tsp.NewImprint(w.hash, data))
	return w.must(der, err)
}

func signatureOf(t testing.TB, message []byte) *cms.Signer {
	t.Helper()
	sd, err := cms.Parse(message)
	if err != nil {
		t.Fatal(err)
	}
	return &sd.Signers()[0]
}

// A token that proves nothing leaves the signature to be judged at the present moment.
func TestSec2BadTimestamps(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	bes := w.sign(w.signer, "x")
	value := signatureOf(t, bes).SignatureValue
	at := t0.Add(time.Minute)
	twin := w.newTSA(t0.Add(-day), t0.Add(year))
	both := w.Issue(pkitest.Spec{Kind: w.kind, Change: func(t *pki.Template) {
		t.ExtKeyUsage, t.ExtKeyUsageCritical = append(t.ExtKeyUsage, pki.TimeStamping), true
	}})
	person := w.Individual()
	good := w.token(w.tsa, at, value)
	parsed, err := tsp.ParseToken(good)
	if err != nil {
		t.Fatal(err)
	}
	forged := func(l *pkitest.Leaf) []byte { // what an honest authority would not sign
		out, err := cms.Sign(rand.Reader, cms.Options{Key: l.Key, Certificate: l.Certificate, Content: parsed.Message().Content(),
			ContentType: parsed.Message().ContentType(), SigningTime: at, SigningCertificateV1: true})
		return w.must(out, err)
	}
	broken := slices.Clone(good)
	broken[len(broken)-1] ^= 1
	stranger := namedWorld(t, algid.GOST512, "OTHER")
	for name, c := range map[string]struct {
		token   []byte
		outcome Outcome
		is      error
	}{
		"good":                     {good, Valid, nil},
		"over other bytes":         {w.token(w.tsa, at, []byte("y")), Invalid, tsp.ErrImprint},
		"over the content":         {w.token(w.tsa, at, []byte("x")), Invalid, tsp.ErrImprint},
		"by a person":              {forged(person), Invalid, tsp.ErrSigner},
		"by a person who may both": {forged(both), Invalid, tsp.ErrSigner},
		"broken":                   {broken, Invalid, cms.ErrSignature},
		"no token":                 {[]byte{0x30, 0}, Invalid, nil},
		"a document":               {w.sign(person, "y"), Invalid, nil},
		"another's certificate":    {bytes.Replace(good, w.tsa.Certificate.Raw, twin.Certificate.Raw, 1), CannotSay, cms.ErrNoCertificate},
		"from the future":          {w.token(w.tsa, t0.Add(day), value), Invalid, ErrTimeOrder},
		"authority not trusted":    {stranger.token(stranger.tsa, at, value), CannotSay, pki.ErrUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			for oid, archive := range map[string]bool{"signature": false, "archive": true} {
				where := oidSignatureStamp
				if archive {
					where = oidArchiveStamp // no hash index: nothing of these is one
				}
				r := w.validate(w.put(bes, where, c.token), w.told(t0.Add(time.Hour)))
				s := r.Signers[0]
				ts := s.Timestamps[0]
				if archive {
					if ts.Outcome == Valid || !s.Proved.IsZero() {
						t.Errorf("%s: %v", oid, ts.Outcome)
					}
					continue
				}
				if ts.Outcome != c.outcome || c.is != nil && !errors.Is(ts.Err, c.is) || (ts.Err == nil) != (c.outcome == Valid) {
					t.Errorf("%v, %v", ts.Outcome, ts.Err)
				}
				if s.Outcome != Valid || s.Proved.IsZero() == (c.outcome == Valid) || (len(s.Warnings) == 0) {
					t.Errorf("signature %v, proved %v, %q", s.Outcome, s.Proved, s.Warnings)
				}
				// When the certificate has ended, a token we cannot judge leaves the question open; a bad one does not.
				late := w.validate(w.put(bes, where, c.token), w.told(t0.Add(year+day)))
				if want := map[Outcome]Outcome{Valid: CannotSay, CannotSay: CannotSay, Invalid: Invalid}[c.outcome]; name != "from the future" && late.Outcome() != want {
					t.Errorf("a year later: %v, want %v: %v", late.Outcome(), want, late.Signers[0].Err)
				}
			}
		})
	}
}

// Revocation around the proved time: of the signer, and of the time-stamping authority.
func TestSec2RevokedBeforeAndAfter(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	tt := w.stamped(w.sign(w.signer, "x"), w.tsa)
	lta := w.archived(w.enclosed(tt, t0.Add(10*time.Minute)), w.longTSA, t0.Add(time.Hour))
	before, after := t0.Add(-time.Hour), t0.Add(day)
	signer, tsa := w.signer.Certificate, w.tsa.Certificate
	for _, c := range []struct {
		name    string
		message []byte
		entry   pki.Entry
		outcome Outcome
		proved  bool
	}{
		{"signer before", tt, revokedAt(signer, before, pki.KeyCompromise), Invalid, true},
		{"signer after", tt, revokedAt(signer, after, pki.KeyCompromise), Valid, true},
		{"signer on hold after", tt, revokedAt(signer, after, pki.CertificateHold), Valid, true},
		{"signer at the very moment", tt, revokedAt(signer, t0.Add(time.Minute), pki.Superseded), Invalid, true},
		{"authority before", tt, revokedAt(tsa, before, pki.Superseded), Invalid, false},
		{"authority after, superseded", tt, revokedAt(tsa, after, pki.Superseded), Valid, true},
		{"authority after, ceased", tt, revokedAt(tsa, after, pki.CessationOfOperation), Valid, true},
		{"authority after, key in other hands", tt, revokedAt(tsa, after, pki.KeyCompromise), Invalid, false},
		{"authority after, no reason", tt, pki.Entry{Serial: tsa.Serial, RevokedAt: after}, Invalid, false},
		{"authority after, archived before", lta, revokedAt(tsa, after, pki.KeyCompromise), Valid, true},
		{"archiving authority before", lta, revokedAt(w.longTSA.Certificate, before, pki.KeyCompromise), Valid, true},
		{"signer before, whatever is enclosed", lta, revokedAt(signer, before, pki.KeyCompromise), Invalid, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.validate(c.message, w.told(t0.Add(2*day), c.entry))
			s := r.Signers[0]
			want := c.outcome
			if !c.proved && c.outcome == Invalid {
				want = Valid // judged at the present moment instead: the signer's own certificate is good
				if s.Timestamps[0].Outcome != Invalid {
					t.Errorf("time-stamp %v", s.Timestamps[0].Outcome)
				}
			}
			if s.Outcome != want || s.Proved.IsZero() == c.proved {
				t.Errorf("%v, proved %v, %v", s.Outcome, s.Proved, s.Err)
			}
			var revoked *pki.RevokedError
			if s.Outcome == Invalid && !errors.As(s.Err, &revoked) {
				t.Errorf("why: %v", s.Err)
			}
		})
	}
	// Without a proved time a revocation counts whenever it was.
	bes := w.sign(w.signer, "x")
	w.want("not proved, revoked later", w.validate(bes, w.told(t0.Add(2*day), revokedAt(signer, after, pki.Superseded))), Invalid, LevelB, never)
}

// Evidence that is none.
func TestSec2EvidenceOfNoUse(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	at := t0.Add(time.Hour)
	foreign := newWorld(t, algid.GOST512) // same names, other keys
	bes := w.sign(w.signer, "x")
	c := w.signer.Certificate
	person := w.Individual()
	ended := w.Issue(pkitest.Spec{Kind: w.kind, NotBefore: t0.Add(-10 * day), NotAfter: t0.Add(30 * time.Minute), Change: func(t *pki.Template) {
		t.KeyUsage, t.ExtKeyUsage, t.NoCheck = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.OCSPSigning}, true
	}})
	checked := w.Issue(pkitest.Spec{Kind: w.kind, Change: func(t *pki.Template) {
		t.KeyUsage, t.ExtKeyUsage = pki.DigitalSignature, []asn1.ObjectIdentifier{pki.OCSPSigning}
	}})
	other := w.parseList(w.ListOf(pki.ListTemplate{Number: big.NewInt(1), BaseNumber: big.NewInt(1), ThisUpdate: at, NextUpdate: at.Add(day)}))
	damaged := slices.Clone(w.list(at).Raw)
	damaged[len(damaged)-1] ^= 1
	type given struct {
		lists   []*pki.RevocationList
		answers []*ocsp.Response
	}
	list := func(l ...*pki.RevocationList) given { return given{lists: l} }
	answer := func(a ...*ocsp.Response) given { return given{answers: a} }
	rejected := revokedAt(c, at.Add(-time.Minute), pki.Superseded)
	hold := revokedAt(c, t0.Add(-time.Hour), pki.CertificateHold)
	neverIssued := revokedAt(c, time.Unix(0, 0), pki.CertificateHold)
	for name, g := range map[string]struct {
		given
		outcome Outcome
	}{
		"good list":                     {list(w.list(at)), Valid},
		"good answer":                   {answer(w.answer(w.responder, c, at, nil)), Valid},
		"nothing":                       {given{}, CannotSay},
		"list by another key":           {list(foreign.list(at)), CannotSay},
		"list of the root":              {list(w.rootList(at)), CannotSay},
		"list past its end":             {list(w.list(at.Add(-8 * day))), CannotSay},
		"list from the future":          {list(w.list(at.Add(day))), CannotSay},
		"damaged list":                  {list(w.parseList(damaged)), CannotSay},
		"delta alone":                   {list(other), CannotSay},
		"stale answer":                  {answer(w.answer(w.responder, c, at.Add(-16*time.Minute), nil)), CannotSay},
		"answer a moment old":           {answer(w.answer(w.responder, c, at.Add(-14*time.Minute), nil)), Valid},
		"answer from the future":        {answer(w.answer(w.responder, c, at.Add(3*time.Minute), nil)), CannotSay},
		"answer by a person":            {answer(w.answer(person, c, at, nil)), CannotSay},
		"answer by another's responder": {answer(w.answer(foreign.responder, c, at, nil)), CannotSay},
		"answer about another":          {answer(w.answer(w.responder, person.Certificate, at, nil)), CannotSay},
		"responder has ended since":     {answer(w.answer(ended, c, t0.Add(20*time.Minute), nil)), CannotSay},
		"responder not exempt":          {answer(w.answer(checked, c, at, nil)), CannotSay},
		"responder not exempt, told":    {given{[]*pki.RevocationList{w.list(at)}, []*ocsp.Response{w.answer(checked, c, at, nil)}}, Valid},
		"responder revoked":             {given{[]*pki.RevocationList{w.list(at.Add(-8*day), revokedAt(checked.Certificate, t0, pki.Superseded))}, []*ocsp.Response{w.answer(checked, c, at, nil)}}, CannotSay},
		"unknown to the responder":      {answer(w.unknown(c, at)), CannotSay},
		"revoked by the answer only":    {given{[]*pki.RevocationList{w.list(at)}, []*ocsp.Response{w.answer(w.responder, c, at.Add(-30*time.Second), &rejected)}}, Invalid},
		"revoked by an old list":        {list(w.list(at), w.list(at.Add(-8*day), revokedAt(c, at.Add(-9*day), pki.Superseded))), Invalid},
		"hold lifted since":             {list(w.list(at), w.list(t0, hold)), Valid},
		"on hold since":                 {list(w.list(t0), w.list(at, hold)), Invalid},
		"on hold by now, by an answer":  {given{[]*pki.RevocationList{w.list(at)}, []*ocsp.Response{w.answer(w.responder, c, at, &hold)}}, Invalid},
		"never issued":                  {given{[]*pki.RevocationList{w.list(at)}, []*ocsp.Response{w.answer(w.responder, c, t0, &neverIssued)}}, Invalid},
		"lifted by a delta":             {list(w.list(t0, hold), w.delta(at, t0, pki.Entry{Serial: c.Serial, RevokedAt: at, Reason: pki.RemoveFromCRL, HasReason: true})), Valid},
		"revoked by a delta":            {list(w.list(t0), w.delta(at, t0, rejected)), Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			trust := w.trust(at)
			trust.Lists, trust.Answers = g.lists, g.answers
			if r := w.validate(bes, trust); r.Outcome() != g.outcome {
				t.Errorf("by the caller: %v, %v, want %v", r.Outcome(), r.Signers[0].Err, g.outcome)
			}
			inside, err := AddEvidence(bes, Evidence{Lists: g.lists, Answers: g.answers})
			r := w.validate(w.must(inside, err), w.trust(at))
			if r.Outcome() != g.outcome || r.Signers[0].Judgement.Status[0].Embedded != (g.outcome == Valid) {
				t.Errorf("inside: %v, %v, want %v", r.Outcome(), r.Signers[0].Err, g.outcome)
			}
			if g.outcome == CannotSay && !errors.Is(r.Signers[0].Err, pki.ErrUndetermined) {
				t.Errorf("why: %v", r.Signers[0].Err)
			}
		})
	}
}

func (w *world) unknown(c *pki.Certificate, at time.Time) *ocsp.Response {
	w.t.Helper()
	id, err := ocsp.NewCertID(algid.SHA256, w.CA, c.Serial)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.parseAnswer(ocsp.CreateResponse(rand.Reader, w.responder.Key, w.responder.Certificate, ocsp.ResponseTemplate{
		ProducedAt: at, Singles: []ocsp.Single{{ID: id, Status: ocsp.Unknown, ThisUpdate: at}}}))
}

func (w *world) delta(at, base time.Time, entries ...pki.Entry) *pki.RevocationList {
	w.t.Helper()
	return w.parseList(w.ListOf(pki.ListTemplate{Number: big.NewInt(1), BaseNumber: big.NewInt(base.Unix()), ThisUpdate: at, NextUpdate: at.Add(day), Entries: entries}))
}

// reindexed archives with an index that lies.
func (w *world) reindexed(message []byte, at time.Time, lie func(*hashIndex)) []byte {
	w.t.Helper()
	sd, err := cms.Parse(message)
	if err != nil {
		w.t.Fatal(err)
	}
	x, err := newIndex(sd, 0, w.hash)
	if err != nil {
		w.t.Fatal(err)
	}
	lie(x)
	raw, err := x.marshal()
	x.raw = w.must(raw, err)
	if w.bareIndex {
		in := cryptobyte.String(x.raw)
		var body cryptobyte.String
		if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.SkipASN1(cbasn1.SEQUENCE) {
			w.t.Fatal("not an index")
		}
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(body) })
		x.raw = b.BytesOrPanic()
	}
	imprint, err := archiveImprint(sd.ContentType(), w.hash.Sum(sd.Content()), &sd.Signers()[0], x)
	if err != nil {
		w.t.Fatal(err)
	}
	token, err := w.by(w.longTSA, at)(imprint)
	token, err2 := cms.AddUnsigned(w.must(token, err), 0, oidHashIndex, x.raw)
	return w.put(message, oidArchiveStamp, w.must(token, err2))
}

// An index that leaves something out proves nothing about it; one that names what is not there proves
// nothing at all.
func TestSec2HashIndex(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	lt := w.enclosed(w.stamped(w.sign(w.signer, "x"), w.tsa), t0.Add(10*time.Minute))
	at, late := t0.Add(time.Hour), w.told(t0.Add(2*year))
	stamp := t0.Add(time.Minute)
	w.want("honest", w.validate(w.reindexed(lt, at, func(*hashIndex) {}), late), Valid, LevelLTA, stamp)

	// The signature itself is covered all the same, so its time is that of the archive time-stamp; but
	// what proved the certificate then is not.
	r := w.validate(w.reindexed(lt, at, func(x *hashIndex) { x.attributes = nil }), late)
	if s := r.Signers[0]; s.Level != LevelB || s.Timestamps[0].Outcome != CannotSay || !s.Proved.Equal(at) {
		t.Errorf("without the time-stamp: %v, %v, %v", s.Level, s.Timestamps[0].Outcome, s.Proved)
	}
	r = w.validate(w.reindexed(lt, at, func(x *hashIndex) { x.revocation = nil }), late)
	if s := r.Signers[0]; s.Level == LevelLTA || s.Timestamps[1].LeavesOut != 3 {
		t.Errorf("without revocation: %v, %d", s.Level, s.Timestamps[1].LeavesOut)
	}
	for name, lie := range map[string]func(*hashIndex){
		"strange certificate": func(x *hashIndex) { x.certificates = append(x.certificates, w.hash.Sum([]byte("c"))) },
		"strange list":        func(x *hashIndex) { x.revocation = append(x.revocation, w.hash.Sum([]byte("r"))) },
		"strange attribute":   func(x *hashIndex) { x.attributes = append(x.attributes, w.hash.Sum([]byte("a"))) },
		"crossed":             func(x *hashIndex) { x.certificates, x.revocation = x.revocation, x.certificates },
	} {
		s := w.validate(w.reindexed(lt, at, lie), late).Signers[0]
		if s.Outcome == Valid || s.Timestamps[1].Outcome != Invalid || !errors.Is(s.Timestamps[1].Err, ErrIndex) {
			t.Errorf("%s: %v, %v", name, s.Outcome, s.Timestamps[1].Err)
		}
	}
	// The index may not be changed, moved to another token, or doubled.
	lta := w.archived(lt, w.longTSA, at)
	var token []byte
	for _, a := range signatureOf(t, lta).Unsigned {
		if a.OID.Equal(oidArchiveStamp) {
			token = a.Values[0]
		}
	}
	parsed, err := tsp.ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	index, err := indexOf(parsed)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string][]byte{"twice": index.raw, "another beside": {0x30, 0}} {
		doubled, err := cms.AddUnsigned(token, 0, oidHashIndex, value)
		s := w.validate(w.put(lt, oidArchiveStamp, w.must(doubled, err)), late).Signers[0]
		if s.Timestamps[1].Outcome != Invalid {
			t.Errorf("%s: %v", name, s.Timestamps[1].Outcome)
		}
	}
	old, err := cms.AddUnsigned(token, 0, oldIndexes[0], index.raw)
	s := w.validate(w.put(lt, oidArchiveStamp, w.must(old, err)), late).Signers[0]
	if s.Timestamps[1].Outcome != CannotSay {
		t.Errorf("older index: %v", s.Timestamps[1].Outcome)
	}
}

// Some programs leave the algorithm of the index out when it is SHA-256.
func TestIndexWithoutAlgorithm(t *testing.T) {
	w := newWorld(t, algid.RSA)
	lt := w.enclosed(w.stamped(w.sign(w.signer, "x"), w.tsa), t0.Add(10*time.Minute))
	w.bareIndex = true
	lta := w.reindexed(lt, t0.Add(time.Hour), func(*hashIndex) {})
	w.want("SHA-256", w.validate(lta, w.told(t0.Add(2*year))), Valid, LevelLTA, t0.Add(time.Minute))
	w.hash = algid.SHA512 // said by nobody
	s := w.validate(w.reindexed(lt, t0.Add(time.Hour), func(*hashIndex) {}), w.told(t0.Add(2*year))).Signers[0]
	if s.Outcome == Valid || s.Timestamps[1].Outcome != Invalid {
		t.Errorf("SHA-512: %v, %v", s.Outcome, s.Timestamps[1].Err)
	}
}

// What an archive time-stamp covers cannot be taken out or exchanged.
func TestSec2ArchivedCannotChange(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	lt := w.enclosed(w.stamped(w.sign(w.signer, "x"), w.tsa), t0.Add(10*time.Minute))
	lta := w.archived(lt, w.longTSA, t0.Add(time.Hour))
	late := w.told(t0.Add(2 * year))
	sd, err := cms.Parse(lta)
	if err != nil {
		t.Fatal(err)
	}
	for i, raw := range sd.RawRevocation() {
		changed := bytes.Clone(raw)
		changed[len(changed)-1] ^= 1
		s := w.validate(bytes.Replace(lta, raw, changed, 1), late).Signers[0]
		if s.Outcome == Valid || !errors.Is(s.Timestamps[1].Err, ErrIndex) {
			t.Errorf("evidence %d: %v, %v", i, s.Outcome, s.Timestamps[1].Err)
		}
	}
	for i, raw := range sd.RawCertificates() {
		changed := bytes.Clone(raw)
		changed[len(changed)-1] ^= 1
		if s := w.validate(bytes.Replace(lta, raw, changed, 1), late).Signers[0]; s.Outcome == Valid {
			t.Errorf("certificate %d: valid", i)
		}
	}
	// An archive time-stamp of another message.
	other := w.archived(w.enclosed(w.stamped(w.sign(w.signer, "y"), w.tsa), t0.Add(10*time.Minute)), w.longTSA, t0.Add(time.Hour))
	for _, a := range signatureOf(t, other).Unsigned {
		if a.OID.Equal(oidArchiveStamp) {
			s := w.validate(w.put(lt, oidArchiveStamp, a.Values[0]), late).Signers[0]
			if s.Outcome == Valid || !errors.Is(s.Timestamps[1].Err, tsp.ErrImprint) {
				t.Errorf("of another message: %v, %v", s.Outcome, s.Timestamps[1].Err)
			}
		}
	}
}

// A token cannot be younger than one that covers it.
func TestSec2TimesInOrder(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	tt, err := AddTimestamp(w.sign(w.signer, "x"), 0, w.hash, w.by(w.tsa, t0.Add(2*time.Hour)))
	lta := w.archived(w.enclosed(w.must(tt, err), t0.Add(3*time.Hour)), w.longTSA, t0.Add(time.Hour))
	s := w.validate(lta, w.told(t0.Add(day))).Signers[0]
	if s.Timestamps[0].Outcome != Invalid || !errors.Is(s.Timestamps[0].Err, ErrTimeOrder) || s.Level != LevelB {
		t.Errorf("%v, %v, %v", s.Timestamps[0].Outcome, s.Timestamps[0].Err, s.Level)
	}
	// The signer claims a time after the proved one: said, no more.
	late, err := cms.Sign(rand.Reader, cms.Options{Key: w.signer.Key, Certificate: w.signer.Certificate, Content: []byte("x"), SigningTime: t0.Add(time.Hour)})
	r := w.validate(w.stamped(w.must(late, err), w.tsa), w.told(t0.Add(day)))
	w.want("claims more", r, Valid, LevelT, t0.Add(time.Minute))
	if !warned(r.Signers[0], "after the time that is proved") {
		t.Errorf("%q", r.Signers[0].Warnings)
	}
	// A certificate younger than the proved time never signed.
	young := w.Issue(pkitest.Spec{NotBefore: t0.Add(day)})
	w.want("younger than its proof", w.validate(w.stamped(w.sign(young, "x"), w.tsa), w.told(t0.Add(2*day))), Invalid, LevelT, t0.Add(time.Minute))
}

// An authority that the message brought along must be proved; one that is configured need not.
func TestAuthorityInsideTheMessage(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	bes, err := AddEvidence(w.sign(w.signer, "x"), Evidence{Certificates: []*pki.Certificate{w.CA}})
	w.must(bes, err)
	at := t0.Add(time.Hour)
	trust := w.trust(at)
	trust.Lists = []*pki.RevocationList{w.list(at)}
	r := w.validate(bes, trust)
	w.want("configured", r, Valid, LevelB, never)
	if !warned(r.Signers[0], "nobody tells whether the authority") {
		t.Errorf("%q", r.Signers[0].Warnings)
	}
	trust.Pool = pki.NewPool()
	trust.Pool.AddRoot(w.Root)
	w.want("brought along", w.validate(bes, trust), CannotSay, LevelB, never)
	trust.Lists = append(trust.Lists, w.rootList(at))
	w.want("brought along and proved", w.validate(bes, trust), Valid, LevelB, never)
	trust.Lists[1] = w.rootList(at, revokedAt(w.CA, t0, pki.CACompromise))
	w.want("brought along and revoked", w.validate(bes, trust), Invalid, LevelB, never)
	trust.Pool = w.Pool()
	w.want("configured and revoked", w.validate(bes, trust), Invalid, LevelB, never)
	trust.Pool = pki.NewPool()
	w.want("nobody trusted", w.validate(bes, trust), CannotSay, LevelB, never)
	foreign := w.sign(w.Foreign(), "x")
	w.want("same names, other keys", w.validate(foreign, w.told(at)), Invalid, LevelB, never)
}

func TestSec3BoundsOfEvidence(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	bes := w.sign(w.signer, "x")
	token := w.token(w.tsa, t0.Add(time.Minute), signatureOf(t, bes).SignatureValue)
	full := bes
	for range cms.MaxTimestamps {
		full = w.put(full, oidArchiveStamp, token)
	}
	trust := w.told(t0.Add(time.Hour))
	if r := w.validate(full, trust); len(r.Signers[0].Timestamps) != cms.MaxTimestamps {
		t.Errorf("%d time-stamps", len(r.Signers[0].Timestamps))
	}
	for name, add := range map[string]func() error{
		"signature": func() error { _, err := AddTimestamp(full, 0, w.hash, w.by(w.tsa, t0)); return err },
		"archive": func() error {
			_, err := AddArchiveTimestamp(full, 0, Document{}, w.hash, w.by(w.tsa, t0))
			return err
		},
		"one more, unchecked": func() error {
			sd, err := cms.Parse(w.put(full, oidSignatureStamp, token))
			if err == nil {
				_, err = Validate(sd, Document{}, trust)
			}
			return err
		},
	} {
		if add() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for i, stamp := range map[int]Stamper{1: w.by(w.tsa, t0), -1: w.by(w.tsa, t0), 0: w.by(w.signer, t0)} {
		if _, err := AddTimestamp(bes, i, w.hash, stamp); err == nil {
			t.Errorf("signer %d: stamped", i)
		}
	}
	if _, err := AddArchiveTimestamp(bes, 0, Document{}, algid.SHA1, w.by(w.tsa, t0)); err == nil {
		t.Error("archived with SHA-1")
	}
	lying := func(tsp.Imprint) ([]byte, error) { return token, nil }
	if _, err := AddArchiveTimestamp(bes, 0, Document{}, w.hash, lying); !errors.Is(err, tsp.ErrImprint) {
		t.Errorf("a token over something else: %v", err)
	}
	// More signatures than may be verified: nothing is called good.
	many := Evidence{}
	for range 200 {
		many.Answers = append(many.Answers, w.answer(w.Individual(), w.signer.Certificate, t0, nil))
	}
	heavy, err := AddEvidence(bes, many)
	sd, err2 := cms.Parse(w.must(heavy, err))
	if err2 != nil {
		t.Fatal(err2)
	}
	v, err := newValidation(sd, w.trust(t0.Add(time.Minute)))
	if err != nil {
		t.Fatal(err)
	}
	verified, err := v.all(Document{})
	if err != nil {
		t.Fatal(err)
	}
	*v.checks = maxChecks - 50
	if s := v.signer(verified[0], v.carried[0]); s.Outcome != CannotSay {
		t.Errorf("beyond the bound: %v", s.Outcome)
	}
}

// The attributes of TS 101 733: values inside the signature instead of beside it.
func TestOlderValues(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	tt := w.stamped(w.sign(w.signer, "x"), w.tsa)
	at := t0.Add(10 * time.Minute)
	answer := w.answer(w.responder, w.signer.Certificate, at, nil)
	values := w.revocationValues([]*pki.RevocationList{w.list(at), w.rootList(at)}, answer)
	certificates := w.certificateValues(w.CA, w.Root)
	lt := w.put(w.put(tt, oidRevocationValues, values), oidCertificateValues, certificates)
	trust := w.trust(t0.Add(time.Hour))
	trust.Pool = pki.NewPool()
	trust.Pool.AddRoot(w.Root)
	w.want("older values", w.validate(lt, trust), Valid, LevelLT, t0.Add(time.Minute))
	lta := w.archived(lt, w.longTSA, t0.Add(time.Hour))
	late := w.told(t0.Add(2 * year))
	late.Pool = trust.Pool
	w.want("older values archived", w.validate(lta, late), Valid, LevelLTA, t0.Add(time.Minute))
	for name, value := range map[string][]byte{"empty": {0x30, 0}, "not a sequence": {4, 0}, "trailing": {0x30, 2, 5, 0}, "two forms": {0x30, 4, 0xa0, 2, 4, 0}} {
		r := w.validate(w.put(tt, oidRevocationValues, value), w.told(t0.Add(time.Hour)))
		if r.Outcome() != Valid || warned(r.Signers[0], "revocation-values") == (name == "empty") {
			t.Errorf("%s: %v, %q", name, r.Outcome(), r.Signers[0].Warnings)
		}
	}
	r := w.validate(w.put(tt, older[3], []byte{0x30, 0}), w.told(t0.Add(time.Hour)))
	if !warned(r.Signers[0], "older form") {
		t.Errorf("%q", r.Signers[0].Warnings)
	}
}

func (w *world) revocationValues(lists []*pki.RevocationList, answers ...*ocsp.Response) []byte {
	w.t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, l := range lists {
					b.AddBytes(l.Raw)
				}
			})
		})
		b.AddASN1(tag1, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, a := range answers {
					b.AddBytes(basic(w.t, a.Raw))
				}
			})
		})
	})
	out, err := b.Bytes()
	return w.must(out, err)
}

// basic takes the BasicOCSPResponse out of an answer.
func basic(t testing.TB, raw []byte) []byte {
	t.Helper()
	in := cryptobyte.String(raw)
	var body, wrapped, typed, out cryptobyte.String
	var status int
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Enum(&status) || !body.ReadASN1(&wrapped, tag0) ||
		!wrapped.ReadASN1(&typed, cbasn1.SEQUENCE) || !typed.ReadASN1ObjectIdentifier(&oid) || !typed.ReadASN1(&out, cbasn1.OCTET_STRING) {
		t.Fatal("not an OCSP answer")
	}
	return out
}

func (w *world) certificateValues(list ...*pki.Certificate) []byte {
	w.t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, c := range list {
			b.AddBytes(c.Raw)
		}
	})
	out, err := b.Bytes()
	return w.must(out, err)
}

// The certificate of an authority may stand beside the signature instead of in the token.
func TestAuthorityBesideTheToken(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	bes := w.sign(w.signer, "x")
	q := &tsp.Request{Imprint: tsp.NewImprint(w.hash, signatureOf(t, bes).SignatureValue)}
	answer, err := tsp.CreateResponse(rand.Reader, w.tsa.Key, w.tsa.Certificate, q, tsp.Stamp{Policy: tsp.PolicyGOST512, Serial: big.NewInt(1), Time: t0.Add(time.Minute)})
	r, err2 := tsp.ParseResponse(w.must(answer, err))
	if err2 != nil {
		t.Fatal(err2)
	}
	bare := w.put(bes, oidSignatureStamp, r.Token.Raw())
	w.want("nowhere", w.validate(bare, w.told(t0.Add(time.Hour))), Valid, LevelB, never)
	for name, tsa := range map[string]*pki.Certificate{"beside": w.tsa.Certificate, "another": w.longTSA.Certificate} {
		beside, err := AddEvidence(bare, Evidence{Certificates: []*pki.Certificate{tsa}})
		report := w.validate(w.must(beside, err), w.told(t0.Add(time.Hour)))
		if name == "beside" {
			w.want(name, report, Valid, LevelT, t0.Add(time.Minute))
		} else {
			w.want(name, report, Valid, LevelB, never)
		}
	}
}

// Who signs after an archive time-stamp leaves it as it was.
func TestCosignAfterArchiving(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	lta := w.archived(w.enclosed(w.stamped(w.sign(w.signer, "x"), w.tsa), t0.Add(10*time.Minute)), w.longTSA, t0.Add(time.Hour))
	other := w.Head()
	two, err := cms.AddSigner(rand.Reader, lta, cms.Options{Key: other.Key, Certificate: other.Certificate, SigningTime: t0.Add(day)})
	r := w.validate(w.must(two, err), w.told(t0.Add(2*day)))
	if r.Outcome() != Valid || r.Signers[0].Level != LevelB || r.Signers[1].Level != LevelLTA || len(r.Signatories()) != 2 {
		t.Errorf("%v, %v, %v", r.Outcome(), r.Signers[0].Level, r.Signers[1].Level)
	}
}

// An expired certificate is told about in everything else too.
func TestEndedAndRevoked(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	r := w.validate(w.sign(w.signer, "x"), w.told(t0.Add(2*year), revokedAt(w.signer.Certificate, t0, pki.KeyCompromise)))
	j := r.Signers[0].Judgement
	var dates *pki.ValidityError
	if j.Outcome != Invalid || !errors.As(j.Err, &dates) || len(j.Path) != 3 || j.Status[0].Outcome != Invalid {
		t.Errorf("%v, %v, %d, %v", j.Outcome, j.Err, len(j.Path), j.Status)
	}
}

// No byte may change and leave an answer that says more or other than before.
func TestEveryByteCounts(t *testing.T) {
	w := newWorld(t, algid.GOST512)
	lta := w.archived(w.enclosed(w.stamped(w.sign(w.signer, "x"), w.tsa), t0.Add(10*time.Minute)), w.longTSA, t0.Add(time.Hour))
	late := w.told(t0.Add(2 * year))
	step := 41
	if testing.Short() {
		step = 397
	}
	for i := 0; i < len(lta); i += step {
		bad := slices.Clone(lta)
		bad[i] ^= 1
		sd, err := cms.Parse(bad)
		if err != nil {
			continue
		}
		r, err := Validate(sd, Document{}, late)
		if err != nil || r.Outcome() != Valid {
			continue
		}
		s := r.Signers[0]
		if string(sd.Content()) != "x" || !s.Proved.Equal(t0.Add(time.Minute)) || !bytes.Equal(s.Certificate.Raw, w.signer.Certificate.Raw) || s.Level > LevelLTA {
			t.Errorf("byte %d of %d changed unnoticed", i, len(lta))
		}
	}
}

// A message as full as the bounds allow is judged within them.
func TestSec3FullMessage(t *testing.T) {
	if testing.Short() {
		t.Skip("64 signers")
	}
	w := newWorld(t, algid.GOST512)
	m := w.sign(w.signer, "x")
	for range cms.MaxSigners - 1 {
		l := w.Individual()
		next, err := cms.AddSigner(rand.Reader, m, cms.Options{Key: l.Key, Certificate: l.Certificate, SigningTime: t0})
		m = w.must(next, err)
	}
	for i := range cms.MaxTimestamps {
		next, err := AddTimestamp(m, i, w.hash, w.by(w.tsa, t0.Add(time.Minute)))
		m = w.must(next, err)
	}
	at := t0.Add(10 * time.Minute)
	full, err := AddEvidence(m, Evidence{Certificates: []*pki.Certificate{w.CA}, Lists: []*pki.RevocationList{w.list(at), w.rootList(at)}})
	r := w.validate(w.must(full, err), w.trust(t0.Add(time.Hour)))
	if r.Outcome() != Valid || len(r.Signatories()) != cms.MaxSigners {
		t.Errorf("%v, %d people", r.Outcome(), len(r.Signatories()))
	}
	for i, s := range r.Signers {
		if want := map[bool]Level{true: LevelLT, false: LevelB}[i < cms.MaxTimestamps]; s.Level != want || s.Outcome != Valid {
			t.Errorf("signer %d: %v, %v", i, s.Level, s.Err)
		}
	}
}
