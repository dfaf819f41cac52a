package notice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/internal/lang"
)

// memory is a store that keeps what it is told, and may fail.
type memory struct {
	deliveryTx
	reportTx

	stages map[string]bool
	sent   []Message
	events []string
	fail   map[string]error // by address
}

func (m *memory) Update(_ context.Context, f func(Tx) error) error {
	before := *m
	before.stages = map[string]bool{}
	for k, v := range m.stages {
		before.stages[k] = v
	}
	if err := f(m); err != nil {
		*m = before
		return err
	}
	return nil
}
func (m *memory) UpdateMany(ctx context.Context, f func(Tx) error) error       { return m.Update(ctx, f) }
func (m *memory) View(ctx context.Context, f func(Tx) error) error             { return f(m) }
func (m *memory) Outgoing(context.Context, int64) (Outgoing, error)            { return Outgoing{}, ErrNotFound }
func (m *memory) SaveOutgoing(context.Context, Outgoing) error                 { return nil }
func (m *memory) Received(context.Context, int64, time.Time) ([]string, error) { return nil, nil }
func (m *memory) Enqueue(context.Context, job.Job) error                       { return nil }
func (m *memory) Audit(_ context.Context, e audit.Event) error {
	m.events = append(m.events, e.Action+"("+e.Result+")")
	return e.Check()
}
func (m *memory) Examine(_ context.Context, set, stage string, _ time.Time) (bool, error) {
	first := !m.stages[set+stage]
	m.stages[set+stage] = true
	return first, nil
}
func (m *memory) ExamineAll(ctx context.Context, stage string, serials []string, at time.Time) (map[string]bool, error) {
	first := map[string]bool{}
	for _, serial := range serials {
		if ok, _ := m.Examine(ctx, serial, stage, at); ok {
			first[serial] = true
		}
	}
	return first, nil
}
func (m *memory) Ending(context.Context, Window, Place, int) ([]Place, error) { return nil, nil }
func (m *memory) Examined(context.Context, string, []string) (map[string]bool, error) {
	return nil, nil
}
func (m *memory) Notify(_ context.Context, msg Message) error {
	if err := m.fail[msg.To]; err != nil {
		return err
	}
	m.sent = append(m.sent, msg)
	return msg.Check()
}

// keySets is a list that may change as time passes.
type keySets struct {
	m   *memory
	all func(now time.Time) []KeySet
	now *time.Time
}

func (k keySets) list() []KeySet {
	all := k.all(*k.now)
	for i := range all {
		all[i].Serials, all[i].Others = []string{all[i].ID}, nil
		for _, o := range k.all(*k.now) {
			if o.Capacity == all[i].Capacity {
				all[i].Others = append(all[i].Others, o)
			}
		}
	}
	return all
}

func (k keySets) Due(_ context.Context, w Window, f func([]KeySet) error) error {
	var due []KeySet
	for _, s := range k.list() {
		if s.Legal == w.Legal && !s.NotAfter.Before(w.From) && s.NotAfter.Before(w.To) && !k.m.stages[s.ID+w.Stage] {
			due = append(due, s)
		}
	}
	return f(due)
}

func (k keySets) KeySet(_ context.Context, id string, _ Channel) (KeySet, error) {
	for _, s := range k.list() {
		if s.ID == id {
			return s, nil
		}
	}
	return KeySet{}, ErrNotFound
}

// world is a scanner over a memory and a clock.
type world struct {
	m   *memory
	now time.Time
	s   *Scanner
}

func newWorld(plan Plan, all func(now time.Time) []KeySet) *world {
	w := &world{m: &memory{stages: map[string]bool{}}}
	w.s = NewScanner(ScannerConfig{Store: w.m, Sets: keySets{w.m, all, &w.now}, Plan: plan, Now: func() time.Time { return w.now }})
	return w
}

