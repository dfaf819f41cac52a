package ra

import (
	"strings"
	"time"

	"senim/internal/lang"
	"senim/internal/paper"
	"senim/internal/trust"
)

// Issuance asks for keys without a valid one to sign with: an operator identifies the person at a desk.
const Issuance Kind = "issuance"

// The carriers that only a desk writes, by NCALayer's names.
const (
	EToken72K  Storage = "AKEToken72KStore"
	EToken5110 Storage = "AKEToken5110Store"
	JaCarta    Storage = "AKJaCartaStore"
	AKey       Storage = "AKAKEYStore"
)

// DeskStorages are the storages that keys may be written to at a desk.
func DeskStorages() []Storage {
	return []Storage{PKCS12, IDCard, Kaztoken, EToken72K, EToken5110, JaCarta, AKey}
}

// DeskRoles are the roles for which a desk takes applications.
func DeskRoles() []string {
	return []string{RoleIndividual, RoleHead, RoleSignRight, RoleFinance, RoleHR, RoleEmployee}
}

// Operator is who works at a desk, as his certificate names him.
type Operator struct {
	IIN, Serial string
	// Name is surname and initials: it stands on receipts.
	Name string
}

// Mark is what an operator signed, and when.
type Mark struct {
	Operator
	At     time.Time
	Signed []byte // the XML with its signature
	Hash   string // SHA-256 of it, hexadecimal
}

// Done reports whether the mark was made.
func (m Mark) Done() bool { return m.Hash != "" }

// Attorney is a notarised power of attorney: somebody else comes in the person's place.
type Attorney struct {
	Name, IIN      string
	Number, Notary string
	Date           string // YYYY-MM-DD
}

// Finding is what the first operator copies from the papers on his table.
type Finding struct {
	// Desk is the place's id in the installation's list.
	Desk string
	// Number and Expires (YYYY-MM-DD) are those of the identity document, which is the person's own
	// or, when Attorney is set, his representative's.
	Number, Expires           string
	Surname, Name, Patronymic string // of the applicant, as the papers write them
	// Attorney is nil when the person came himself.
	Attorney *Attorney
}

// Scan is a scan of the paper the person signed, kept sealed beside the application.
type Scan = paper.Scan

// Comparison is what the registries said of a person, and of the head's appointment.
type Comparison struct {
	Verdict trust.Verdict
	Code    string
	// Head: the mismatch is about the organisation and its head, not about the person.
	Head         bool
	AsOf         time.Time
	Source, Load string
}

// Overridable reports a mismatch that two operators may pass over. A person who is dead or excluded
// is none, and neither is silence.
func (c Comparison) Overridable() bool {
	return c.Verdict == trust.Bad && c.Code != "PERSON_EXCLUDED"
}

func (c Comparison) evidence() map[string]string {
	e := map[string]string{}
	if !c.AsOf.IsZero() {
		e["d"] = c.AsOf.UTC().Format(time.RFC3339)
	}
	if c.Code == trust.CodeUnavailable {
		e["what"] = "web.check.registry"
	}
	return e
}

// Visit is a person's visit to a desk.
type Visit struct {
	Finding
	// By is the IIN of the operator who wrote the finding; only he signs it.
	By       string
	Scan     Scan
	Registry Comparison
	// First identified the person, Second approved. Override is why Second passed over a mismatch.
	First, Second Mark
	Override      string
}

// PaperDays is how many calendar days an application without a signature waits for its visit.
const PaperDays = 30

// paper reports an application that nobody signed with a key.
func (a *Application) paper() bool { return a.Kind == Issuance }

// Deadline is when a waiting application expires; zero when it does not wait. A paper one has whole
// days: it may be brought until the end of the thirtieth.
func (a *Application) Deadline(ttl time.Duration) time.Time {
	switch {
	case a.State != AwaitingDesk && a.State != AwaitingDirector:
		return time.Time{}
	case a.State == AwaitingDesk && a.paper():
		y, m, d := a.SignedAt.In(lang.Astana).Date()
		return time.Date(y, m, d+PaperDays+1, 0, 0, 0, 0, lang.Astana)
	}
	return a.SignedAt.Add(ttl)
}

// compare holds the papers and the application against the registries. The worst counts: silence of
// one is silence, and a mismatch in one is a mismatch.
func (a *Application) compare(f Finding, p PersonAnswer, h HeadAnswer) Comparison {
	c := Comparison{Verdict: trust.Good, AsOf: p.AsOf, Source: p.Source, Load: p.Load}
	bad := func(code string) Comparison {
		c.Verdict, c.Code = trust.Bad, code
		return c
	}
	silent := a.Subject.BIN != "" && h.unknown()
	switch {
	case p.Verdict == trust.Bad && p.Code == "PERSON_EXCLUDED":
		return bad(p.Code)
	case silent, p.Verdict != trust.Good && p.Verdict != trust.Bad:
		return Comparison{Verdict: trust.Unknown, Code: trust.CodeUnavailable}
	case p.Verdict == trust.Bad:
		if p.Code == "" {
			return bad("PERSON_UNKNOWN")
		}
		return bad(p.Code)
	case !sameName(f.Surname, p.Surname) || !sameName(f.Name, p.Name) || !sameName(f.Patronymic, p.Patronymic):
		return bad("NAME_DIFFERS")
	case a.Kind != Issuance && (!sameName(a.Subject.CommonName, p.Surname+" "+p.Name) || !sameName(a.Subject.Patronymic, p.Patronymic)):
		return bad("NAME_DIFFERS")
	case a.Subject.BIN == "":
		return c
	}
	c.AsOf, c.Source, c.Load = h.AsOf, h.Source, h.Load
	switch {
	case h.bad():
		c.Head = true
		return bad(h.code())
	case a.Role == RoleHead && h.IIN != a.Subject.IIN:
		c.Head = true
		return bad("HEAD_NOT_IN_REGISTRY")
	}
	return c
}

func sameName(a, b string) bool { return tidy(a) == tidy(b) }

// tidy is a name as registries write it.
func tidy(s string) string { return strings.ToUpper(strings.Join(strings.Fields(s), " ")) }
