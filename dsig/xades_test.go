package dsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"senim/algid"
	"senim/cms"
	"senim/internal/pkitest"
	"senim/pki"
	"senim/tsp"
)

func TestXAdES(t *testing.T) {
	a := pkitest.New(t)
	const doc = `<r xmlns="u:1" xmlns:xades="u:2" xml:lang="kk"><a Id="part"><x>1</x></a></r>`
	for _, kind := range []algid.Key{algid.GOST512, algid.GOST256, algid.GOST2004, algid.RSA} {
		l := a.Issue(pkitest.Spec{Kind: kind})
		for _, id := range []string{"", "part"} {
			for _, wrapped := range []bool{false, true} {
				o := Options{Key: l.Key, Certificate: l.Certificate, Wrapped: wrapped, SigningTime: moment.Add(time.Millisecond).In(time.FixedZone("", 5*3600))}
				out, err := SignEnveloped(random, []byte(doc), o)
				verify := (*Document).VerifyOne
				if id != "" {
					out, err = SignElement(random, []byte(doc), id, "", o)
					verify = func(d *Document) (*Verified, error) { return d.VerifyElement(Place{Element: "/r/a", Parent: "/r"}) }
				}
				if err != nil {
					t.Fatal(err)
				}
				v, err := verify(parsed(t, string(out)))
				if err != nil {
					t.Errorf("%v %q wrapped %v: %v\n%s", kind, id, wrapped, err, out)
					continue
				}
				if x := v.XAdES; x == nil || x.Level != LevelBES || !x.SigningTime.Equal(moment) || x.SigningTime.Location() != time.UTC || len(x.Timestamps)+len(x.Warnings) > 0 {
					t.Errorf("%v %q: %+v", kind, id, x)
				}
				v, err = verify(parsed(t, stamped(t, a, stamped(t, a, string(out)))))
				if err != nil {
					t.Errorf("%v %q stamped: %v", kind, id, err)
					continue
				}
				x := v.XAdES
				if x.Level != LevelT || len(x.Timestamps) != 2 || len(x.Warnings) > 0 {
					t.Fatalf("%v %q stamped: %+v", kind, id, x)
				}
				if s := x.Timestamps[1]; !s.Token.Time.Equal(a.Now) || !s.Authority.HasUsage(pki.TimeStamping) {
					t.Errorf("time-stamp of %v by %v", s.Token.Time, s.Authority.Subject)
				}
			}
		}
	}
	plain, err := parsed(t, signed(t, a.Individual(), doc)).VerifyOne()
	if err != nil || plain.XAdES != nil {
		t.Errorf("plain signature: %v, %+v", err, plain)
	}
}

// The shape of crypto.md §15, to the letter.
func TestXAdESShape(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	out := signedBy(t, a, l, besKind, "<a/>", "", "")
	id := out[strings.Index(out, ` Id="signature-`)+len(` Id="signature-`):][:36]
	serial, err := issuerSerial{l.Certificate.RawIssuer, l.Certificate.Serial}.marshal()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	for _, want := range []string{
		`<a><ds:Signature xmlns:ds="` + spaceDS + `" Id="signature-` + id + `"><ds:SignedInfo>`,
		`</ds:Reference><ds:Reference Type="http://uri.etsi.org/01903#SignedProperties" URI="#properties-` + id + `"><ds:Transforms><ds:Transform Algorithm="` + uriInclusive + `"/></ds:Transforms>`,
		`</ds:KeyInfo><ds:Object><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.3.2#" Target="#signature-` + id + `">` +
			`<xades:SignedProperties Id="properties-` + id + `"><xades:SignedSignatureProperties><xades:SigningTime>2026-09-01T09:00:00Z</xades:SigningTime>` +
			`<xades:SigningCertificateV2><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="` + methods[0].digestURI + `"/><ds:DigestValue>` +
			b64(algid.Streebog512.Sum(l.Certificate.Raw)) + `</ds:DigestValue></xades:CertDigest><xades:IssuerSerialV2>` + b64(serial) +
			`</xades:IssuerSerialV2></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties></ds:Object></ds:Signature></a>`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("missing\n%s\nin\n%s", want, out)
		}
	}
	if s := stamped(t, a, out); !strings.Contains(s, `</xades:SignedProperties><xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:SignatureTimeStamp>`+
		`<ds:CanonicalizationMethod Algorithm="`+uriInclusive+`"/><xades:EncapsulatedTimeStamp>MII`) {
		t.Errorf("time-stamp stands elsewhere:\n%s", s)
	}
}

