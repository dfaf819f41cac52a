package registry_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"senim/cms"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/registry"
	"senim/internal/store"
	"senim/internal/store/storetest"
	"senim/internal/trust"
	"senim/pki"
)

// The cast: public test numbers.
const (
	headA, headB, clerk = "123456789012", "123456789011", "123456789013"
	companyX, companyY  = "123456789021", "123456789025"
)

func at(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, lang.Astana) }

// world is a registry that takes batches in, and those who sign them.
type world struct {
	t      *testing.T
	s      *store.Store
	book   *registry.Book
	imp    *registry.Importer
	ca     *pkitest.Authority
	signer *pkitest.Leaf
	now    time.Time
	status trust.Status // of every certificate
	log    *bytes.Buffer
	during func() // what happens, once, while a certificate is looked at
}

func (w *world) Status(context.Context, *pki.Certificate, *pki.Certificate, time.Time) trust.Status {
	if f := w.during; f != nil {
		w.during = nil
		f()
	}
	return w.status
}

// engines runs a test on a new database of each engine.
func engines(t *testing.T, f func(t *testing.T, w *world)) {
	for name, open := range map[string]func(*testing.T) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) { f(t, newWorld(t, open(t))) })
	}
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{t: t, s: s, now: at(2, 7), status: trust.Status{State: trust.StateGood, Source: "ocsp"}, log: &bytes.Buffer{}}
	clock := func() time.Time { return w.now }
	w.ca = pkitest.New(t, pkitest.Config{Now: w.now})
	w.signer = w.ca.Issue(pkitest.Spec{})
	var err error
	w.book, err = registry.New(registry.Config{Store: s.Registry(), Now: clock,
		Rules: ident.Rules{TestIdentities: []string{headA, headB, clerk, companyX, companyY}}})
	if err != nil {
		t.Fatal(err)
	}
	w.imp = w.importer("one", w.signer.Certificate)
	return w
}

func (w *world) importer(node string, signers ...*pki.Certificate) *registry.Importer {
	w.t.Helper()
	c := registry.ImportConfig{Book: w.book, Judge: w.judge(), Node: node, Log: slog.New(slog.NewTextHandler(w.log, nil))}
	for _, s := range signers {
		c.Signers = append(c.Signers, registry.SignerOf(s))
	}
	imp, err := registry.NewImporter(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return imp
}

// judge trusts the world's authority; in a world without one nobody.
func (w *world) judge() *trust.Judge {
	w.t.Helper()
	pool := pki.NewPool()
	if w.ca != nil {
		pool = w.ca.Pool()
	}
	j, err := trust.New(trust.Config{Pool: pool, Revocation: w, Now: func() time.Time { return w.now }})
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// batch is a batch to be written.
type batch struct {
	source, kind   string
	asOf, previous time.Time
	files          map[string]string
	rows           map[string]int // when not the lines of the file without its header
}

// files writes the batch, signed by leaf unless that is nil.
func (w *world) files(b batch, leaf *pkitest.Leaf) fstest.MapFS {
	w.t.Helper()
	type file struct {
		Name   string `json:"name"`
		Rows   int    `json:"rows"`
		SHA256 string `json:"sha256"`
	}
	m := map[string]any{"format": "senim-registry/1", "source": b.source, "kind": b.kind, "as_of": b.asOf.Format(time.RFC3339)}
	if !b.previous.IsZero() {
		m["previous"] = b.previous.Format(time.RFC3339)
	}
	out := fstest.MapFS{}
	var files []file
	for name, text := range b.files {
		sum := sha256.Sum256([]byte(text))
		rows, ok := b.rows[name]
		if !ok {
			rows = strings.Count(strings.TrimRight(text, "\r\n"), "\n")
			if strings.HasSuffix(name, ".jsonl") {
				rows++
			}
		}
		files = append(files, file{name, rows, hex.EncodeToString(sum[:])})
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	m["files"] = files
	if leaf != nil {
		m["signature"] = "manifest.p7s"
	}
	raw, err := json.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	out["manifest.json"] = &fstest.MapFile{Data: raw}
	if leaf != nil {
		der, err := cms.Sign(rand.Reader, cms.Options{Key: leaf.Key, Certificate: leaf.Certificate, Content: raw, Detached: true, SigningTime: w.now.Truncate(time.Second)})
		if err != nil {
			w.t.Fatal(err)
		}
		out["manifest.p7s"] = &fstest.MapFile{Data: der}
	}
	return out
}

func (w *world) receive(b batch) (registry.Import, error) {
	w.t.Helper()
	return w.imp.Receive(w.t.Context(), w.files(b, w.signer), registry.Receipt{})
}

// must loads a batch that comes into force at once.
func (w *world) must(b batch) registry.Import {
	w.t.Helper()
	i, err := w.receive(b)
	if err != nil || i.State != registry.Accepted {
		w.t.Fatalf("load: %s %s %v", i.State, i.Code, err)
	}
	return i
}

func (w *world) refused(i registry.Import, err error, code string) {
	w.t.Helper()
	r, ok := errors.AsType[*registry.ImportRefusal](err)
	if !ok || r.Code != code || i.State != registry.Refused && code != registry.LoadLoaded {
		w.t.Errorf("got %s %v, want %s", i.State, err, code)
	}
}

func (w *world) head(on time.Time, bin ident.BIN, iin ident.IIN) {
	w.t.Helper()
	if a := w.book.Head(w.t.Context(), bin, on); a.Verdict != registry.Good || a.Value.Leader.IIN != iin {
		w.t.Errorf("head on %s: %s %s, not as expected", on.Format(time.DateOnly), a.Verdict, a.Code)
	}
}

// events counts audit records of an action and a result; "" is any.
func (w *world) events(action, result string) (n int) {
	w.t.Helper()
	all, err := w.s.AuditRecords(w.t.Context(), w.s.Node(), 0, 1000)
	for _, r := range all {
		if r.Action == action && (result == "" || r.Result == result) {
			n++
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

const entityHeader = "bin;kind;name_ru;reg_status;reg_date;head_bin;leader_iin;leader_surname;leader_name;leader_position;appointed_on;dismissed_on\n"

func entityLine(bin, name, head, day string) string {
	return fmt.Sprintf("%s;LE;%s;ACTIVE;2012-04-05;;%s;ТЕСТОВ;ТЕСТ;Директор;%s;\n", bin, name, head, day)
}

// monday is a full load in which A heads X, and another company has a head.
func monday() batch {
	return batch{source: "gbdul", kind: "full", asOf: at(2, 5), files: map[string]string{
		"legal_entities.csv": entityHeader + entityLine(companyX, "АО «ТЕСТ»", headA, "2020-01-01") + entityLine(companyY, "ТОО «ДОСТЫК»", clerk, "2020-01-01")}}
}

// many is a full load of n companies, each with a head.
func many(n int, asOf time.Time) batch {
	var b strings.Builder
	b.WriteString(entityHeader)
	for i := range n {
		b.WriteString(entityLine(number(i, 4), fmt.Sprintf("ТОО «%d»", i), number(i, 0), "2020-01-01"))
	}
	return batch{source: "gbdul", kind: "full", asOf: asOf, files: map[string]string{"legal_entities.csv": b.String()}}
}

// number makes the n-th number whose check digit is right: of a company when fifth is 4, of a person when 0.
func number(n, fifth int) string {
	for try := n * 2; ; try++ {
		s := fmt.Sprintf("0101%d%06d", fifth, try)
		for d := range 10 {
			if whole := s + string(rune('0'+d)); ident.CheckDigit(whole) == nil {
				return whole
			}
		}
	}
}