// walk runs the scanner every 6 hours between two moments and tells on which days which messages went.
func (w *world) walk(t *testing.T, from, to time.Time) (days []string) {
	t.Helper()
	for w.now = from; w.now.Before(to); w.now = w.now.Add(6 * time.Hour) {
		n := len(w.m.sent)
		for range 3 { // NT-08: whoever and how often asks
			if err := w.s.Scan(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range w.m.sent[n:] {
			days = append(days, m.N+" "+w.now.In(lang.Astana).Format("02.01"))
		}
	}
	return days
}

func always(sets ...KeySet) func(time.Time) []KeySet {
	return func(time.Time) []KeySet { return slices.Clone(sets) }
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("went %q, want %q", got, want)
	}
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 11, 0, 0, 0, lang.Astana) }

func person(notAfter time.Time) KeySet {
	return KeySet{ID: "1", Capacity: "p", NotAfter: notAfter, SignIn: true, Signing: true, To: "p@example.kz", Phone: "+77010000001", Lang: lang.RU, Name: "А", Link: "https://x.example/"}
}

func legal(notAfter time.Time) KeySet {
	k := person(notAfter)
	k.Legal, k.Org, k.Role = true, "АО «ТЕСТ»", "директор"
	return k
}

func with(k KeySet, f func(*KeySet)) KeySet { f(&k); return k }

// lateApril is 30 April at 23:30 UTC: 1 May in Astana.
func lateApril() time.Time { return time.Date(2026, 4, 30, 23, 30, 0, 0, time.UTC) }

func TestNT01StagesOfAPerson(t *testing.T) {
	w := newWorld(Plan{}, always(person(lateApril())))
	want(t, w.walk(t, day(2026, 2, 1), day(2026, 7, 1)), "N-01 03.04", "N-01 17.04", "N-02 21.04", "N-01 24.04")
	if m := w.m.sent[0]; m.Vars["days"] != "28" || m.Vars["date"] != "2026-05-01" || m.About != "keyset:1" {
		t.Errorf("%+v", m)
	}
	if m := w.m.sent[2]; m.Channel != SMS || m.To != "+77010000001" || m.Vars["link"] != "" {
		t.Errorf("the short message: %+v", m)
	}
}

func TestNT02StagesOfAnOrganisation(t *testing.T) {
	w := newWorld(Plan{}, always(legal(time.Date(2026, 3, 31, 12, 0, 0, 0, lang.Astana))))
	want(t, w.walk(t, day(2026, 1, 1), day(2026, 6, 1)), "N-03 28.02", "N-03 17.03", "N-03 24.03")
	if slices.Contains(w.m.events, "notice.stopped(by-mail)") {
		t.Error("a message that is not due by rule is recorded as stopped")
	}
	w = newWorld(Plan{SMSAlways: true}, always(legal(time.Date(2026, 3, 31, 12, 0, 0, 0, lang.Astana))))
	want(t, w.walk(t, day(2026, 1, 1), day(2026, 6, 1)), "N-03 28.02", "N-03 17.03", "N-04 21.03", "N-03 24.03")
}

func TestNT03HeadGetsTheMessage(t *testing.T) {
	w := newWorld(Plan{}, always(with(legal(lateApril()), func(k *KeySet) { k.To, k.Lang, k.PhoneLang = "", lang.RU, lang.EN })))
	want(t, w.walk(t, day(2026, 3, 1), day(2026, 6, 1)), "N-04 21.04")
	if m := w.m.sent[0]; m.Vars["org"] == "" || m.Channel != SMS || m.Lang != lang.EN { // the head reads it, not the holder
		t.Errorf("%+v", m)
	}
}

// next is a set that can replace person's.
func next() KeySet {
	return KeySet{ID: "2", Capacity: "p", NotAfter: day(2027, 5, 1), SignIn: true, Signing: true}
}

