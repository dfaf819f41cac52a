package pki_test

import (
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"senim/pki"
)

// A path of the past, at a time that a time-stamp proves: lists that came later know more, and what
// was revoked later was good then.
func TestValidateThePast(t *testing.T) {
	root, key := ca(t, "root", nil, nil, func(t *pki.Template) { t.NotAfter = testNow.AddDate(20, 0, 0) })
	leaf := end(t, root, key, nil)
	pool := pki.NewPool()
	pool.AddRoot(root)
	day := func(n int) time.Time { return testNow.AddDate(0, 0, n) }
	of := func(this time.Time, entries ...pki.Entry) *pki.RevocationList {
		return list(t, root, key, pki.ListTemplate{Number: big.NewInt(7), ThisUpdate: this, Entries: entries})
	}
	at := func(revoked, invalid time.Time) pki.Entry {
		return pki.Entry{Serial: big.NewInt(5), RevokedAt: revoked, InvalidAt: invalid, Reason: pki.KeyCompromise, HasReason: true}
	}
	expired := pki.Extension{OID: asn1.ObjectIdentifier{2, 5, 29, 60}, Value: append([]byte{24, 15}, leaf.NotAfter.Format("20060102150405Z")...)}
	after := leaf.NotAfter.AddDate(0, 1, 0)
	for name, c := range map[string]struct {
		list *pki.RevocationList
		now  time.Time
		want string
	}{
		"of that day":                       {of(testNow), day(100), "good"},
		"of before, still current":          {of(testNow.Add(-time.Hour)), day(100), "good"},
		"of before, ended":                  {of(day(-2)), day(100), "undetermined"},
		"later and silent":                  {of(day(90)), day(100), "good"},
		"from after the question":           {of(day(101)), day(100), "undetermined"},
		"revoked afterwards":                {of(day(90), at(day(1), time.Time{})), day(100), "good"},
		"revoked at that second":            {of(day(90), at(testNow, time.Time{})), day(100), "revoked"},
		"revoked before":                    {of(day(90), at(day(-1), time.Time{})), day(100), "revoked"},
		"revoked afterwards, lost before":   {of(day(90), at(day(1), day(-1))), day(100), "revoked"},
		"revoked and lost afterwards":       {of(day(90), at(day(2), day(1))), day(100), "good"},
		"silent after its end":              {of(after), after.AddDate(0, 0, 1), "undetermined"},
		"silent after its end, and keeping": {resign(t, key, tbsOf(t, root, after), expired), after.AddDate(0, 0, 1), "good"},
		"named after its end":               {of(after, at(day(-1), time.Time{})), after.AddDate(0, 0, 1), "revoked"},
		"named after its end, for later":    {of(after, at(day(1), time.Time{})), after.AddDate(0, 0, 1), "good"},
		"not of the past: revoked is":       {of(testNow.Add(-time.Minute), at(day(1), time.Time{})), time.Time{}, "revoked"},
	} {
		_, err := pool.Validate(leaf, pki.Rules{At: testNow, Now: c.now, Revocation: true, Lists: []*pki.RevocationList{c.list}})
		got := "good"
		switch {
		case errors.As(err, new(*pki.RevokedError)):
			got = "revoked"
		case errors.Is(err, pki.ErrUndetermined):
			got = "undetermined"
		case err != nil:
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: want %s, got %s: %v", name, c.want, got, err)
		}
	}
}

func tbsOf(t *testing.T, issuer *pki.Certificate, this time.Time) []byte {
	t.Helper()
	tpl := pki.ListTemplate{Number: big.NewInt(7), ThisUpdate: this, NextUpdate: this.AddDate(0, 0, 1)}
	tbs, err := tpl.TBS(issuer)
	if err != nil {
		t.Fatal(err)
	}
	return tbs
}

// The date of an entry is written and read; a time of the wrong type is refused.
func TestInvalidityDate(t *testing.T) {
	root, key := ca(t, "root", nil, nil, nil)
	e := pki.Entry{Serial: big.NewInt(5), RevokedAt: testNow, InvalidAt: testNow.AddDate(0, 0, -3)}
	l := list(t, root, key, pki.ListTemplate{Number: big.NewInt(7), Entries: []pki.Entry{e}})
	if got, ok := l.Find(e.Serial); !ok || !got.InvalidAt.Equal(e.InvalidAt) || got.HasReason {
		t.Errorf("%+v, %v", got, ok)
	}
	compareListWithX509(t, l)
}
