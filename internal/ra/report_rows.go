package ra

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"senim/internal/lang"
	"senim/internal/sheet"
	"senim/pki"
)

// file is a report as it was made.
type file struct {
	content []byte
	rows    int
	staff   bool
}

// fileOf makes the file of a report.
func (o *Office) fileOf(ctx context.Context, r Report) (file, error) {
	rows := map[ReportKind]func(context.Context, Report) (table, error){
		ReportMine: o.reportMine, ReportExpiring: o.reportExpiring, ReportReplaced: o.reportReplaced,
		ReportWeeks: o.reportWeeks, ReportNoContact: o.reportNoContact, ReportLapsed: o.reportLapsed,
	}[r.Kind]
	if rows == nil {
		return file{}, fmt.Errorf("no such report")
	}
	t, err := rows(ctx, r)
	if err != nil {
		return file{}, err
	}
	now := o.c.Now()
	s := sheet.Sheet{Title: r.Lang.Text("reports.kind."+string(r.Kind), "days", r.Days), Empty: r.Lang.Text("reports.empty"), Lang: string(r.Lang),
		Made: now, Rows: t.rows, Lines: []string{t.whose, r.Lang.Text("reports.made_at", "at", r.Lang.DateTime(now))},
		Page: func(n, of string) string { return r.Lang.Text("reports.page", "page", n, "of", of) }}
	for _, c := range t.columns {
		s.Columns = append(s.Columns, sheet.Column{Title: r.Lang.Text("reports.column." + c.name), Width: c.width})
	}
	if len(s.Rows) > sheet.MaxRows {
		s.Rows = s.Rows[:sheet.MaxRows]
		s.Lines = append(s.Lines, r.Lang.Text("reports.cut", "shown", sheet.MaxRows, "all", len(t.rows)))
	}
	f := file{rows: len(s.Rows), staff: t.staff}
	if r.Format == ReportPDF {
		f.content, err = sheet.PDF(s)
		return f, err
	}
	var b bytes.Buffer
	err = sheet.CSV(&b, s)
	f.content = b.Bytes()
	return f, err
}

// table is a report before it is written down.
type table struct {
	// whose says for whom it is.
	whose string
	// staff: it tells of keys of the organisation's staff.
	staff   bool
	columns []column
	rows    [][]string
}

type column struct {
	name  string
	width float64
}

// keyWords are the facts of a key in words.
type keyWords struct{ name, company, role, kind, storage, state, reason string }

func (o *Office) wordsOf(t lang.Tag, k Key) keyWords {
	var w keyWords
	if c, err := pki.ParseCertificate(k.Raw); err == nil {
		h := c.Holder()
		w.name, w.company = h.CommonName, h.Organization
		if h.Given != "" {
			w.name += " " + h.Given
		}
		for _, r := range slices.Backward(h.Roles) {
			if key := "web.role." + r.String(); w.role == "" && lang.Has(key) {
				w.role = t.Text(key)
			}
		}
		w.kind = c.Key.String()
		w.storage = c.Storage.String()
		if key := "cabinet.storage." + w.storage; lang.Has(key) {
			w.storage = t.Text(key)
		}
	}
	now := o.c.Now()
	switch {
	case !k.RevokedAt.IsZero() && k.Reason == "certificateHold":
		w.state = t.Text("reports.state.hold")
	case !k.RevokedAt.IsZero():
		w.state = t.Text("reports.state.revoked", "date", t.Date(k.RevokedAt))
	case now.After(k.NotAfter):
		w.state = t.Text("reports.state.expired")
	case now.Before(k.NotBefore):
		w.state = t.Text("reports.state.not_yet")
	case k.ReplacedBy != "":
		w.state = t.Text("reports.state.replaced")
	default:
		w.state = t.Text("reports.state.valid")
	}
	if !k.RevokedAt.IsZero() {
		w.reason = t.Text("web.reason." + k.Reason)
	}
	return w
}

// reportMine: every key of the person, when and how issued.
func (o *Office) reportMine(ctx context.Context, r Report) (table, error) {
	t := table{columns: []column{{"serial", 5}, {"company", 3}, {"kind", 2}, {"storage", 2}, {"issued", 1.6}, {"how", 3.2}, {"until", 1.6}, {"state", 2.4}, {"reason", 2}}}
	keys, err := o.c.Keys.Of(ctx, r.IIN)
	if err != nil {
		return t, fmt.Errorf("list keys: %w", err)
	}
	came, err := o.Issuances(ctx, r.IIN, keys)
	if err != nil {
		return t, err
	}
	for _, k := range keys {
		w := o.wordsOf(r.Lang, k)
		t.whose = w.name
		t.rows = append(t.rows, []string{k.Serial, w.company, w.kind, w.storage, r.Lang.Date(k.NotBefore), r.Lang.Text(came[k.Serial].How),
			r.Lang.Date(k.NotAfter), w.state, w.reason})
	}
	return t, nil
}

