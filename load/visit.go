package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"senim/internal/robot"
)

// answer is how long one page took, to its last byte.
type answer struct {
	path string
	took time.Duration
}

// visit signs everybody in, lets them read for the time of the plan, and prints what they waited.
func (p plan) visit(ctx context.Context, sys *robot.System, out io.Writer) error {
	people, err := signIn(ctx, sys, p.users)
	if err != nil {
		return err
	}
	if err := p.open(ctx, sys, people); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, p.during)
	defer stop()
	answers := make([][]answer, len(people))
	failed := make([]error, len(people))
	var all sync.WaitGroup
	begin := time.Now()
	for i, who := range people {
		all.Go(func() { answers[i], failed[i] = p.read(ctx, sys.Cabinet, who) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	return p.report(out, slices.Concat(answers...), time.Since(begin))
}

// open finds which pages each person may open, and refuses a plan with a page nobody may: it would be fast
// for nothing.
func (p plan) open(ctx context.Context, sys *robot.System, people []*person) error {
	open := map[string]bool{}
	known := map[int][]string{} // by key
	for _, who := range people {
		if _, done := known[who.key]; !done {
			for _, path := range p.pages {
				if _, err := fetch(ctx, who.client, sys.Cabinet+path); err == nil {
					known[who.key] = append(known[who.key], path)
					open[path] = true
				} else if ctx.Err() != nil {
					return err
				}
			}
		}
		if who.pages = known[who.key]; len(who.pages) == 0 {
			return errors.New("one of the keys opens none of the pages")
		}
	}
	for _, path := range p.pages {
		if !open[path] {
			return fmt.Errorf("%s: nobody may open it", path)
		}
	}
	return nil
}

// read is one person: a page, a pause, a page, in an order of his own, until the time is over.
func (p plan) read(ctx context.Context, site string, who *person) (all []answer, err error) {
	if !pause(ctx, time.Duration(rand.Int64N(int64(p.think)+1))) { //nolint:gosec // nothing secret: people do not begin together
		return nil, nil
	}
	for at := rand.IntN(len(who.pages)); ; at++ { //nolint:gosec // the same
		path := who.pages[at%len(who.pages)]
		took, err := fetch(ctx, who.client, site+path)
		if ctx.Err() != nil {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, answer{path, took})
		if !pause(ctx, p.think) {
			return all, nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// fetch gets a page whole; an answer that is no page is an error.
func fetch(ctx context.Context, c *http.Client, address string) (time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	took := time.Since(begin)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return 0, err
	}
	if at := res.Request.URL.Path; res.StatusCode != http.StatusOK || at == "/signin" {
		return 0, fmt.Errorf("%s: %s at %s", req.URL.Path, res.Status, at)
	}
	return took, nil
}

// report prints a line for each page and one for all, and fails when the plan's bound was missed.
func (p plan) report(out io.Writer, all []answer, during time.Duration) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(w, "page\tanswers\tmedian\tp99\tlongest\t")
	line := func(name string, took []time.Duration) time.Duration {
		slices.Sort(took)
		p99 := took[min(len(took)-1, len(took)*99/100)]
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t\n", name, len(took), round(took[len(took)/2]), round(p99), round(took[len(took)-1]))
		return p99
	}
	var worst time.Duration
	var every []time.Duration
	for _, path := range p.pages {
		var took []time.Duration
		for _, a := range all {
			if a.path == path {
				took = append(took, a.took)
			}
		}
		if len(took) == 0 {
			return fmt.Errorf("%s was never opened: give it more time", path)
		}
		worst = max(worst, line(path, took))
		every = append(every, took...)
	}
	line("all", every)
	if err := w.Flush(); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "%d people, a pause of %s: %.0f pages a second\n", p.users, p.think, float64(len(every))/during.Seconds())
	if worst > p.most {
		return fmt.Errorf("99 of 100 answers took up to %s; %s are allowed", round(worst), p.most)
	}
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
