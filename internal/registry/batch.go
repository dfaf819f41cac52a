package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"senim/internal/ident"
)

// Batch is records of one source as of one moment.
type Batch struct {
	Source string
	// Full: what the source has and the batch does not ends. Else only what is here changes.
	Full bool
	// AsOf is the moment the records describe. Required.
	AsOf time.Time
	// Previous is, of a batch that is not full, the AsOf of the load it follows. Clerks' batches
	// need none.
	Previous time.Time
	// SHA256 identifies the batch (hex; of the manifest); made of the content when empty.
	SHA256 string
	// Operator is a keyed hash of who brings it, or "system".
	Operator string

	Entities []LegalEntity
	Leaders  []Leader
	Persons  []Person
	Contacts []MobileContact `json:",omitempty"`
	// Taxpayers are of SourceTax.
	Taxpayers []Taxpayer `json:",omitempty"`
}

// Row codes of quarantine (registries.md §6).
const (
	RowBadNumber = "ROW_BAD_NUMBER"
	RowBadDate   = "ROW_BAD_DATE"
	RowDuplicate = "ROW_DUPLICATE"
	RowBadText   = "ROW_BAD_TEXT"
	RowBadKind   = "ROW_BAD_KIND"
	RowBadPhone  = "ROW_BAD_PHONE"
)

// Quarantined is a row that was not loaded.
type Quarantined struct {
	// File is entities, leaders, persons, contacts or taxpayers; Row counts from 1 in it.
	File string
	Row  int
	Code string
}

// checked is a batch without its bad rows, and with the leaders that dispute an organisation.
type checked struct {
	Batch
	disputed    map[ident.BIN]bool
	quarantined []Quarantined
}

// check takes out bad rows. Keys that stand twice take out both rows; two heads at once in one
// organisation are kept and marked, so that the answer is unknown and not the first.
func (b Batch) check(rules ident.Rules) checked {
	c := checked{Batch: b, disputed: map[ident.BIN]bool{}}
	c.Entities = sift(&c, "entities", b.Entities, func(e LegalEntity) string { return string(e.BIN) }, func(e LegalEntity) string {
		switch {
		case !admitted(rules, string(e.BIN)), e.HeadBIN != "" && !admitted(rules, string(e.HeadBIN)):
			return RowBadNumber
		case !slices.Contains([]Kind{LE, Branch, Rep, JointIPNR}, e.Kind), !slices.Contains([]Status{Active, Liquidation, Liquidated, Reorganised}, e.Status):
			return RowBadKind
		case !dates(e.Registered, e.Liquidated) || e.Registered == "":
			return RowBadDate
		case e.NameRU == "" || !plain(e.NameRU, e.NameKK, e.NameEN, e.AddressRU, e.AddressKK):
			return RowBadText
		}
		return ""
	})
	c.Leaders = sift(&c, "leaders", b.Leaders, func(l Leader) string { return string(l.BIN) + string(l.AppointedOn) + string(l.IIN) }, func(l Leader) string {
		switch {
		case !admitted(rules, string(l.BIN)), !admitted(rules, string(l.IIN)):
			return RowBadNumber
		case !dates(l.AppointedOn, l.DismissedOn) || l.AppointedOn == "" || l.DismissedOn != "" && l.DismissedOn < l.AppointedOn:
			return RowBadDate
		case l.Surname == "" || !plain(l.Surname, l.Name, l.Patronymic, l.Position):
			return RowBadText
		}
		return ""
	})
	c.Persons = sift(&c, "persons", b.Persons, func(p Person) string { return string(p.IIN) }, func(p Person) string {
		switch {
		case !admitted(rules, string(p.IIN)):
			return RowBadNumber
		case !dates(p.Born):
			return RowBadDate
		case p.Surname == "" || !plain(p.Surname, p.Name, p.Patronymic):
			return RowBadText
		}
		return ""
	})
	c.Contacts = sift(&c, "contacts", b.Contacts, func(m MobileContact) string { return string(m.IIN) }, func(m MobileContact) string {
		phone, err := ident.ParsePhone(string(m.Phone))
		switch {
		case !admitted(rules, string(m.IIN)):
			return RowBadNumber
		case err != nil || phone != m.Phone || !strings.HasPrefix(string(m.Phone), "+7"):
			return RowBadPhone
		case !dates(m.RegisteredOn):
			return RowBadDate
		}
		return ""
	})
	c.Taxpayers = sift(&c, "taxpayers", b.Taxpayers, func(t Taxpayer) string { return t.TIN }, func(t Taxpayer) string {
		switch {
		case !admitted(rules, t.TIN), t.HeadTIN != "" && !admitted(rules, t.HeadTIN),
			t.DirectorIIN != "" && !admitted(rules, string(t.DirectorIIN)), t.BudgetIIN != "" && !admitted(rules, string(t.BudgetIIN)):
			return RowBadNumber
		case !slices.Contains([]TaxpayerType{TaxNotSet, TaxIndividual, TaxEntrepreneur, TaxPrivateEnterprise, TaxStateEnterprise}, t.Type),
			!slices.Contains([]Practice{"", Lawyer, Bailiff, Mediator, Notary}, t.Practice):
			return RowBadKind
		case !dates(t.VATFrom, t.VATTo, t.IPFrom, t.IPTo):
			return RowBadDate
		case !plain(t.NameRU, t.NameKK, t.AddressRU, t.AddressKK, t.KOGD, t.VATSeries, t.VATNumber, t.BlockReason):
			return RowBadText
		}
		return ""
	})
	heads := map[ident.BIN]ident.IIN{}
	for _, l := range c.Leaders {
		if l.DismissedOn != "" {
			continue
		}
		if other, ok := heads[l.BIN]; ok && other != l.IIN {
			c.disputed[l.BIN] = true
		}
		heads[l.BIN] = l.IIN
	}
	return c
}

func sift[T any](c *checked, file string, rows []T, key func(T) string, bad func(T) string) []T {
	times := map[string]int{}
	for _, r := range rows {
		times[key(r)]++
	}
	var good []T
	for i, r := range rows {
		code := bad(r)
		if code == "" && times[key(r)] > 1 {
			code = RowDuplicate
		}
		if code == "" {
			good = append(good, r)
		} else {
			c.quarantined = append(c.quarantined, Quarantined{File: file, Row: i + 1, Code: code})
		}
	}
	return good
}

func admitted(rules ident.Rules, number string) bool {
	got, err := rules.AdmitIIN(number)
	return err == nil && string(got) == number
}

func dates(all ...Date) bool {
	for _, d := range all {
		if _, ok := ParseDate(string(d)); !ok {
			return false
		}
	}
	return true
}

// plain: UTF-8, at most 1000 characters, no control characters.
func plain(all ...string) bool {
	for _, s := range all {
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 1000 || strings.ContainsFunc(s, unicode.IsControl) {
			return false
		}
	}
	return true
}

// hash identifies a batch that came without a manifest.
func (b Batch) hash() (string, error) {
	if b.SHA256 != "" {
		return b.SHA256, nil
	}
	b.Operator = ""
	text, err := json.Marshal(b)
	if err != nil {
		return "", fmt.Errorf("hash batch: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