// Signatures of every kind over one another: last first, each over what was there before it.
func TestCoSignMixed(t *testing.T) {
	a := pkitest.New(t)
	doc := "<r><sum>1</sum></r>"
	var want []string
	for _, c := range []struct {
		key  algid.Key
		kind kindOf
	}{{algid.RSA, plainKind}, {algid.GOST2004, besKind}, {algid.GOST512, tKind}, {algid.GOST512, plainKind}} {
		canonical, err := Canonicalize([]byte(doc), false)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, string(canonical))
		doc = signedBy(t, a, a.Issue(pkitest.Spec{Kind: c.key}), c.kind, doc, "", "")
	}
	d := parsed(t, doc)
	vs, err := d.Verify()
	if err != nil || len(vs) != len(want) {
		t.Fatalf("%d verdicts: %v", len(vs), err)
	}
	slices.Reverse(want)
	for i, v := range vs {
		if string(v.Signed) != want[i] {
			t.Errorf("verdict %d covers\n%s", i, v.Signed)
		}
	}
	if vs[0].XAdES != nil || vs[1].XAdES.Level != LevelT || vs[2].XAdES.Level != LevelBES || vs[3].XAdES != nil || vs[3].Method != algid.SHA256WithRSA {
		t.Error("verdicts are not last first")
	}
	// The newest is a plain signature: it takes no time-stamp, and those under it must not change.
	if _, err := d.TimestampInput(); !errors.Is(err, ErrProfile) {
		t.Errorf("time-stamp under a later signature: %v", err)
	}
	before, first, rest := cut(t, doc)
	_, second, rest := cut(t, rest)
	_, third, rest := cut(t, rest)
	_, fourth, after := cut(t, rest)
	for name, list := range map[string][]string{
		"first gone": {second, third, fourth}, "second gone": {first, third, fourth}, "third gone": {first, second, fourth},
		"second and third exchanged": {first, third, second, fourth}, "last moved to the front": {fourth, first, second, third}, "second twice": {first, second, second, third, fourth},
	} {
		refusedBy(t, name, before+strings.Join(list, "")+after)
	}
	// Without its last signatures the document is the one that was signed before them.
	for n := 1; n <= 3; n++ {
		if vs, err := parsed(t, before+strings.Join([]string{first, second, third}[:n], "")+after).Verify(); err != nil || len(vs) != n {
			t.Errorf("first %d: %v", n, err)
		}
	}
	// A time-stamp taken out of a signature that a later one covers.
	i, j := strings.Index(doc, "<xades:UnsignedProperties>"), strings.Index(doc, "</xades:UnsignedProperties>")
	refusedBy(t, "time-stamp taken out", doc[:i]+doc[j+len("</xades:UnsignedProperties>"):])
}

// What others write and we take, with the warnings we give.
func TestXAdESOfOthers(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	sha1 := `<ds:DigestMethod Algorithm="` + spaceDS + `sha1"/><ds:DigestValue>` + base64.StdEncoding.EncodeToString(algid.SHA1.Sum(l.Certificate.Raw)) + `</ds:DigestValue></xades:CertDigest>`
	between := func(from, to, with string) func(string) string {
		return func(s string) string {
			i, j := strings.Index(s, from), strings.Index(s, to)
			if i < 0 || j < i {
				t.Fatalf("no %s … %s", from, to)
			}
			return s[:i] + with + s[j+len(to):]
		}
	}
	const end = "</xades:SignedSignatureProperties>"
	for name, c := range map[string]struct {
		craft
		warning string
		time    time.Time
	}{
		"format of the data": {craft{object: swap(t, end, end+`<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#r"><xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>`)}, "", moment},
		"commitment":         {craft{object: swap(t, end, end+`<xades:SignedDataObjectProperties><xades:CommitmentTypeIndication/></xades:SignedDataObjectProperties>`)}, "property CommitmentTypeIndication was not looked at", moment},
		"role":               {craft{object: swap(t, end, "<xades:SignerRoleV2/>"+end)}, "property SignerRoleV2 was not looked at", moment},
		"long name":          {craft{object: swap(t, end, "<"+strings.Repeat("a", 500)+"/>"+end)}, "property with a long name was not looked at", moment},
		"no time":            {craft{object: between("<xades:SigningTime>", "</xades:SigningTime>", "")}, "the signer claims no time", time.Time{}},
		"time of Almaty":     {craft{object: swap(t, "2026-09-01T09:00:00Z", "2026-09-01T14:00:00.000+05:00\n")}, "", moment},
		"time without zone":  {craft{object: swap(t, "09:00:00Z", "09:00:00")}, "the claimed time cannot be read", time.Time{}},
		"named by SHA-1":     {craft{object: between("<ds:DigestMethod", "</xades:CertDigest>", sha1)}, "the certificate is named by SHA-1, which is weak", moment},
		"no serial":          {craft{object: between("<xades:IssuerSerialV2>", "</xades:IssuerSerialV2>", "")}, "", moment},
		"authority named":    {craft{object: swap(t, "</xades:SigningCertificateV2>", "<xades:Cert/></xades:SigningCertificateV2>")}, "certificates named beside that of the signer were not looked at", moment},
		"exclusive form":     {craft{form: uriExclusive}, "", moment},
		"other order":        {craft{info: otherOrder}, "", moment},
		"validation data":    {craft{object: swap(t, "</xades:QualifyingProperties>", "<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:CertificateValues/></xades:UnsignedSignatureProperties></xades:UnsignedProperties></xades:QualifyingProperties>")}, "property CertificateValues was not looked at", moment},
		"unsigned of data":   {craft{object: swap(t, "</xades:QualifyingProperties>", "<xades:UnsignedProperties><xades:UnsignedDataObjectProperties/></xades:UnsignedProperties></xades:QualifyingProperties>")}, "property UnsignedDataObjectProperties was not looked at", moment},
		"nothing unsigned":   {craft{object: swap(t, "</xades:QualifyingProperties>", "<xades:UnsignedProperties/></xades:QualifyingProperties>")}, "", moment},
		"other prefixes": {craft{object: func(s string) string {
			return strings.NewReplacer("xmlns:xades", "xmlns", "xades:", "", "<ds:Object>", `<d:Object xmlns:d="`+spaceDS+`">`, "</ds:Object>", "</d:Object>").Replace(s)
		}}, "", moment},
	} {
		t.Run(name, func(t *testing.T) {
			c.leaf = l
			doc := c.sign(t, "<r><sum>1</sum></r>")
			v, err := parsed(t, doc).VerifyOne()
			if err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			if !v.XAdES.SigningTime.Equal(c.time) || strings.Join(v.XAdES.Warnings, "; ") != c.warning || v.XAdES.Level != LevelBES {
				t.Errorf("%+v", v.XAdES)
			}
			// Whatever stands in the unsigned part, a time-stamp finds its place.
			if v, err = parsed(t, stamped(t, a, doc)).VerifyOne(); err != nil || v.XAdES.Level != LevelT {
				t.Errorf("stamped: %v", err)
			}
		})
	}
}

