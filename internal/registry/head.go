package registry

import (
	"context"
	"time"

	"senim/internal/ident"
)

func (b *Book) head(ctx context.Context, tx Tx, bin ident.BIN, on Date, now time.Time) (Answer[Head], error) {
	e, err := b.entity(ctx, tx, bin, now)
	if err != nil {
		return Answer[Head]{}, err
	}
	a := Answer[Head]{Verdict: e.Verdict, Code: e.Code, Source: e.Source, LoadID: e.LoadID, RecordID: e.RecordID,
		AsOf: e.AsOf, LoadedAt: e.LoadedAt, Value: Head{Entity: e.Value}}
	if e.Verdict != Good && e.Code != NoHeadOffice {
		return a, nil
	}
	leaders, err := tx.Leaders(ctx, bin)
	if err != nil {
		return a, err
	}
	var words []testimony
	for _, source := range []string{SourceLegal, SourceClerk} {
		if w, ok := testify(leaders, source, on); ok {
			l, err := vouching(ctx, tx, source, w.brought)
			if err != nil {
				return a, err
			}
			if b.old(l, now) {
				return Answer[Head]{Verdict: Unknown, Code: TooOld, Source: source, AsOf: l.AsOf, LoadedAt: l.Received,
					LoadID: numbered(l.Number)}, nil
			}
			w.load = l
			words = append(words, w)
		}
	}
	if len(words) == 1 && words[0].source == SourceClerk {
		if t, ok, err := b.silence(ctx, tx, bin); err != nil {
			return a, err
		} else if ok {
			words = append(words, t)
		}
	}
	return b.dated(judge(a, words)), nil
}

// silence is what the state register says when it knows an organisation and names no leader: that nobody heads it. An
// older word of clerks does not stand against that.
func (b *Book) silence(ctx context.Context, tx Tx, bin ident.BIN) (t testimony, ok bool, err error) {
	kept, err := tx.Entity(ctx, bin)
	if err != nil {
		return t, false, err
	}
	for _, k := range kept {
		if k.Source == SourceLegal {
			t.source, ok = SourceLegal, true
			t.load, err = vouching(ctx, tx, SourceLegal, k.Load)
		}
	}
	return t, ok, err
}

// testimony is what one source says about the head of an organisation on a day.
type testimony struct {
	source   string
	load     Load
	record   int64
	brought  int64  // the load that brought it
	head     Leader // who heads it, or headed it last
	active   bool   // head is not dismissed
	next     Leader // appointed from a later day
	disputed bool
}

// testify reads the leaders of one source, earliest appointment first: the last appointed on or
// before the day heads it, unless dismissed; an earlier one left when the next was appointed.
func testify(leaders []KeptLeader, source string, on Date) (t testimony, ok bool) {
	t.source = source
	for _, k := range leaders {
		if k.Source != source {
			continue
		}
		ok = true
		if l := k.Value; l.AppointedOn > on {
			if t.next.IIN == "" {
				t.next = l
				if t.record == 0 {
					t.record, t.brought = k.Record, k.Load
				}
			}
		} else {
			t.disputed = k.Disputed || t.disputed && t.head.AppointedOn == l.AppointedOn
			t.head, t.record, t.brought = l, k.Record, k.Load
			t.active = l.IIN != "" && (l.DismissedOn == "" || l.DismissedOn > on)
		}
	}
	return t, ok
}

// judge weighs the testimonies of the sources (rule V4). A source that is older, and whose head was
// appointed earlier, merely does not know the change yet, and the newer one counts. Any other
// difference is SOURCES_DISAGREE: the head is unknown.
func judge(a Answer[Head], words []testimony) Answer[Head] {
	if len(words) == 0 {
		a.Verdict, a.Code = Bad, NoHead
		return a
	}
	t := words[0]
	if len(words) == 2 {
		switch u := words[1]; {
		case t.head.IIN == u.head.IIN && t.active == u.active:
			if u.load.AsOf.After(t.load.AsOf) {
				t = u
			}
		case u.knowsLaterThan(t):
			t = u
		case t.knowsLaterThan(u):
		default:
			a.Verdict, a.Code, a.Value = Unknown, SourcesDisagree, Head{}
			a.Detail = map[string]string{"a": t.source, "d1": t.load.AsOf.UTC().Format(time.RFC3339),
				"b": u.source, "d2": u.load.AsOf.UTC().Format(time.RFC3339)}
			return a
		}
	}
	if t.disputed {
		a.Verdict, a.Code, a.Value = Unknown, TwoHeads, Head{}
		return a
	}
	a.Source, a.LoadID, a.RecordID = t.source, numbered(t.load.Number), numbered(t.record)
	a.AsOf, a.LoadedAt = t.load.AsOf, t.load.Received
	a.Value.Leader, a.Value.Next = t.head, t.next
	switch {
	case t.active:
		a.Verdict, a.Code = Good, ""
	case t.head.IIN == "" && t.next.IIN != "":
		a.Verdict, a.Code = Bad, HeadFuture
	default:
		a.Verdict, a.Code = Bad, NoHead
	}
	return a
}

// knowsLaterThan: a newer source that names a later appointment, or a later dismissal of the same
// person, knows what the older could not.
func (t testimony) knowsLaterThan(u testimony) bool {
	if !t.load.AsOf.After(u.load.AsOf) {
		return false
	}
	return t.head.AppointedOn > u.head.AppointedOn || t.head.IIN == u.head.IIN && !t.active
}
