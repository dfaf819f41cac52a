package ra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/internal/lang"
)

// The jobs of reports; their payload is [ReportTask].
const (
	// JobReport makes a report: the handler calls [Office.MakeReport].
	JobReport = "ra.report"
	// JobReportWipe forgets its contents when the link ends: [Office.WipeReport].
	JobReportWipe = "ra.report_wipe"
)

// ReportTask names a report.
type ReportTask struct {
	ID string `json:"id"`
}

// ReportKind is what a report is about.
type ReportKind string

// The reports of cabinet.md §14.
const (
	// ReportMine: every key of the person, when and how issued.
	ReportMine ReportKind = "mine"
	// ReportExpiring: keys of an organisation that end soon, for its head.
	ReportExpiring ReportKind = "expiring"
	// ReportReplaced: keys with a successor that are still valid, the person's own or, for a head, his organisation's.
	ReportReplaced ReportKind = "replaced"
	// ReportWeeks: how many keys end in each of the coming weeks, and for how many nobody can be written to.
	ReportWeeks ReportKind = "weeks"
	// ReportNoContact: whose keys end soon and who cannot be written to; names, for the desk only.
	ReportNoContact ReportKind = "no_contact"
	// ReportLapsed: how many keys ended in the last 30 days without a successor.
	ReportLapsed ReportKind = "lapsed"
)

// forOperators reports a kind that only operators may ask for.
func (k ReportKind) forOperators() bool {
	switch k {
	case ReportWeeks, ReportNoContact, ReportLapsed:
		return true
	case ReportMine, ReportExpiring, ReportReplaced:
	}
	return false
}

// ReportFormat is the form of a report.
type ReportFormat string

// The forms.
const (
	ReportCSV ReportFormat = "csv"
	ReportPDF ReportFormat = "pdf"
)

// ReportTTL is how long a finished report can be fetched; its contents are wiped then.
const ReportTTL = 24 * time.Hour

// reportsPerDay bounds what one person may ask for.
const reportsPerDay = 20

// Report is a report somebody asked for.
type Report struct {
	// ID is random; knowing it is not enough, the report is for IIN alone.
	ID       string
	Kind     ReportKind
	Format   ReportFormat
	Lang     lang.Tag
	IIN, BIN string
	// Operator: asked for at the desk.
	Operator bool
	// Days bounds [ReportExpiring]: 30, 14 or 7.
	Days int
	// Staff: keys of the organisation's staff stand in it, so it is for its head.
	Staff   bool
	Created time.Time
	// Made is zero until it is ready; Expires is when it is wiped.
	Made, Expires time.Time
	Rows          int
	// Content is the file; nil until made and after it was wiped. The store keeps it sealed.
	Content []byte
}

// Ready reports whether the file can be fetched.
func (r Report) Ready(now time.Time) bool { return !r.Made.IsZero() && now.Before(r.Expires) }

// Over reports a report whose file is gone.
func (r Report) Over(now time.Time) bool { return !r.Made.IsZero() && !now.Before(r.Expires) }

// reportTx keeps reports.
type reportTx interface {
	// PutReport writes a report, new or changed, with its contents sealed.
	PutReport(ctx context.Context, r Report) error
	// Report reads one with its contents; [ErrNotFound].
	Report(ctx context.Context, id string) (Report, error)
	// Reports lists a person's reports since a moment, latest first, without contents.
	Reports(ctx context.Context, iin string, since time.Time) ([]Report, error)
	// Reminded is when the last reminder about a key was sent; zero for never.
	Reminded(ctx context.Context, serial string) (time.Time, error)
}

// ReportAsk says which report is wanted.
type ReportAsk struct {
	Kind     ReportKind
	Format   ReportFormat
	Days     int
	Lang     lang.Tag
	Operator bool
}

// check refuses what is not offered.
func (a ReportAsk) check() error {
	kinds := []ReportKind{ReportMine, ReportExpiring, ReportReplaced, ReportWeeks, ReportNoContact, ReportLapsed}
	switch {
	case !slices.Contains(kinds, a.Kind), a.Format != ReportCSV && a.Format != ReportPDF,
		a.Kind == ReportExpiring && !slices.Contains([]int{30, 14, 7}, a.Days):
		return refuse("REPORT_UNKNOWN")
	}
	return nil
}

// mayReport refuses a report its asker may not see.
func (o *Office) mayReport(ctx context.Context, r Report) error {
	switch {
	case r.Kind.forOperators() && !r.Operator,
		(r.Kind == ReportExpiring || r.Staff) && !o.Heads(ctx, r.IIN, r.BIN):
		return refuse("REPORT_NOT_YOURS")
	}
	return nil
}

// Type is the media type of a format.
func (f ReportFormat) Type() string {
	if f == ReportPDF {
		return "application/pdf"
	}
	return "text/csv; charset=utf-8"
}

// FileName is what the file of a report is called.
func (r Report) FileName() string {
	return "senim-" + string(r.Kind) + "-" + r.Made.UTC().Format(time.DateOnly) + "." + string(r.Format)
}