// Anybody may put properties into the unsigned part, so that warnings have an end.
func TestSec2XAdESWarningsAreBounded(t *testing.T) {
	a := pkitest.New(t)
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "<p%d/><p%d/>", i, i)
	}
	const end = "</xades:UnsignedSignatureProperties>"
	v, err := parsed(t, strings.Replace(signedAs(t, a, tKind, "<r/>", "", ""), end, many.String()+end, 1)).VerifyOne()
	if err != nil {
		t.Fatal(err)
	}
	w := v.XAdES.Warnings
	if len(w) != maxNames+1 || w[0] != "property p0 was not looked at" || w[maxNames] != "further properties were not looked at" {
		t.Errorf("%d warnings: %.300q", len(w), w)
	}
}

// Each time-stamp costs a verification, so that a document may have only so many.
func TestSec2XAdESTimestampsAreBounded(t *testing.T) {
	a := pkitest.New(t)
	const from, to = "<xades:SignatureTimeStamp>", "</xades:SignatureTimeStamp>"
	doc := "<r/>"
	for n := 1; n <= maxAllTimestamps/maxTimestamps+1; n++ {
		doc = signedAs(t, a, tKind, doc, "", "")
		i, j := strings.LastIndex(doc, from), strings.LastIndex(doc, to)+len(to)
		doc = doc[:i] + strings.Repeat(doc[i:j], maxTimestamps) + doc[j:]
		_, err := parsed(t, doc).Verify()
		if fits := n*maxTimestamps <= maxAllTimestamps; fits != (err == nil) || !fits && !errors.Is(err, ErrProfile) {
			t.Errorf("%d signatures with %d time-stamps each: %v", n, maxTimestamps, err)
		}
	}
}

// otherOrder exchanges the two references.
func otherOrder(info string) string {
	i, j := strings.Index(info, "<ds:Reference "), strings.LastIndex(info, "<ds:Reference ")
	end := strings.Index(info, "</ds:SignedInfo>")
	return info[:i] + info[j:end] + info[i:j] + info[end:]
}