// reportExpiring: keys of an organisation that end within some days and have no successor.
func (o *Office) reportExpiring(ctx context.Context, r Report) (table, error) {
	t := table{columns: []column{{"person", 4}, {"role", 3}, {"kind", 2}, {"until", 1.6}, {"reminded", 1.8}, {"application", 2.8}}}
	keys, err := o.c.Keys.OfCompany(ctx, r.BIN)
	if err != nil {
		return t, fmt.Errorf("list keys: %w", err)
	}
	now := o.c.Now()
	until := now.AddDate(0, 0, r.Days)
	keys = slices.DeleteFunc(keys, func(k Key) bool { return !k.Live(now) || k.NotAfter.After(until) || k.ReplacedBy != "" })
	slices.SortStableFunc(keys, func(a, b Key) int { return a.NotAfter.Compare(b.NotAfter) })
	applied, err := o.companyApplications(ctx, r.BIN)
	if err != nil {
		return t, err
	}
	reminded, err := o.reminded(ctx, keys)
	if err != nil {
		return t, err
	}
	for _, k := range keys {
		w := o.wordsOf(r.Lang, k)
		t.whose = w.company
		when := r.Lang.Text("reports.not_reminded")
		if at := reminded[setOf(k)]; !at.IsZero() {
			when = r.Lang.Date(at)
		}
		state := r.Lang.Text("reports.no_application")
		if a, ok := applied[k.IIN]; ok {
			state = r.Lang.Text("cabinet.state." + string(a.State))
		}
		t.rows = append(t.rows, []string{w.name, w.role, w.kind, r.Lang.Date(k.NotAfter), when, state})
	}
	return t, nil
}

// companyApplications are the newest applications for keys of an organisation that wait or were just issued, by person.
func (o *Office) companyApplications(ctx context.Context, bin string) (map[string]Application, error) {
	applied := map[string]Application{}
	err := o.c.Store.View(ctx, func(tx Tx) error {
		all, err := tx.OfCompany(ctx, bin) // latest first
		for _, a := range all {
			if _, had := applied[a.Subject.IIN]; !had && a.State != Draft && !a.State.Final() {
				applied[a.Subject.IIN] = a
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	return applied, nil
}

// setOf names the keys made together: reminders speak of the set.
func setOf(k Key) string {
	return k.IIN + "/" + k.BIN + "/" + k.NotAfter.UTC().Truncate(time.Hour).Format(time.RFC3339)
}

func (o *Office) reminded(ctx context.Context, keys []Key) (map[string]time.Time, error) {
	last := map[string]time.Time{}
	err := o.c.Store.View(ctx, func(tx Tx) error {
		for _, k := range keys {
			at, err := tx.Reminded(ctx, k.Serial)
			if err != nil {
				return err
			}
			if at.After(last[setOf(k)]) {
				last[setOf(k)] = at
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find reminders: %w", err)
	}
	return last, nil
}

// reportReplaced: keys with a successor that nobody revoked. A head sees those of his organisation.
func (o *Office) reportReplaced(ctx context.Context, r Report) (table, error) {
	t := table{columns: []column{{"person", 3}, {"old", 4.5}, {"new", 4.5}, {"days", 1.5}}}
	keys, err := o.c.Keys.Of(ctx, r.IIN)
	if err == nil && r.BIN != "" && o.Heads(ctx, r.IIN, r.BIN) {
		var staff []Key
		staff, err = o.c.Keys.OfCompany(ctx, r.BIN)
		t.staff = true
		keys = append(slices.DeleteFunc(keys, func(k Key) bool { return k.BIN == r.BIN }), staff...)
	}
	if err != nil {
		return t, fmt.Errorf("list keys: %w", err)
	}
	now := o.c.Now()
	for _, k := range keys {
		if k.ReplacedBy == "" || !k.Live(now) {
			continue
		}
		w := o.wordsOf(r.Lang, k)
		t.rows = append(t.rows, []string{w.name, k.Serial, k.ReplacedBy, itoa(int(k.NotAfter.Sub(now).Hours() / 24))})
	}
	return t, nil
}
