package pades

import (
	"crypto/rand"
	"testing"

	"senim/algid"
	"senim/internal/pkitest"
)

var random = rand.Reader

func TestSignAndVerify(t *testing.T) {
	a := authority(t)
	for name, file := range map[string][]byte{"table": classic(body(), ""), "streams": modern(body())} {
		for _, kind := range []algid.Key{algid.GOST512, algid.GOST256, algid.GOST2004, algid.RSA} {
			l := a.Issue(pkitest.Spec{Kind: kind})
			file := signed(t, file, l, func(o *Options) {
				o.Name, o.Reason, o.Location, o.Contact = "Тестов Тест", "Келісім (agreement)", "Астана", "test@example.kz"
			})
			list := verdicts(t, file)
			if len(list) != 1 {
				t.Fatalf("%s, %v: %d signatures", name, kind, len(list))
			}
			v := list[0]
			if v.Outcome != Valid || v.Err != nil || len(v.Warnings) != 0 {
				t.Errorf("%s, %v: %v %v %v", name, kind, v.Outcome, v.Err, v.Warnings)
			}
			if v.Certificate.SerialHex() != l.Certificate.SerialHex() || !v.SigningTime.Equal(moment) || !v.Time.Equal(moment) ||
				v.Signed != int64(len(file)) || v.Later.Bytes != 0 {
				t.Errorf("%s, %v: %+v", name, kind, v)
			}
			if v.Field != "Signature1" || v.Name != "Тестов Тест" || v.Reason != "Келісім (agreement)" || v.Location != "Астана" ||
				v.Contact != "test@example.kz" || v.Filter != "Adobe.PPKLite" || v.SubFilter != subFilterCAdES {
				t.Errorf("%s, %v: %+v", name, kind, v.Signature)
			}
		}
	}
}
