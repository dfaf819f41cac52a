package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

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

	// Entities come with their leaders, as in files: of a state register, one that comes without any has none.
	Entities []LegalEntity
	Leaders  []Leader
	Persons  []Person
	Contacts []MobileContact `json:",omitempty"`
	// Taxpayers are of SourceTax.
	Taxpayers []Taxpayer `json:",omitempty"`
}

// checked is a batch without its bad rows, and with the leaders that dispute an organisation.
type checked struct {
	Batch
	disputed    map[ident.BIN]bool
	led         map[ident.BIN]bool // it came with a leader; of a refused row nobody knows whom it names
	quarantined []Quarantined
}

// check takes out bad rows. Keys that stand twice take out both rows; two heads at once in one
// organisation are kept and marked, so that the answer is unknown and not the first.
func (b Batch) check(rules ident.Rules) checked {
	c := checked{Batch: b, disputed: map[ident.BIN]bool{}, led: map[ident.BIN]bool{}}
	for _, l := range b.Leaders {
		c.led[l.BIN] = true
	}
	k := checker{rules}
	c.Entities = sift(&c, "entities", b.Entities, func(e LegalEntity) string { return string(e.BIN) }, k.entity)
	c.Leaders = sift(&c, "leaders", b.Leaders, func(l Leader) string { return string(l.BIN) + string(l.AppointedOn) + string(l.IIN) }, k.leader)
	c.Persons = sift(&c, "persons", b.Persons, func(p Person) string { return string(p.IIN) }, k.person)
	c.Contacts = sift(&c, "contacts", b.Contacts, func(m MobileContact) string { return string(m.IIN) }, k.contact)
	c.Taxpayers = sift(&c, "taxpayers", b.Taxpayers, func(t Taxpayer) string { return t.TIN }, k.taxpayer)
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

func sift[T any](c *checked, file string, rows []T, key func(T) string, bad func(T) (field, code string)) []T {
	times := map[string]int{}
	for _, r := range rows {
		times[key(r)]++
	}
	var good []T
	for i, r := range rows {
		field, code := bad(r)
		if code == "" && times[key(r)] > 1 {
			code = RowDuplicate
		}
		if code == "" {
			good = append(good, r)
		} else {
			c.quarantined = append(c.quarantined, Quarantined{File: file, Row: i + 1, Field: field, Code: code})
		}
	}
	return good
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