func TestNT04SuccessorStops(t *testing.T) {
	w := newWorld(Plan{}, func(now time.Time) []KeySet {
		if now.Before(day(2026, 4, 10)) {
			return []KeySet{person(lateApril())}
		}
		return []KeySet{person(lateApril()), next()}
	})
	want(t, w.walk(t, day(2026, 3, 1), day(2026, 6, 1)), "N-01 03.04")
	if w.m.events[1] != "notice.stopped(successor)" {
		t.Errorf("%v", w.m.events)
	}
}

func TestNT05SuccessorAfterPlanning(t *testing.T) {
	late := false
	w := newWorld(Plan{}, func(time.Time) []KeySet {
		if late {
			return []KeySet{person(lateApril()), next()}
		}
		return []KeySet{person(lateApril())}
	})
	w.now = day(2026, 4, 3)
	for _, about := range []string{"keyset:1", "keyset-sms:1"} {
		late = false
		if why, err := w.s.Still(t.Context(), about); why != "" || err != nil {
			t.Errorf("before: %q %v", why, err)
		}
		late = true
		if why, err := w.s.Still(t.Context(), about); why != Successor || err != nil {
			t.Errorf("after: %q %v", why, err)
		}
	}
	late = false
	if why, err := w.s.Still(t.Context(), "keyset:9"); why != "gone" || err != nil {
		t.Errorf("gone: %q %v", why, err)
	}
	w.now = day(2026, 5, 1)
	if why, err := w.s.Still(t.Context(), "keyset:1"); why != "expired" || err != nil {
		t.Errorf("on the last day: %q %v", why, err)
	}
	if why, err := w.s.Still(t.Context(), "application:1"); why != "" || err != nil {
		t.Errorf("not ours: %q %v", why, err)
	}
}

func TestNT06HalfASuccessorDoesNotStop(t *testing.T) {
	half := with(next(), func(k *KeySet) { k.Signing = false })
	w := newWorld(Plan{}, always(person(lateApril()), half))
	want(t, w.walk(t, day(2026, 4, 12), day(2026, 4, 20)), "N-01 12.04", "N-01 17.04")
	other := with(half, func(k *KeySet) { k.ID, k.SignIn, k.Signing = "3", false, true })
	w = newWorld(Plan{}, always(person(lateApril()), half, other))
	want(t, w.walk(t, day(2026, 4, 12), day(2026, 4, 20)))
}

func TestNT07Stops(t *testing.T) {
	for why, f := range map[string]func(*KeySet){
		Revoked: func(k *KeySet) { k.Revoked = true }, OnHold: func(k *KeySet) { k.Held = true },
		"excluded": func(k *KeySet) { k.Ended = "excluded" }, "dismissed": func(k *KeySet) { k.Ended = "dismissed" },
		"head-changed": func(k *KeySet) { k.Ended = "head-changed" }, "liquidated": func(k *KeySet) { k.Ended = "liquidated" },
	} {
		w := newWorld(Plan{}, func(now time.Time) []KeySet {
			if now.Before(day(2026, 4, 10)) || !now.Before(day(2026, 4, 23)) && why == OnHold {
				return []KeySet{person(lateApril())}
			}
			return []KeySet{with(person(lateApril()), f)}
		})
		days := w.walk(t, day(2026, 3, 1), day(2026, 6, 1))
		if why == OnHold { // lifted: the later stage goes again
			want(t, days, "N-01 03.04", "N-01 24.04")
		} else {
			want(t, days, "N-01 03.04")
		}
		if !slices.Contains(w.m.events, "notice.stopped("+why+")") {
			t.Errorf("%s: %v", why, w.m.events)
		}
	}
}

// What was looked at whole is not read again for an hour, unless another stage falls due.
func TestTheNextScanIsCheap(t *testing.T) {
	reads := 0
	w := newWorld(Plan{}, func(time.Time) []KeySet { reads++; return []KeySet{person(lateApril())} })
	scan := func(at time.Time) (read bool) {
		t.Helper()
		had := reads
		w.now = at
		if err := w.s.Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
		return reads > had
	}
	begin := time.Date(2026, 4, 17, 9, 30, 0, 0, lang.Astana)
	for after, want := range []bool{true, false, false, true, false, false, false, false, false, true} { // the fourth is at ten: a stage falls due
		if got := scan(begin.Add(time.Duration(after) * 10 * time.Minute)); got != want {
			t.Errorf("after %d minutes: read %v", after*10, got)
		}
	}
	if len(w.m.sent) != 2 { // that of 28 days, and at ten that of 14
		t.Errorf("%d sent", len(w.m.sent))
	}
}

