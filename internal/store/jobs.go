package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"senim/internal/job"
)

// Enqueue asks for a job after this transaction commits. When it does not commit, there is no job.
func (t *tx) Enqueue(ctx context.Context, j job.Job) error {
	if len(j.Kind) < 2 {
		return fmt.Errorf("enqueue: job kind %q is shorter than two characters", j.Kind)
	}
	payload, err := json.Marshal(j.Payload)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", j.Kind, err)
	}
	at := j.At
	if !at.IsZero() { // by the store's clock, which may not be the machine's; River's is
		at = time.Now().Add(at.Sub(t.s.now()))
	}
	e := envelope{kind: j.Kind, priority: j.Priority, Unique: j.Unique, Payload: payload}
	if t.gather != nil && j.Unique == "" {
		t.gather.jobs = append(t.gather.jobs, asked{e, at})
		return nil
	}
	if err := t.c.insertJob(ctx, e, at); err != nil {
		return t.note(fmt.Errorf("enqueue %s: %w", j.Kind, err))
	}
	return nil
}

// handling is how jobs of one kind are done.
type handling struct {
	do func(ctx context.Context, payload []byte) error
	// bound is how long one try may take; 0 is the usual time.
	bound time.Duration
}

// timed is a job asked for at intervals.
type timed struct {
	every time.Duration
	job   job.Job
}

// Handle registers who does jobs of a kind. Call it before [Store.Start], once for each kind.
//
// A job is done at least once: f may be called again for work that is done already, and must
// notice. When f returns an error the job is tried again, later each time, for about three weeks;
// an error with a method Permanent() bool that gives true ends it. Error texts are kept with the
// job and logged: no personal data in them.
func (s *Store) Handle(kind string, f func(ctx context.Context, payload []byte) error) {
	s.HandleLong(kind, 0, f)
}

// HandleLong is [Store.Handle] for jobs that may take longer than two minutes: up to bound. One of a node that died
// counts as lost after ten minutes, or after bound when that is longer.
func (s *Store) HandleLong(kind string, bound time.Duration, f func(ctx context.Context, payload []byte) error) {
	s.jobs.Lock()
	defer s.jobs.Unlock()
	if _, taken := s.handled[kind]; taken || s.started || len(kind) < 2 {
		panic(fmt.Sprintf("store: Handle(%q): too late, taken, or too short", kind)) // a mistake of wiring
	}
	s.handled[kind] = handling{do: f, bound: bound}
}

// Every asks for a job again and again, the first time soon after [Store.Start]; of several nodes
// one does it. Call it before Start. j.Unique should be set, so that jobs do not pile up.
func (s *Store) Every(interval time.Duration, j job.Job) {
	s.jobs.Lock()
	defer s.jobs.Unlock()
	s.timed = append(s.timed, timed{interval, j})
}

// Start begins to run jobs, until [Store.Stop] or the end of ctx.
func (s *Store) Start(ctx context.Context) error {
	s.jobs.Lock()
	defer s.jobs.Unlock()
	if s.started {
		return errors.New("start jobs: started already")
	}
	stop, err := s.engine.work(ctx, crew{handled: s.handled, timed: s.timed})
	if err != nil {
		return fmt.Errorf("start jobs: %w", err)
	}
	s.started, s.stop = true, stop
	return nil
}

// Stop waits for the jobs that run, at most until ctx ends, and starts no more. Without a Start it
// does nothing.
func (s *Store) Stop(ctx context.Context) error {
	s.jobs.Lock()
	stop := s.stop
	s.stop, s.started = nil, false
	s.jobs.Unlock()
	if stop == nil {
		return nil
	}
	if err := stop(ctx); err != nil {
		return fmt.Errorf("stop jobs: %w", err)
	}
	return nil
}

// envelope is a job of any kind as River keeps it.
type envelope struct {
	kind     string
	priority int
	Unique   string          `json:"unique" river:"unique"`
	Payload  json.RawMessage `json:"payload"`
}

// Kind is River's name of the job.
func (e envelope) Kind() string { return e.kind }

func (e envelope) options(at time.Time) *river.InsertOpts {
	o := &river.InsertOpts{ScheduledAt: at, Priority: e.priority}
	if e.Unique != "" {
		o.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
			rivertype.JobStateRunning, rivertype.JobStateScheduled,
		}}
	}
	return o
}

// worker does the jobs of one kind.
type worker struct {
	river.WorkerDefaults[envelope]
	h handling
}

// Timeout is how long a try may take; 0 is the client's.
func (w *worker) Timeout(*river.Job[envelope]) time.Duration { return w.h.bound }

// Work calls the handler.
func (w *worker) Work(ctx context.Context, j *river.Job[envelope]) error {
	err := w.h.do(ctx, j.Args.Payload)
	var p interface{ Permanent() bool }
	if errors.As(err, &p) && p.Permanent() {
		return river.JobCancel(err)
	}
	return err
}

// crew is everything that is to be run.
type crew struct {
	handled map[string]handling
	timed   []timed
}

// inserting is the configuration of a client that only inserts.
func inserting(log *slog.Logger) *river.Config { return &river.Config{Logger: troubles(log)} }

func (w crew) config(log *slog.Logger) *river.Config {
	if len(w.handled) == 0 {
		return &river.Config{}
	}
	workers := river.NewWorkers()
	for kind, h := range w.handled {
		river.AddWorkerArgs(workers, envelope{kind: kind}, &worker{h: h})
	}
	c := &river.Config{
		Logger:                      troubles(log),
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 8}},
		Workers:                     workers,
		SkipUnknownJobCheck:         true,
		FetchCooldown:               50 * time.Millisecond,
		JobTimeout:                  2 * time.Minute,
		RescueStuckJobsAfter:        10 * time.Minute, // a node that died gives its jobs back
		DiscardedJobRetentionPeriod: 30 * 24 * time.Hour,
	}
	for _, t := range w.timed {
		c.PeriodicJobs = append(c.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(t.every),
			func() (river.JobArgs, *river.InsertOpts) {
				payload, err := json.Marshal(t.job.Payload)
				if err != nil {
					return nil, nil // a payload that is no JSON: nothing to insert
				}
				e := envelope{kind: t.job.Kind, Unique: t.job.Unique, Payload: payload}
				return e, e.options(time.Time{})
			}, &river.PeriodicJobOpts{RunOnStart: true}))
	}
	return c
}

func startClient[T any](ctx context.Context, d riverdriver.Driver[T], c *river.Config) (func(context.Context) error, error) {
	if c.Workers == nil { // no kind is handled here: this node only asks for jobs
		return func(context.Context) error { return nil }, nil
	}
	client, err := river.NewClient(d, c)
	if err != nil {
		return nil, err
	}
	if err := client.Start(ctx); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		if err := client.Stop(ctx); err != nil {
			return errors.Join(err, client.StopAndCancel(context.WithoutCancel(ctx)))
		}
		return nil
	}, nil
}

// troubles passes warnings and errors on: River also tells of every start and every five seconds
// of counts, which hides what an operator should see.
func troubles(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

func (w warnings) WithAttrs(as []slog.Attr) slog.Handler { return warnings{w.Handler.WithAttrs(as)} }
func (w warnings) WithGroup(name string) slog.Handler    { return warnings{w.Handler.WithGroup(name)} }

// quiet is for River's migrations, which log each step.
func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