// AskReport asks for a report; a job makes it.
func (o *Office) AskReport(ctx context.Context, who Viewer, ask ReportAsk) (Report, error) {
	if err := ask.check(); err != nil {
		return Report{}, err
	}
	now := o.c.Now()
	r := Report{ID: newID(), Kind: ask.Kind, Format: ask.Format, Lang: letterLang(ask.Lang), IIN: who.IIN, BIN: who.BIN,
		Operator: ask.Operator, Days: ask.Days, Created: now}
	if err := o.mayReport(ctx, r); err != nil {
		return Report{}, err
	}
	err := o.c.Store.Update(ctx, func(tx Tx) error {
		today, err := tx.Reports(ctx, who.IIN, now.Add(-24*time.Hour))
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(today, r.same); i >= 0 {
			r = today[i] // pressed twice
			return nil
		}
		if len(today) >= reportsPerDay {
			return refuse("TOO_MANY_REPORTS")
		}
		if err := tx.PutReport(ctx, r); err != nil {
			return err
		}
		return tx.Enqueue(ctx, job.Job{Kind: JobReport, Payload: ReportTask{r.ID}, Unique: r.ID})
	})
	if err != nil {
		return Report{}, fmt.Errorf("ask for a report: %w", err)
	}
	return r, nil
}

// same reports an earlier ask for the same that is still being made.
func (r Report) same(o Report) bool {
	return o.Made.IsZero() && r.Created.Sub(o.Created) < time.Minute && r.Kind == o.Kind && r.Format == o.Format && r.Days == o.Days &&
		r.BIN == o.BIN && r.Lang == o.Lang && r.Operator == o.Operator
}

// Reports lists a person's reports of the last days, latest first.
func (o *Office) Reports(ctx context.Context, iin string) (list []Report, err error) {
	err = o.c.Store.View(ctx, func(tx Tx) (err error) {
		list, err = tx.Reports(ctx, iin, o.c.Now().Add(-2*ReportTTL))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list reports: %w", err)
	}
	return list, nil
}

// FindReport gives a report, without its contents, to the person who asked for it. Everybody else's is
// answered like one that does not exist.
func (o *Office) FindReport(ctx context.Context, iin, id string) (Report, error) {
	var r Report
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		r, err = tx.Report(ctx, id)
		return err
	})
	if errors.Is(err, ErrNotFound) || err == nil && r.IIN != iin {
		return Report{}, refuse("REPORT_NOT_FOUND")
	}
	if err != nil {
		return Report{}, fmt.Errorf("find a report: %w", err)
	}
	r.Content = nil
	return r, nil
}

// Download gives the file of a report to the person who asked for it and still may see it, and records it. What was
// asked for at the desk is given at the desk only.
func (o *Office) Download(ctx context.Context, iin string, operator bool, id string) (Report, error) {
	r, err := o.FindReport(ctx, iin, id)
	if err != nil {
		return Report{}, err
	}
	if r.Operator && !operator {
		return Report{}, refuse("REPORT_NOT_FOUND")
	}
	if err := o.mayReport(ctx, r); err != nil {
		return Report{}, err
	}
	err = o.c.Store.Update(ctx, func(tx Tx) (err error) {
		if r, err = tx.Report(ctx, id); err != nil {
			return err
		}
		if !r.Ready(o.c.Now()) || r.Content == nil {
			return refuse("REPORT_OVER")
		}
		return tx.Audit(ctx, audit.Event{Action: "report.downloaded", Actor: tx.Hash(iin), Object: "report " + id, Result: "ok", Detail: r.detail()})
	})
	if err != nil {
		return Report{}, fmt.Errorf("download a report: %w", err)
	}
	return r, nil
}

func (r Report) detail() map[string]string {
	return map[string]string{"kind": string(r.Kind), "format": string(r.Format), "rows": itoa(r.Rows)}
}

// MakeReport makes a report that was asked for; one that is made stays as it is.
func (o *Office) MakeReport(ctx context.Context, t ReportTask) error {
	var r Report
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		r, err = tx.Report(ctx, t.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("make a report: %w", err)
	}
	if !r.Made.IsZero() {
		return nil
	}
	made, err := o.fileOf(ctx, r)
	if err != nil {
		return fmt.Errorf("make a report of kind %s: %w", r.Kind, err)
	}
	return o.c.Store.Update(ctx, func(tx Tx) error {
		r, err := tx.Report(ctx, t.ID)
		if err != nil || !r.Made.IsZero() {
			return err
		}
		r.Made = o.c.Now()
		r.Expires, r.Content, r.Rows, r.Staff = r.Made.Add(ReportTTL), made.content, made.rows, made.staff
		if err := tx.PutReport(ctx, r); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, job.Job{Kind: JobReportWipe, Payload: ReportTask{r.ID}, At: r.Expires, Unique: r.ID}); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "report.made", Actor: tx.Hash(r.IIN), Object: "report " + r.ID, Result: "ok", Detail: r.detail()})
	})
}

// WipeReport forgets the contents of a report whose link has ended.
func (o *Office) WipeReport(ctx context.Context, t ReportTask) error {
	return o.c.Store.Update(ctx, func(tx Tx) error {
		r, err := tx.Report(ctx, t.ID)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("wipe a report: %w", err)
		}
		if !r.Over(o.c.Now()) {
			return fmt.Errorf("wipe a report: its link lives until %s", r.Expires.UTC().Format(time.RFC3339))
		}
		r.Content = nil
		return tx.PutReport(ctx, r)
	})
}