func TestNT11MissedStagesAreDropped(t *testing.T) {
	w := newWorld(Plan{}, always(person(lateApril())))
	want(t, w.walk(t, day(2026, 4, 17), day(2026, 4, 20)), "N-01 17.04")
	if w.m.sent[0].Vars["days"] != "14" {
		t.Errorf("%v", w.m.sent[0].Vars)
	}
}

func TestNT12AddressGivenLate(t *testing.T) {
	w := newWorld(Plan{}, func(now time.Time) []KeySet {
		return []KeySet{with(person(lateApril()), func(k *KeySet) {
			if now.Before(day(2026, 4, 22)) {
				k.To, k.Phone = "", ""
			}
		})}
	})
	want(t, w.walk(t, day(2026, 3, 1), day(2026, 6, 1)), "N-01 24.04")
	if !slices.Contains(w.m.events, "notice.stopped(no-address)") || !slices.Contains(w.m.events, "notice.stopped(no-phone)") {
		t.Errorf("%v", w.m.events)
	}
	// With eleven days left the phone still rings on the tenth.
	w = newWorld(Plan{}, func(now time.Time) []KeySet {
		return []KeySet{with(person(lateApril()), func(k *KeySet) {
			if now.Before(day(2026, 4, 20)) {
				k.To, k.Phone = "", ""
			}
		})}
	})
	want(t, w.walk(t, day(2026, 3, 1), day(2026, 6, 1)), "N-02 21.04", "N-01 24.04")
}

// A registry that cannot answer delays a short message and loses none.
func TestUnknownPhoneWaits(t *testing.T) {
	w := newWorld(Plan{}, func(now time.Time) []KeySet {
		return []KeySet{with(person(lateApril()), func(k *KeySet) {
			if now.Before(day(2026, 4, 23)) {
				k.Phone, k.PhoneUnknown = "", true
			}
		})}
	})
	want(t, w.walk(t, day(2026, 4, 18), day(2026, 4, 24)), "N-01 18.04", "N-02 23.04")
}

// I5: where letters come back the next stages go by short message.
func TestNT13NextStageBySMS(t *testing.T) {
	bad := func(k *KeySet) { k.EmailBad = true }
	w := newWorld(Plan{}, always(with(person(lateApril()), bad)))
	want(t, w.walk(t, day(2026, 4, 12), day(2026, 5, 2)), "N-02 12.04", "N-02 17.04", "N-02 21.04", "N-02 24.04")
	w = newWorld(Plan{}, always(with(legal(lateApril()), bad)))
	want(t, w.walk(t, day(2026, 4, 18), day(2026, 5, 2)), "N-04 18.04", "N-04 21.04", "N-04 24.04")
	w = newWorld(Plan{}, always(with(person(lateApril()), func(k *KeySet) { bad(k); k.Phone = "" })))
	want(t, w.walk(t, day(2026, 4, 12), day(2026, 5, 2)))
	if w.m.events[0] != "notice.stopped(bad-address)" {
		t.Errorf("%v", w.m.events)
	}
}

func TestNT22UnsubscribedStopsLettersOnly(t *testing.T) {
	w := newWorld(Plan{}, always(with(person(lateApril()), func(k *KeySet) { k.Unsubscribed = true })))
	want(t, w.walk(t, day(2026, 3, 1), day(2026, 6, 1)), "N-02 21.04")
	if w.m.events[0] != "notice.stopped(unsubscribed)" {
		t.Errorf("%v", w.m.events)
	}
	w.now = day(2026, 4, 3)
	if why, err := w.s.Still(t.Context(), "keyset:1"); why != Unsubscribed || err != nil {
		t.Errorf("%q %v", why, err)
	}
}

