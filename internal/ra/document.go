package ra

import (
	"strings"
	"time"
)

// document writes the XML the applicant signs (R7). It names the exact requests by their SHA-256,
// so that the signature covers the new keys and everything that goes into the certificate.
func (a *Application) document(origin string, at time.Time) string {
	var b strings.Builder
	b.WriteString(`<application version="1">`)
	put := func(name, value string) {
		b.WriteString("<" + name + ">" + escape(value) + "</" + name + ">")
	}
	put("number", a.Number)
	put("revision", itoa(a.Revision))
	put("kind", string(a.Kind))
	put("name", a.Subject.CommonName)
	put("iin", a.Subject.IIN)
	if a.Subject.BIN != "" {
		put("bin", a.Subject.BIN)
		put("organization", a.Subject.Organization)
	}
	put("role", a.Role)
	put("email", a.Email)
	put("city", a.City)
	put("storage", string(a.Storage))
	b.WriteString("<requests>")
	for _, r := range a.Requests {
		put("sha256", hexSum(r.CSR))
	}
	b.WriteString("</requests>")
	put("signer", a.SignerSerial)
	put("replaces", a.Replaces)
	put("time", at.UTC().Format(time.RFC3339))
	put("origin", origin)
	b.WriteString("</application>")
	return b.String()
}

// escape writes text for XML element content; characters XML cannot hold become spaces.
func escape(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '&':
			b.WriteString("&amp;")
		case c == '<':
			b.WriteString("&lt;")
		case c == '>':
			b.WriteString("&gt;")
		case c < 0x20 || c == 0xfffe || c == 0xffff || c == 0xfffd:
			b.WriteByte(' ')
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