// Signatures made on purpose, with a good key over a bad shape.
func TestSec2XAdESCrafted(t *testing.T) {
	a := pkitest.New(t)
	l, other := a.Individual(), a.Individual()
	serial := func(issuer []byte, n *big.Int) string {
		der, err := issuerSerial{issuer, n}.marshal()
		if err != nil {
			t.Fatal(err)
		}
		return "<xades:IssuerSerialV2>" + base64.StdEncoding.EncodeToString(der) + "</xades:IssuerSerialV2>"
	}
	own, err := issuerSerial{l.Certificate.RawIssuer, l.Certificate.Serial}.marshal()
	if err != nil {
		t.Fatal(err)
	}
	ownSerial := "<xades:IssuerSerialV2>" + base64.StdEncoding.EncodeToString(own) + "</xades:IssuerSerialV2>"
	digest := func(c *pki.Certificate) string {
		return base64.StdEncoding.EncodeToString(algid.Streebog512.Sum(c.Raw))
	}
	named := "<xades:SigningCertificateV2>"
	objectOf := func(s string) string { return s + s }
	for name, c := range map[string]struct {
		craft
		want error // ErrProfile unless said
	}{
		"properties without a reference":    {craft: craft{unlisted: true}},
		"reference without its type":        {craft: craft{info: swap(t, ` Type="`+typeSignedProperties+`"`, "")}},
		"reference of another type":         {craft: craft{info: swap(t, typeSignedProperties, "http://uri.etsi.org/01903/v1.1.1#SignedProperties")}},
		"two references to the properties":  {craft: craft{info: swap(t, `<ds:Reference URI=""`, `<ds:Reference Type="`+typeSignedProperties+`" URI=""`)}},
		"third reference":                   {craft: craft{info: swap(t, "</ds:Reference>", `</ds:Reference><ds:Reference URI="#x"/>`)}},
		"reference to the object":           {craft: craft{object: swap(t, "<ds:Object>", `<ds:Object Id="obj">`), info: toID("obj")}},
		"reference to the qualifying ones":  {craft: craft{object: swap(t, "<xades:QualifyingProperties", `<xades:QualifyingProperties Id="obj"`), info: toID("obj")}},
		"reference to signature properties": {craft: craft{object: swap(t, "<xades:SignedSignatureProperties", `<xades:SignedSignatureProperties Id="obj"`), info: toID("obj")}},
		"reference to the document":         {craft: craft{info: toID("")}},
		"external reference":                {craft: craft{info: func(s string) string { return strings.Replace(s, `URI="#prop`, `URI="http://example.kz/#prop`, 1) }}},
		"enveloped transform on properties": {craft: craft{info: swap(t, `<ds:Transforms><ds:Transform Algorithm="`+uriInclusive+`"/>`, `<ds:Transforms><ds:Transform Algorithm="`+uriEnveloped+`"/><ds:Transform Algorithm="`+uriInclusive+`"/>`)}},
		"XPath on properties":               {craft: craft{info: swap(t, `<ds:Transforms><ds:Transform Algorithm="`+uriInclusive+`"/>`, `<ds:Transforms><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/>`)}},
		"two digests":                       {craft: craft{info: func(s string) string { return replaceLast(s, methods[0].digestURI, methods[1].digestURI) }}},
		"target of another":                 {craft: craft{object: swap(t, `Target="#`, `Target="#x`)}},
		"first reference, another digest":   {craft: craft{info: swap(t, methods[0].digestURI, methods[1].digestURI)}},
		"first transform is XPath":          {craft: craft{info: swap(t, uriEnveloped, "http://www.w3.org/TR/1999/REC-xpath-19991116")}},
		"first transform is XSLT":           {craft: craft{info: swap(t, uriEnveloped, "http://www.w3.org/TR/1999/REC-xslt-19991116")}},
		"certificate in another namespace":  {craft: craft{object: strings.NewReplacer("<xades:Cert>", "<Cert>", "</xades:Cert>", "</Cert>").Replace}},
		"issuer and serial in the old form": {craft: craft{object: strings.NewReplacer("xades:IssuerSerialV2", "xades:IssuerSerial").Replace}},
		"signature properties in another":   {craft: craft{object: strings.NewReplacer("xades:SignedSignatureProperties", "SignedSignatureProperties").Replace}},
		"exclusive document":                {craft: craft{change: func(p *plan) { p.transforms = []string{uriEnveloped, uriExclusive} }}},
		"exclusive information":             {craft: craft{change: func(p *plan) { p.infoMethod = uriExclusive }}},
		"document by its id":                {craft: craft{info: swap(t, `URI=""`, `URI="#root"`)}},
		"neither id nor target":             {craft: craft{nameless: true}},
		"no target": {craft: craft{object: func(s string) string {
			return s[:strings.Index(s, ` Target="`)] + s[strings.Index(s, `"><xades:SignedProperties`)+1:]
		}}},
		"target without its mark":        {craft: craft{object: swap(t, `Target="#`, `Target="`)}},
		"properties of an older version": {craft: craft{object: swap(t, spaceXAdES, "http://uri.etsi.org/01903/v1.1.1#")}},
		"two objects":                    {craft: craft{object: func(s string) string { return s + "<ds:Object/>" }}},
		"data beside the properties":     {craft: craft{object: swap(t, "<ds:Object>", "<ds:Object><r><sum>1</sum></r>")}},
		"text beside the properties":     {craft: craft{object: swap(t, "<ds:Object>", "<ds:Object>x")}},
		"second qualifying properties": {craft: craft{object: func(s string) string {
			return strings.Replace(s, "</ds:Object>", `<xades:QualifyingProperties xmlns:xades="`+spaceXAdES+`"/></ds:Object>`, 1)
		}}},
		"empty second before":               {craft: craft{object: swap(t, "<ds:Object>", `<ds:Object><xades:QualifyingProperties xmlns:xades="`+spaceXAdES+`"/>`)}},
		"reference to properties elsewhere": {craft: craft{object: swap(t, "</ds:Object>", `<xades:QualifyingPropertiesReference xmlns:xades="`+spaceXAdES+`" URI="http://example.kz/"/></ds:Object>`)}},
		"second signed properties":          {craft: craft{object: swap(t, "</xades:QualifyingProperties>", "<xades:SignedProperties/></xades:QualifyingProperties>")}},
		"unsigned before signed":            {craft: craft{object: swap(t, "<xades:SignedProperties", "<xades:UnsignedProperties/><xades:SignedProperties")}},
		"second unsigned":                   {craft: craft{object: swap(t, "</xades:QualifyingProperties>", "<xades:UnsignedProperties/><xades:UnsignedProperties/></xades:QualifyingProperties>")}},
		"instruction inside":                {craft: craft{object: swap(t, "<xades:Cert>", "<xades:Cert><?x?>")}},
		"comment in the time":               {craft: craft{object: swap(t, "2026-09-01T", "2026<!-- -->-09-01T")}},
		"comment in the digest":             {craft: craft{object: swap(t, digest(l.Certificate), "<!-- -->"+digest(l.Certificate))}},
		"time twice":                        {craft: craft{object: swap(t, "<xades:SigningTime>", "<xades:SigningTime>2020-01-01T00:00:00Z</xades:SigningTime><xades:SigningTime>")}},
		"certificate named twice":           {craft: craft{object: swap(t, named, named+"</xades:SigningCertificateV2>"+named)}},
		"certificate not named": {craft: craft{object: func(s string) string {
			return s[:strings.Index(s, named)] + s[strings.Index(s, "</xades:SignedSignatureProperties>"):]
		}}},
		"named in the old form":             {craft: craft{object: func(s string) string { return strings.ReplaceAll(s, "SigningCertificateV2", "SigningCertificate") }}},
		"no certificate in the name":        {craft: craft{object: swap(t, "<xades:Cert>", "<xades:Cert/><xades:Cert>")}},
		"unknown digest of the certificate": {craft: craft{object: swap(t, methods[0].digestURI, "http://www.w3.org/2001/04/xmldsig-more#md5")}},
		"another certificate":               {craft{object: swap(t, digest(l.Certificate), digest(other.Certificate))}, ErrSigningCertificate},
		"another certificate first":         {craft{object: swap(t, "<xades:Cert>", `<xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="`+methods[0].digestURI+`"/><ds:DigestValue>`+digest(other.Certificate)+"</ds:DigestValue></xades:CertDigest></xades:Cert><xades:Cert>")}, ErrSigningCertificate},
		"another serial":                    {craft{object: swap(t, ownSerial, serial(l.Certificate.RawIssuer, big.NewInt(1)))}, ErrSigningCertificate},
		"another issuer":                    {craft{object: swap(t, ownSerial, serial(l.Certificate.RawSubject, l.Certificate.Serial))}, ErrSigningCertificate},
		"serial cut":                        {craft{object: swap(t, ownSerial, "<xades:IssuerSerialV2>"+base64.StdEncoding.EncodeToString(own[:len(own)-1])+"</xades:IssuerSerialV2>")}, ErrSigningCertificate},
		"serial with more after it":         {craft{object: swap(t, ownSerial, "<xades:IssuerSerialV2>"+base64.StdEncoding.EncodeToString(append(slices.Clone(own), 5, 0))+"</xades:IssuerSerialV2>")}, ErrSigningCertificate},
		"strange attribute":                 {craft: craft{object: swap(t, "<xades:SigningCertificateV2>", `<xades:SigningCertificateV2 x="1">`)}},
		"objects of the signature twice":    {craft: craft{object: func(s string) string { return strings.Replace(objectOf(s), "properties-", "properties-x", 1) }}},
	} {
		c.leaf = l
		doc := c.sign(t, `<r Id="root"><sum>1</sum></r>`)
		if c.want == nil {
			c.want = ErrProfile
		}
		d, err := Parse([]byte(doc))
		if err != nil {
			t.Errorf("%s: does not parse: %v", name, err)
			continue
		}
		if _, err := d.VerifyOne(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v\n%s", name, err, doc)
		}
		refusedBy(t, name, doc)
	}
	for name, doc := range map[string]string{
		"instruction":      "<r><?x?></r>",
		"stray properties": `<r><xades:QualifyingProperties xmlns:xades="` + spaceXAdES + `"/></r>`,
		"older strays":     `<r><xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v1.1.1#"/></r>`,
	} {
		if _, err := parsed(t, craft{leaf: l}.sign(t, doc)).VerifyOne(); !errors.Is(err, ErrProfile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v, err := parsed(t, craft{leaf: l}.sign(t, "<r/>")).VerifyOne(); err != nil || v.XAdES == nil {
		t.Errorf("nothing changed: %v", err)
	}
}

// The same around one element, where the rest of the document may hold what it likes.
func TestSec2XAdESCraftedElement(t *testing.T) {
	l := pkitest.New(t).Individual()
	const doc, end = `<r><a Id="x"/></r>`, "</xades:SignedSignatureProperties>"
	verify := func(doc string) error {
		_, err := parsed(t, doc).VerifyElement(Place{Element: "/r/a", Parent: "/r"})
		return err
	}
	if err := verify(craft{leaf: l, part: "x", form: uriExclusive, object: swap(t, end, "<xades:SignerRoleV2/>"+end)}.sign(t, `<r><?x?><a Id="x"/></r>`)); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		craft
		doc string
	}{
		"instruction in the properties":   {craft{object: swap(t, end, "<xades:SignerRoleV2><?x?></xades:SignerRoleV2>"+end)}, doc},
		"instruction in the element":      {craft{}, `<r><a Id="x"><?x?></a></r>`},
		"stray properties beside":         {craft{}, `<r><a Id="x"/><xades:QualifyingProperties xmlns:xades="` + spaceXAdES + `"/></r>`},
		"reference to nothing":            {craft{info: swap(t, `URI="#x"`, `URI="#y"`)}, doc},
		"reference to another element":    {craft{info: swap(t, `URI="#x"`, `URI="#y"`)}, `<r Id="y"><a Id="x"/></r>`},
		"reference to the whole document": {craft{info: swap(t, `URI="#x"`, `URI=""`)}, doc},
		"reference without its mark":      {craft{info: swap(t, `URI="#x"`, `URI="x"`)}, doc},
		"exclusive element":               {craft{change: func(p *plan) { p.transforms = []string{uriExclusive} }}, doc},
		"enveloped element":               {craft{change: func(p *plan) { p.transforms = []string{uriEnveloped, uriInclusive} }}, doc},
		"inclusive information":           {craft{change: func(p *plan) { p.infoMethod = uriInclusive }}, doc},
	} {
		c.leaf, c.part, c.form = l, "x", uriExclusive
		if err := verify(c.sign(t, c.doc)); !errors.Is(err, ErrProfile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is signed stands in the signature itself.
	d := parsed(t, "<r/>")
	o := Options{Key: l.Key, Certificate: l.Certificate}
	m, err := o.check()
	if err != nil {
		t.Fatal(err)
	}
	sig := markup{keyInfo: layout{}.x509Data(l.Certificate)}
	insert := func() *Document {
		return parsed(t, strings.Replace(string(d.insert(d.root, sig.bytes())), "<ds:KeyInfo>", `<ds:KeyInfo Id="k">`, 1))
	}
	digest := m.signature.Hash().Sum(method{}.canonicalize(insert().ids["k"]))
	sig.info = sig.signedInfo(uriExclusive, m, []pointer{{uri: "#k", transforms: []string{uriInclusive}, digest: digest}})
	if sig.value, err = m.signature.Sign(random, l.Key, method{exclusive: true}.canonicalize(insert().allSignatures()[0].elements()[0])); err != nil {
		t.Fatal(err)
	}
	if _, err := insert().VerifyElement(Place{Element: "/r/Signature/KeyInfo", Parent: "/r"}); !errors.Is(err, ErrProfile) {
		t.Errorf("signature over its own key information: %v", err)
	}
}

// toID makes the reference to the properties lead to another id, with nothing else changed.
func toID(id string) func(string) string {
	return func(info string) string {
		i := strings.Index(info, ` URI="#properties-`)
		j := i + len(` URI="`) + strings.IndexByte(info[i+len(` URI="`):], '"')
		if id != "" {
			id = "#" + id
		}
		return info[:i] + ` URI="` + id + info[j:]
	}
}

func replaceLast(s, old, with string) string {
	i := strings.LastIndex(s, old)
	return s[:i] + with + s[i+len(old):]
}

// A good XAdES-T document changed afterwards.
func TestSec2XAdESChanged(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	const r = `<r xmlns:p="u:p"><sum>1</sum></r>`
	one, two := signedBy(t, a, l, tKind, r, "", ""), signedBy(t, a, l, tKind, r, "", "")
	part := func(doc, from, to string) string {
		i, j := strings.Index(doc, from), strings.Index(doc, to)
		if i < 0 || j < i {
			t.Fatalf("no %s … %s", from, to)
		}
		return doc[i : j+len(to)]
	}
	exchange := func(from, to string) string {
		return strings.Replace(one, part(one, from, to), part(two, from, to), 1)
	}
	replace := func(old, with string) string { return swap(t, old, with)(one) }
	props := part(one, "<xades:SignedProperties", "</xades:SignedProperties>")
	stamp := part(one, "<xades:SignatureTimeStamp>", "</xades:SignatureTimeStamp>")
	qualifying := part(one, "<xades:QualifyingProperties", "</xades:QualifyingProperties>")
	propsID := part(props, `Id="`, `">`)
	standing := strings.Replace(qualifying, "<xades:UnsignedProperties>", "<xades:UnsignedProperties><!-- -->", 1)
	if _, err := parsed(t, one).VerifyOne(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		doc  string
		want error
	}{
		"time changed":                        {replace("2026-09-01T09", "2026-09-01T08"), ErrDigest},
		"certificate digest changed":          {replace("<xades:CertDigest>", "<xades:CertDigest> "), ErrDigest},
		"document changed":                    {replace("<sum>1", "<sum>2"), ErrDigest},
		"prefix of properties rebound":        {replace("<xades:SigningTime>", `<xades:SigningTime xmlns:xades="u:evil">`), ErrDigest},
		"prefix rebound around":               {replace("<ds:Object>", `<ds:Object xmlns:x="u:evil">`), ErrDigest},
		"properties of another signature":     {exchange("<xades:QualifyingProperties", "</xades:QualifyingProperties>"), ErrProfile},
		"signed properties of another":        {exchange("<xades:SignedProperties", "</xades:SignedProperties>"), ErrProfile},
		"time-stamp of another signature":     {exchange("<xades:UnsignedProperties", "</xades:UnsignedProperties>"), tsp.ErrImprint},
		"value of another signature":          {exchange("<ds:SignatureValue>", "</ds:SignatureValue>"), ErrSignature},
		"information of another signature":    {exchange("<ds:SignedInfo>", "</ds:SignedInfo>"), ErrProfile},
		"no Object":                           {strings.Replace(one, "<ds:Object>"+qualifying+"</ds:Object>", "", 1), ErrProfile},
		"no properties":                       {strings.Replace(one, qualifying, "", 1), ErrProfile},
		"properties moved to the document":    {strings.TrimSuffix(r, "</r>") + strings.Replace(qualifying, " xmlns", ` xmlns:ds="`+spaceDS+`" xmlns`, 1) + strings.Replace(one[strings.Index(one, "<ds:Signature "):], "<ds:Object>"+qualifying+"</ds:Object>", "", 1), ErrProfile},
		"properties moved, evil ones stay":    {strings.Replace(strings.Replace(one, propsID, `Id="evil">`, 1), "<sum>", strings.Replace(props, "<xades:SignedProperties", `<xades:SignedProperties xmlns:ds="`+spaceDS+`" xmlns:xades="`+spaceXAdES+`"`, 1)+"<sum>", 1), ErrDigest},
		"original moved to the unsigned part": {strings.Replace(strings.Replace(one, propsID, `>`, 1), "</xades:UnsignedSignatureProperties>", props+"</xades:UnsignedSignatureProperties>", 1), ErrProfile},
		"id of the signature gone":            {strings.Replace(one, part(one, ` Id="signature-`, `"><ds:SignedInfo`), "><ds:SignedInfo", 1), ErrProfile},
		"id of the signature elsewhere":       {strings.Replace(strings.Replace(one, part(one, ` Id="signature-`, `"><ds:SignedInfo`), "><ds:SignedInfo", 1), "<sum>", "<sum"+strings.TrimSuffix(part(one, ` Id="signature-`, `"><ds:SignedInfo`), "<ds:SignedInfo"), 1), ErrDigest},
		"comment in the token":                {replace("<xades:EncapsulatedTimeStamp>", "<xades:EncapsulatedTimeStamp><!-- -->"), ErrProfile},
		"token in another encoding":           {replace("<xades:EncapsulatedTimeStamp>", `<xades:EncapsulatedTimeStamp Encoding="http://uri.etsi.org/01903/v1.2.2#PER">`), ErrProfile},
		"token cut":                           {replace("<xades:EncapsulatedTimeStamp>MII", "<xades:EncapsulatedTimeStamp>MIIAAAAA"), nil},
		"time-stamp in another form":          {replace(`<xades:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="`+uriInclusive, `<xades:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="`+uriExclusive), tsp.ErrImprint},
		"time-stamp in an unknown form":       {replace(`<xades:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="`+uriInclusive, `<xades:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="urn:x`), ErrProfile},
		"time-stamp over other nodes":         {replace("<xades:SignatureTimeStamp>", `<xades:SignatureTimeStamp><xades:Include URI="#x"/>`), ErrProfile},
		"time-stamp in XML":                   {strings.ReplaceAll(one, "EncapsulatedTimeStamp", "XMLTimeStamp"), ErrProfile},
		"time-stamp without a token":          {replace(part(one, "<xades:EncapsulatedTimeStamp>", "</xades:EncapsulatedTimeStamp>"), ""), ErrProfile},
		"too many time-stamps":                {replace(stamp, strings.Repeat(stamp, maxTimestamps+1)), ErrProfile},
		"second time-stamp is of another":     {replace(stamp, stamp+part(two, "<xades:SignatureTimeStamp>", "</xades:SignatureTimeStamp>")), tsp.ErrImprint},
		"second list of unsigned properties":  {replace("</xades:UnsignedProperties>", "<xades:UnsignedSignatureProperties/></xades:UnsignedProperties>"), ErrProfile},
		"certificate replaced":                {replace(base64.StdEncoding.EncodeToString(l.Certificate.Raw), base64.StdEncoding.EncodeToString(a.Individual().Certificate.Raw)), ErrSignature},
		"doctype":                             {replace("<r ", "<!DOCTYPE r><r "), nil},
		"same id in the document":             {replace("<sum>", "<sum "+strings.TrimSuffix(propsID, ">")+">"), nil},
		"same id as ID":                       {replace("<sum>", "<sum "+strings.Replace(strings.TrimSuffix(propsID, ">"), "Id=", "ID=", 1)+">"), nil},
		"same id as id":                       {replace("<sum>", "<sum "+strings.Replace(strings.TrimSuffix(propsID, ">"), "Id=", "id=", 1)+">"), nil},
		"same id as wsu:Id":                   {replace("<sum>", `<sum xmlns:wsu="`+spaceWSU+`" wsu:`+strings.TrimSuffix(propsID, ">")+">"), nil},
		"two SignedInfo":                      {replace("</ds:SignedInfo>", "</ds:SignedInfo>"+part(one, "<ds:SignedInfo>", "</ds:SignedInfo>")), ErrProfile},
		"both signatures":                     {strings.Replace(one, "</r>", two[strings.Index(two, "<ds:Signature "):], 1), ErrDigest},
	} {
		if c.doc == one {
			t.Fatalf("%s: nothing was changed", name)
		}
		refusedBy(t, name, c.doc)
		if d, err := Parse([]byte(c.doc)); c.want != nil {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if _, err := d.Verify(); !errors.Is(err, c.want) {
				t.Errorf("%s: %v\n%s", name, err, c.doc)
			}
		}
	}
	// The unsigned part may hold what it likes between elements; it says nothing.
	if _, err := parsed(t, strings.Replace(one, stamp, "\n"+stamp+"\n", 1)).VerifyOne(); err != nil {
		t.Errorf("white space among unsigned properties: %v", err)
	}
	refusedBy(t, "comment among the unsigned properties", strings.Replace(one, qualifying, standing, 1))
}

// Two certificates of one key: a plain signature goes with both, XAdES with the one it names.
func TestSec2XAdESBindsCertificate(t *testing.T) {
	a := pkitest.New(t)
	l := a.Individual()
	twin := a.Issue(pkitest.Spec{Key: l.Key, Holder: pkitest.Member(pki.RoleFirstHead)})
	b64 := base64.StdEncoding.EncodeToString
	other := func(doc string) *Document {
		return parsed(t, strings.Replace(doc, b64(l.Certificate.Raw), b64(twin.Certificate.Raw), 1))
	}
	if v, err := other(signedBy(t, a, l, plainKind, "<r/>", "", "")).VerifyOne(); err != nil || !bytes.Equal(v.Certificate.Raw, twin.Certificate.Raw) {
		t.Errorf("plain: %v", err)
	}
	for _, k := range []kindOf{besKind, tKind} {
		if _, err := other(signedBy(t, a, l, k, "<r/>", "", "")).VerifyOne(); !errors.Is(err, ErrSigningCertificate) {
			t.Errorf("%s: %v", k, err)
		}
	}
}

func TestAddTimestamp(t *testing.T) {
	a := pkitest.New(t)
	bes := signedAs(t, a, besKind, "<r><sum>1</sum></r>", "", "")
	covered, err := parsed(t, bes).TimestampInput()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(covered), `<ds:SignatureValue xmlns:ds="`+spaceDS+`">`) {
		t.Errorf("covers %s", covered)
	}
	person := a.Individual()
	for name, c := range map[string]struct {
		doc, token string
		want       error
	}{
		"over other bytes":    {bes, string(token(t, a.TSA(), []byte("x"), a.Now)), tsp.ErrImprint},
		"over the bare value": {bes, string(token(t, a.TSA(), bareValue(t, bes), a.Now)), tsp.ErrImprint},
		"by a person":         {bes, string(personToken(t, a, covered)), tsp.ErrSigner},
		"no token":            {bes, "", nil},
		"plain signature":     {signed(t, person, "<r/>"), string(token(t, a.TSA(), covered, a.Now)), ErrProfile},
		"unsigned":            {"<r/>", string(token(t, a.TSA(), covered, a.Now)), ErrUnsigned},
		"deep signature":      {"<x>" + bes[len(declaration):] + bes[len(declaration):] + "</x>", string(token(t, a.TSA(), covered, a.Now)), nil},
		"not XML":             {"x", "", nil},
	} {
		if out, err := AddTimestamp([]byte(c.doc), []byte(c.token)); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
	deep := signedBy(t, a, person, besKind, "<r>"+bes[len(declaration):]+"</r>", "", "")
	if _, err := parsed(t, deep).TimestampInput(); !errors.Is(err, ErrProfile) {
		t.Errorf("beside a signature that stands deep: %v", err)
	}
	// A time-stamp before the time the signer claims is said.
	early := token(t, a.TSA(), covered, moment.Add(-time.Hour))
	out, err := AddTimestamp([]byte(bes), early)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := parsed(t, string(out)).VerifyOne(); err != nil || !slices.Contains(v.XAdES.Warnings, "the signer claims a later time than the time-stamp") {
		t.Errorf("early time-stamp: %v, %+v", err, v)
	}
	weak, err := AddTimestamp([]byte(bes), tokenOver(t, a.TSA(), tsp.NewImprint(algid.SHA1, covered), a.Now))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := parsed(t, string(weak)).VerifyOne(); err != nil || strings.Join(v.XAdES.Warnings, "; ") != "the time-stamp is over a SHA-1 digest, which is weak" {
		t.Errorf("SHA-1: %v, %+v", err, v)
	}
	// Without a canonical form named, the inclusive one is meant; and DER may be said.
	bare := strings.NewReplacer(`<xades:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="`+uriInclusive+`"/>`, "<xades:SignatureTimeStamp>",
		"<xades:EncapsulatedTimeStamp>", `<xades:EncapsulatedTimeStamp Encoding="`+encodingDER+`">`).Replace(stamped(t, a, bes))
	if v, err := parsed(t, bare).VerifyOne(); err != nil || v.XAdES.Level != LevelT {
		t.Errorf("default form: %v", err)
	}
	// The form that is named is the form that is checked.
	d := parsed(t, bes)
	_, q, err := d.newest()
	if err != nil {
		t.Fatal(err)
	}
	s, err := readSignature(d.allSignatures()[0])
	if err != nil {
		t.Fatal(err)
	}
	exclusive := token(t, a.TSA(), method{exclusive: true}.canonicalize(s.valueNode), a.Now)
	foreign := d.edited(edit{q.signed.end, q.signed.end, `<xades:UnsignedProperties><xades:UnsignedSignatureProperties><xades:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="` +
		uriExclusive + `"/><xades:EncapsulatedTimeStamp>` + layout{}.text(exclusive) + `</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp></xades:UnsignedSignatureProperties></xades:UnsignedProperties>`})
	if v, err := parsed(t, string(foreign)).VerifyOne(); err != nil || v.XAdES.Level != LevelT {
		t.Errorf("exclusive form: %v", err)
	}
}

// bareValue is the signature without its element, which CAdES would stamp.
func bareValue(t *testing.T, doc string) []byte {
	t.Helper()
	s, err := readSignature(parsed(t, doc).allSignatures()[0])
	if err != nil {
		t.Fatal(err)
	}
	return s.value
}

// personToken is over the right bytes, but signed by a person.
func personToken(t *testing.T, a *pkitest.Authority, covered []byte) []byte {
	t.Helper()
	good, err := cms.Parse(token(t, a.TSA(), covered, a.Now))
	if err != nil {
		t.Fatal(err)
	}
	l := a.Individual()
	out, err := cms.Sign(random, cms.Options{Key: l.Key, Certificate: l.Certificate, Content: good.Content(), ContentType: good.ContentType(), SigningTime: a.Now})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func FuzzIssuerSerial(f *testing.F) {
	good, err := issuerSerial{[]byte{0x30, 0}, big.NewInt(5)}.marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		s, ok := readIssuerSerial(in)
		if !ok {
			return
		}
		if out, err := s.marshal(); err != nil || !bytes.Equal(out, in) {
			t.Fatalf("read %x, wrote %x: %v", in, out, err)
		}
	})
}

// FuzzVerify changes signed documents. Whatever still verifies covers exactly the document signed, and
// verifies again in its canonical form.
func FuzzVerify(f *testing.F) {
	a := pkitest.New(f)
	l := a.Individual()
	const r = "<r><sum>1</sum></r>"
	for _, k := range kinds {
		f.Add([]byte(signedBy(f, a, l, k, r, "", "")))
	}
	f.Add([]byte(signedBy(f, a, l, besKind, signedBy(f, a, l, tKind, r, "", ""), "", "")))
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := Parse(in)
		if err != nil {
			return
		}
		vs, err := d.Verify()
		if err != nil {
			return
		}
		if last := vs[len(vs)-1]; string(last.Signed) != r {
			t.Fatalf("verifies over %s", last.Signed)
		}
		canonical, err := Canonicalize(in, false)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(canonical)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Verify(); err != nil {
			t.Fatalf("canonical form does not verify: %v", err)
		}
	})
}
