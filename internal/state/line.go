package state

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"senim/internal/audit"
	"senim/internal/registry"
)

// How long answers are remembered; unknown ones never are.
const (
	goodKept   = 15 * time.Minute
	badKept    = time.Minute
	maxAnswers = 1 << 14
)

// remembered is an answer with the moment it is forgotten.
type remembered[T any] struct {
	answer registry.Answer[T]
	until  time.Time
}

// line is the way to one service: turns, rate, breaker, memory.
type line[T any] struct {
	s       *Services
	source  string
	turns   *semaphore.Weighted
	bucket  *rate.Limiter
	breaker *gobreaker.CircuitBreaker[registry.Answer[T]]
	kept    *otter.Cache[string, remembered[T]]
	silent  atomic.Int64 // since when it fails, Unix milliseconds; 0: it does not
}

func newLine[T any](s *Services, source string) *line[T] {
	b := s.c.Bounds
	l := &line[T]{s: s, source: source, turns: semaphore.NewWeighted(b.Turns), bucket: rate.NewLimiter(rate.Limit(b.Rate), max(1, int(b.Rate))),
		kept: otter.Must(&otter.Options[string, remembered[T]]{MaximumSize: maxAnswers, Executor: func(f func()) { f() },
			ExpiryCalculator: otter.ExpiryWriting[string, remembered[T]](goodKept)})}
	l.breaker = gobreaker.NewCircuitBreaker[registry.Answer[T]](gobreaker.Settings{
		Interval: b.Break, BucketPeriod: b.Break / 6, Timeout: b.Break,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.TotalFailures >= 5 },
		IsExcluded:    func(err error) bool { t, ok := errors.AsType[*trouble](err); return ok && t.calm },
		OnStateChange: l.switched,
	})
	return l
}

// switched records that the service is left alone, or asked again.
func (l *line[T]) switched(_ string, _, to gobreaker.State) {
	action := "registry.adapter.closed"
	if to == gobreaker.StateOpen {
		action = "registry.adapter.open"
	} else if to != gobreaker.StateClosed {
		return
	}
	l.s.c.Log.Warn("state service", "service", l.source, "state", to.String())
	if err := l.s.c.Audit(context.Background(), audit.Event{Action: action, Actor: "system", Object: "service:" + l.source, Result: "ok"}); err != nil {
		l.s.c.Log.Error("state service: not recorded", "service", l.source, "error", err)
	}
}

// ask answers from memory or from the service, and records the answer and who asked, by a keyed hash. number is what
// the answer is about; it is told to nobody but the service.
func (l *line[T]) ask(ctx context.Context, asker string, p registry.Purpose, number string, do func(context.Context) (registry.Answer[T], error)) registry.Answer[T] {
	begun := time.Now()
	a, had := l.recall(p, number)
	if !had {
		var err error
		if a, err = l.through(ctx, do); err != nil {
			a = l.unknown(err)
		} else {
			l.silent.Store(0)
			a.Source = l.source
			l.remember(number, a)
		}
	}
	result := a.Code
	if result == "" {
		result = "ok"
	}
	actor := "system"
	if asker != "" {
		actor = l.s.c.Hash(asker)
	}
	err := l.s.c.Audit(ctx, audit.Event{Action: "registry.answer.given", Actor: actor, Object: l.s.c.Hash(number), Result: result,
		Detail: map[string]string{"source": l.source, "purpose": string(p), "verdict": string(a.Verdict), "remembered": strconv.FormatBool(had),
			"ms": strconv.FormatInt(time.Since(begun).Milliseconds(), 10)}})
	if err != nil {
		l.s.c.Log.Error("state service: an answer could not be recorded, so it is not used", "service", l.source, "error", err)
		return registry.Answer[T]{Verdict: registry.Unknown, Code: Unrecorded, Source: l.source, Err: errors.New("the answer could not be recorded")}
	}
	return a
}

// through asks the service when its turn comes, unless it failed too often lately. Its error is always a trouble.
func (l *line[T]) through(ctx context.Context, do func(context.Context) (registry.Answer[T], error)) (registry.Answer[T], error) {
	a, err := l.breaker.Execute(func() (registry.Answer[T], error) { return l.turn(ctx, do) })
	if _, ok := errors.AsType[*trouble](err); err != nil && !ok { // the breaker is open, or lets one question through and it is not this one
		err = fail(Open, "it failed too often, and is left alone for a while")
	}
	return a, err
}

// turn waits for a turn and asks within the time there is.
func (l *line[T]) turn(ctx context.Context, do func(context.Context) (registry.Answer[T], error)) (none registry.Answer[T], err error) {
	busy := &trouble{code: Busy, why: "too many questions wait", calm: true}
	queue, cancel := context.WithTimeout(ctx, l.s.c.Bounds.Queue)
	defer cancel()
	if err := l.turns.Acquire(queue, 1); err != nil {
		return none, busy
	}
	defer l.turns.Release(1)
	if err := l.bucket.Wait(queue); err != nil {
		return none, busy
	}
	ctx, stop := context.WithTimeout(ctx, l.s.c.Bounds.Whole)
	defer stop()
	return do(ctx)
}

// unknown is the answer when there is none, with since when there is none.
func (l *line[T]) unknown(err error) registry.Answer[T] {
	a := registry.Answer[T]{Verdict: registry.Unknown, Source: l.source, Err: err}
	t, ok := errors.AsType[*trouble](err)
	if !ok {
		return a // there is none
	}
	if a.Code = t.code; t.alert {
		l.s.c.Log.Error("ALERT: a state service answered what must not be used", "service", l.source, "code", t.code, "why", t.why)
	}
	if !t.calm {
		l.silent.CompareAndSwap(0, l.s.c.Now().UnixMilli())
		a.Detail = map[string]string{"t": time.UnixMilli(l.silent.Load()).UTC().Format(time.RFC3339)}
	}
	return a
}

func (l *line[T]) recall(p registry.Purpose, number string) (a registry.Answer[T], ok bool) {
	if p.Fresh() {
		return a, false
	}
	r, ok := l.kept.GetIfPresent(number)
	return r.answer, ok && l.s.c.Now().Before(r.until)
}

func (l *line[T]) remember(number string, a registry.Answer[T]) {
	kept := goodKept
	if a.Verdict != registry.Good {
		kept = badKept
	}
	l.kept.Set(number, remembered[T]{a, l.s.c.Now().Add(kept)})
}