func TestNT31RevokedSuccessorResumes(t *testing.T) {
	w := newWorld(Plan{}, func(now time.Time) []KeySet {
		return []KeySet{person(lateApril()), with(next(), func(k *KeySet) { k.Revoked = !now.Before(day(2026, 4, 20)) })}
	})
	want(t, w.walk(t, day(2026, 3, 1), day(2026, 6, 1)), "N-02 21.04", "N-01 24.04")
}

func TestStop(t *testing.T) {
	old := person(day(2026, 5, 1))
	for name, c := range map[string]struct {
		others []KeySet
		want   string
	}{
		"alone":                          {[]KeySet{old}, ""},
		"a successor":                    {[]KeySet{old, next()}, Successor},
		"a personal key is no successor": {[]KeySet{old, with(next(), func(k *KeySet) { k.Capacity = "q" })}, ""},
		"an older one is no successor":   {[]KeySet{old, with(next(), func(k *KeySet) { k.NotAfter = day(2026, 4, 1) })}, ""},
		"one on hold is no successor":    {[]KeySet{old, with(next(), func(k *KeySet) { k.Held = true })}, ""},
	} {
		if got := Stop(old, c.others); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Settings move stages and the hour.
func TestPlanByHand(t *testing.T) {
	individual, err := ParseStages("2, 5")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(Plan{At: 15 * time.Hour, Individual: individual, SMSDay: -1}, always(person(lateApril())))
	want(t, w.walk(t, day(2026, 3, 1), day(2026, 6, 1)), "N-01 26.04", "N-01 29.04")
	for _, bad := range []string{"", "x", "0", "400", "13m", "7,,14"} {
		if _, err := ParseStages(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// Every end within reach lies in exactly one window of its stage, whatever the hour.
func TestWindowsAgreeWithDue(t *testing.T) {
	for _, now := range []time.Time{day(2026, 2, 28), day(2026, 3, 3).Add(-2 * time.Hour), time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC)} {
		windows := Plan{}.Windows(now)
		for n := -3; n < 40*24; n += 5 {
			end := now.Add(time.Duration(n) * time.Hour)
			for _, isLegal := range []bool{false, true} {
				for _, c := range []Channel{Email, SMS} {
					want := ""
					if s, ok := Due(Plan{}.Stages(end, isLegal, c), now, end); ok {
						want = s.Name
					}
					got := ""
					for _, w := range windows {
						if w.Legal == isLegal && w.Channel == c && !end.Before(w.From) && end.Before(w.To) {
							got += w.Stage
						}
					}
					if got != want {
						t.Errorf("at %v of %v legal %v %q: windows say %q, the rule %q", now, end, isLegal, c, got, want)
					}
				}
			}
		}
	}
}

// One set that fails does not stop the others, and is tried again.
func TestNT28OneBadSetDoesNotStopTheOthers(t *testing.T) {
	var sets []KeySet
	for n := range 20 {
		k := person(day(2026, 5, 1))
		k.ID, k.Capacity, k.To, k.Phone = fmt.Sprint(n), fmt.Sprint(n), fmt.Sprint(n)+"@example.kz", ""
		sets = append(sets, k)
	}
	w := newWorld(Plan{}, always(sets...))
	w.now, w.m.fail = day(2026, 4, 18), map[string]error{"7@example.kz": errors.New("no")}
	if err := w.s.Scan(t.Context()); err == nil || len(w.m.sent) != 19 {
		t.Errorf("%d sent, %v", len(w.m.sent), err)
	}
	w.m.fail = nil
	if err := w.s.Scan(t.Context()); err != nil || len(w.m.sent) != 20 {
		t.Errorf("%d sent, %v", len(w.m.sent), err)
	}
}
