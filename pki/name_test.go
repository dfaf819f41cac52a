package pki_test

import (
	"bytes"
	"encoding/asn1"
	"testing"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"pgregory.net/rapid"

	"senim/internal/pkitest"
	"senim/pki"
)

func TestNameString(t *testing.T) {
	for _, c := range []struct {
		name pki.Name
		want string
	}{
		{pki.SubjectName(pkitest.Member(pki.RoleEmployee)), `CN=ТЕСТОВ ТЕСТ,SURNAME=ТЕСТОВ,SERIALNUMBER=IIN123456789011,C=KZ,O=АО \"ТЕСТ\",OU=BIN123456789021,GIVENNAME=ТЕСТОВИЧ`},
		{pki.SubjectName(pki.Holder{UID: "1.2.398", CommonName: "ИС"}), `UID=1.2.398,CN=ИС,C=KZ`},
		{pki.Name{pki.NewAttribute(pki.OIDCommonName, ` a, b+c=d<e>f;g\h `)}, `CN=\ a\, b\+c\=d\<e\>f\;g\\h\ `},
		{pki.Name{pki.NewAttribute(pki.OIDCommonName, "#1")}, `CN=\#1`},
		{pki.Name{{OID: asn1.ObjectIdentifier{1, 2, 3}, Value: "x"}}, `1.2.3=x`},
		{pki.Name{pki.NewAttribute(pki.OIDDomain, "ROLE02"), {OID: pki.OIDEmail, Value: "a@b", Joined: true}}, `DC=ROLE02+E=a@b`},
		{nil, ""},
	} {
		if got := c.name.String(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestNameTypes(t *testing.T) {
	for _, c := range []struct {
		oid asn1.ObjectIdentifier
		tag cbasn1.Tag
	}{{pki.OIDCommonName, cbasn1.UTF8String}, {pki.OIDCountry, cbasn1.PrintableString}, {pki.OIDSerialNumber, cbasn1.PrintableString}, {pki.OIDDomain, cbasn1.IA5String}} {
		if got := pki.NewAttribute(c.oid, "x").Tag; got != c.tag {
			t.Errorf("%v: %v", c.oid, got)
		}
	}
}

// Whatever we write we read back, and write again the same.
func TestNameRoundTrip(t *testing.T) {
	tags := []cbasn1.Tag{cbasn1.UTF8String, cbasn1.PrintableString, cbasn1.IA5String, cbasn1.T61String, 30}
	rapid.Check(t, func(t *rapid.T) {
		var n pki.Name
		for i := range rapid.IntRange(0, 6).Draw(t, "parts") {
			tag := rapid.SampledFrom(tags).Draw(t, "tag")
			value := rapid.StringMatching(`[A-Za-z0-9 ]{0,12}`).Draw(t, "ascii")
			if tag == cbasn1.UTF8String {
				value = rapid.String().Draw(t, "value")
			}
			n = append(n, pki.Attribute{OID: pki.OIDCommonName, Value: value, Tag: tag, Joined: i > 0 && rapid.Bool().Draw(t, "joined")})
		}
		der, err := n.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		back, err := pki.ParseName(der)
		if err != nil || back.String() != n.String() {
			t.Fatalf("%v read as %v, %v", n, back, err)
		}
		if again, err := back.Marshal(); err != nil || !bytes.Equal(again, der) {
			t.Fatalf("%x written %x, %v", der, again, err)
		}
	})
}
