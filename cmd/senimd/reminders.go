package main

import (
	"context"
	"errors"
	"flag"
	"time"

	"senim/internal/job"
	"senim/internal/notice"
	"senim/internal/ra"
)

// openReminders joins what plans letters with what it asks.
func (s *server) openReminders() {
	sets := keySets{ca: s.authority, office: s.office, book: s.book, notices: s.store.Notice(), here: s.ca != nil, link: s.c.cabinet.origin + "/keys"}
	s.scanner = notice.NewScanner(notice.ScannerConfig{Store: s.store.Notice(), Sets: sets, Plan: s.c.plan, Beside: s.office, Now: s.now})
}

// scanTime bounds one scan; what is left then is left for the next, which goes on where it was.
const scanTime = 8 * time.Minute

// handleReminders joins the jobs of reminders with who does them.
func (s *server) handleReminders() {
	s.store.HandleLong(notice.ScanKind, scanTime, s.scanner.Do)
	s.store.HandleLong(ra.JobDigest, scanTime, func(ctx context.Context, _ []byte) error { return s.office.SendLists(ctx) })
	s.store.Handle(ra.JobRemind, task(s.office.Remind))
	for _, kind := range []string{notice.ScanKind, ra.JobDigest} {
		s.store.Every(10*time.Minute, job.Job{Kind: kind, Unique: "all"})
	}
}

// planFlags are the settings of notifications.md §8 about when people are reminded.
func planFlags(f *flag.FlagSet, p *notice.Plan) {
	stages := func(to *[]notice.Before) func(string) error {
		return func(s string) (err error) {
			*to, err = notice.ParseStages(s)
			return err
		}
	}
	f.Func("notify.hour", "time of day in Astana at which reminders go (default: 10:00)", func(s string) error {
		at, err := time.Parse("15:04", s)
		if err != nil {
			return errors.New("it is a time of day as 10:00")
		}
		p.At = time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
		if p.At == 0 {
			p.At = time.Nanosecond // midnight itself is the zero of a plan
		}
		return nil
	})
	f.Func("notify.stages.individual", "days before the end at which persons get letters (default: 28,14,7)", stages(&p.Individual))
	f.Func("notify.stages.legal", "the same for organisations; 1m is a calendar month (default: 1m,14,7)", stages(&p.Legal))
	f.IntVar(&p.SMSDay, "notify.sms_day", 10, "days before the end at which a short message goes; -1 for none")
	f.BoolVar(&p.SMSAlways, "legal.sms_always", false, "send heads of organisations short messages even where letters arrive")
}
