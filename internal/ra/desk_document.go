package ra

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"senim/internal/paper"
)

// DeskDocument writes what an operator signs: act is "identify" or "approve", override the second
// operator's reason. It names the application and revision, the papers, the scan, the requests and,
// for the second, the first operator's signature by their SHA-256.
func (a *Application) DeskDocument(act string, by Operator, override string) (string, error) {
	finding, err := json.Marshal(a.Visit.Finding)
	if err != nil {
		return "", fmt.Errorf("write a desk document: %w", err)
	}
	var b strings.Builder
	put := func(name, value string) {
		b.WriteString("<" + name + ">" + escape(value) + "</" + name + ">")
	}
	b.WriteString(`<desk version="1">`)
	put("act", act)
	put("number", a.Number)
	put("revision", itoa(a.Revision))
	put("name", strings.TrimSpace(a.Subject.CommonName+" "+a.Subject.Patronymic))
	put("iin", a.Subject.IIN)
	put("bin", a.Subject.BIN)
	put("role", a.Role)
	put("storage", string(a.Storage))
	put("email", a.Email)
	put("document", a.Visit.Number)
	put("expires", a.Visit.Expires)
	put("finding", hexSum(finding))
	put("scan", a.Visit.Scan.Hash)
	b.WriteString("<requests>")
	for _, r := range a.Requests {
		put("sha256", hexSum(r.CSR))
	}
	b.WriteString("</requests>")
	put("registry", string(a.Visit.Registry.Verdict)+" "+a.Visit.Registry.Code)
	if act == "approve" {
		put("first", a.Visit.First.Hash)
		put("override", override)
	}
	put("operator", by.IIN)
	b.WriteString("</desk>")
	return b.String(), nil
}

// Initials makes «ИВАНОВ И. П.» of a common name and a patronymic.
func Initials(commonName, patronymic string) string {
	words := strings.Fields(commonName + " " + patronymic)
	if len(words) == 0 {
		return ""
	}
	out := words[0]
	for _, w := range words[1:] {
		out += " " + string([]rune(w)[:1]) + "."
	}
	return out
}

// readScan tells what a scan is by its first bytes, and refuses everything else.
func readScan(b []byte) (Scan, error) {
	s, err := paper.Read(b)
	switch {
	case errors.Is(err, paper.ErrTooLarge):
		return s, refuse("SCAN_TOO_LARGE")
	case err != nil:
		return s, &Refusal{Code: "SCAN_INVALID", Err: err}
	}
	return s, nil
}
