package ca

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"senim/internal/audit"
	"senim/internal/job"
	"senim/pki"
)

// memory is a store in memory with fault points: the transaction numbered failAt fails, before it
// takes effect or after.
type memory struct {
	mu          sync.Mutex
	d           data
	writes      int
	failAt      int // 0 = never
	afterEffect bool
	views       int  // read transactions
	blind       bool // they fail
}

type data struct {
	authorities map[string]AuthorityRecord
	signers     []SignerRecord
	retired     []Retirement
	crosses     []CrossRecord
	requests    []RequestRecord
	records     map[string]Record
	revoked     map[string]revokedRow
	epoch       map[string]int64
	number      map[string]int64
	lists       []ListRecord
	jobs        []job.Job
	audit       []audit.Event
	profiles    []ProfileVersion
}

type revokedRow struct {
	ca    string
	epoch int64
	kept  time.Time
	// changed is when it was recorded, or last changed.
	changed time.Time
	Revocation
}

var errFault = errors.New("the store fails")

func newMemory() *memory {
	return &memory{d: data{authorities: map[string]AuthorityRecord{}, records: map[string]Record{}, revoked: map[string]revokedRow{},
		epoch: map[string]int64{}, number: map[string]int64{}}}
}

func (d data) clone() data {
	d.authorities, d.records, d.revoked = maps.Clone(d.authorities), maps.Clone(d.records), maps.Clone(d.revoked)
	d.epoch, d.number = maps.Clone(d.epoch), maps.Clone(d.number)
	d.retired, d.crosses, d.requests = slices.Clone(d.retired), slices.Clone(d.crosses), slices.Clone(d.requests)
	d.signers, d.lists = slices.Clone(d.signers), slices.Clone(d.lists)
	d.jobs, d.audit, d.profiles = slices.Clone(d.jobs), slices.Clone(d.audit), slices.Clone(d.profiles)
	return d
}

// Attend changes nothing here: nobody waits.
func (m *memory) Attend() (leave func()) { return func() {} }

func (m *memory) Update(ctx context.Context, f func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	fail := m.writes == m.failAt
	if fail && !m.afterEffect {
		return errFault
	}
	next := m.d.clone()
	if err := f(&memoryTx{&next}); err != nil {
		return err
	}
	m.d = next
	if fail {
		return errFault
	}
	return nil
}

func (m *memory) View(ctx context.Context, f func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.views++
	if m.blind {
		return errFault
	}
	d := m.d.clone()
	return f(&memoryTx{&d})
}

// look blinds the store, or opens its eyes, and tells how often it was read.
func (m *memory) look(blind bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blind = blind
	return m.views
}

// fail arms the fault for the n-th transaction from now.
func (m *memory) fail(n int, after bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes, m.failAt, m.afterEffect = 0, n, after
}

func (m *memory) snapshot() data {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.d.clone()
}

type memoryTx struct{ d *data }

func (t *memoryTx) AddAuthority(_ context.Context, a AuthorityRecord) error {
	if _, ok := t.d.authorities[a.Name]; ok {
		return ErrExists
	}
	t.d.authorities[a.Name] = a
	return nil
}

func (t *memoryTx) Authorities(context.Context) (all []AuthorityRecord, _ error) {
	for _, name := range slices.Sorted(maps.Keys(t.d.authorities)) {
		a := t.d.authorities[name]
		for _, r := range t.d.retired {
			if r.Name == name && a.Retired.IsZero() {
				a.Retired, a.Successor = r.At, r.Successor
			}
		}
		all = append(all, a)
	}
	return all, nil
}

func (t *memoryTx) SetSettings(_ context.Context, name string, settings []byte) error {
	a, ok := t.d.authorities[name]
	if !ok {
		return ErrNotFound
	}
	a.Settings = settings
	t.d.authorities[name] = a
	return nil
}

func (t *memoryTx) Retire(_ context.Context, r Retirement) error {
	t.d.retired = append(t.d.retired, r)
	return nil
}

func (t *memoryTx) AddCross(_ context.Context, c CrossRecord) error {
	t.d.crosses = append(t.d.crosses, c)
	return nil
}

func (t *memoryTx) Crosses(context.Context) ([]CrossRecord, error) { return t.d.crosses, nil }

func (t *memoryTx) AddRequest(_ context.Context, r RequestRecord) error {
	if _, err := t.Request(context.Background(), r.Name); err == nil {
		return ErrExists
	}
	t.d.requests = append(t.d.requests, r)
	return nil
}

func (t *memoryTx) Request(_ context.Context, name string) (RequestRecord, error) {
	for _, r := range t.d.requests {
		if r.Name == name {
			return r, nil
		}
	}
	return RequestRecord{}, ErrNotFound
}

func (t *memoryTx) AddSigner(_ context.Context, r SignerRecord) error {
	t.d.signers = append(t.d.signers, r)
	return nil
}

func (t *memoryTx) Signer(_ context.Context, ca, kind string) (best SignerRecord, err error) {
	err = ErrNotFound
	for _, r := range t.d.signers {
		if v, ok := t.d.revoked[r.Serial]; ok && v.Reason != pki.RemoveFromCRL {
			continue
		}
		if r.CA == ca && r.Kind == kind && (err != nil || r.NotAfter.After(best.NotAfter)) {
			best, err = r, nil
		}
	}
	return best, err
}

func (t *memoryTx) Restore(_ context.Context, r Record) error {
	old, ok := t.d.records[r.Serial]
	if !ok {
		return ErrNotFound
	}
	r.CA, r.Order, r.Created, r.Replaces, r.Revoked, r.ReplacedBy = old.CA, old.Order, old.Created, old.Replaces, nil, ""
	t.d.records[r.Serial] = r
	return nil
}

func (t *memoryTx) LastListNumber(_ context.Context, ca string) (int64, error) {
	return t.d.number[ca], nil
}

func (t *memoryTx) RaiseListNumber(_ context.Context, ca string, n int64) error {
	t.d.number[ca] = max(t.d.number[ca], n)
	return nil
}

func (t *memoryTx) AddProfile(_ context.Context, v ProfileVersion) error {
	t.d.profiles = append(t.d.profiles, v)
	return nil
}

func (t *memoryTx) EndProfile(_ context.Context, name string, went time.Time) error {
	for i, v := range t.d.profiles {
		if v.Name == name && v.Went.IsZero() {
			t.d.profiles[i].Went = went
			return nil
		}
	}
	return ErrNotFound
}

func (t *memoryTx) ProfileVersions(_ context.Context, past bool) (all []ProfileVersion, _ error) {
	for _, v := range t.d.profiles {
		if past || v.Went.IsZero() {
			all = append(all, v)
		}
	}
	return all, nil
}

func (t *memoryTx) Reserve(_ context.Context, r Record) error {
	for _, o := range t.d.records {
		if o.Serial == r.Serial || o.Order == r.Order || o.Key == r.Key {
			return ErrExists
		}
	}
	t.d.records[r.Serial] = r
	return nil
}

func (t *memoryTx) Advance(_ context.Context, r Record) error {
	old, ok := t.d.records[r.Serial]
	if !ok {
		return ErrNotFound
	}
	r.Order, r.Key, r.Profile = old.Order, old.Key, old.Profile
	r.Revoked, r.ReplacedBy = nil, ""
	t.d.records[r.Serial] = r
	return nil
}

func (t *memoryTx) read(r Record) Record {
	if v, ok := t.d.revoked[r.Serial]; ok && v.Reason != pki.RemoveFromCRL {
		r.Revoked = &v.Revocation
	}
	for _, o := range t.d.records {
		if o.Replaces == r.Serial && o.State == Done {
			r.ReplacedBy = o.Serial
		}
	}
	return r
}

func (t *memoryTx) find(f func(Record) bool) ([]Record, error) {
	var all []Record
	for _, serial := range slices.Sorted(maps.Keys(t.d.records)) {
		if r := t.d.records[serial]; f(r) {
			all = append(all, t.read(r))
		}
	}
	return all, nil
}

func (t *memoryTx) first(f func(Record) bool) (Record, error) {
	all, _ := t.find(f)
	if len(all) == 0 {
		return Record{}, ErrNotFound
	}
	return all[0], nil
}

func (t *memoryTx) Followed(_ context.Context, serial, order string) (bool, error) {
	all, err := t.find(func(r Record) bool {
		open := r.State == Reserved || r.State == Intended || r.State == Done
		return open && r.Replaces == serial && r.Order != order && (r.Revoked == nil || r.Revoked.Reason == CertificateHold)
	})
	return len(all) > 0, err
}

func (t *memoryTx) ByOrder(_ context.Context, order string) (Record, error) {
	return t.first(func(r Record) bool { return r.Order == order })
}

func (t *memoryTx) BySerial(_ context.Context, serial string) (Record, error) {
	r, ok := t.d.records[serial]
	if !ok {
		return r, ErrNotFound
	}
	return t.read(r), nil
}

func (t *memoryTx) Status(ctx context.Context, serial string) (Record, error) {
	r, err := t.BySerial(ctx, serial)
	return Record{CA: r.CA, Serial: r.Serial, State: r.State, NotAfter: r.NotAfter, Revoked: r.Revoked}, err
}

func (t *memoryTx) Changed(_ context.Context, ca string, since int64, limit int) (int64, []string, error) {
	var serials []string
	for serial, v := range t.d.revoked {
		if v.ca == ca && v.epoch > since && len(serials) < limit {
			serials = append(serials, serial)
		}
	}
	return t.d.epoch[ca], serials, nil
}

func (t *memoryTx) ByKey(_ context.Context, key string) (Record, error) {
	return t.first(func(r Record) bool { return r.Key == key })
}

func (t *memoryTx) Intend(_ context.Context, serial string, tbs []byte) error {
	r, ok := t.d.records[serial]
	if !ok || r.State != Reserved {
		return ErrNotFound
	}
	r.State, r.TBS = Intended, tbs
	t.d.records[serial] = r
	return nil
}

func (t *memoryTx) Finish(_ context.Context, serial string, raw []byte) error {
	r, ok := t.d.records[serial]
	if !ok || r.State != Intended || t.read(r).Revoked != nil {
		return ErrNotFound
	}
	r.State, r.Raw = Done, raw
	t.d.records[serial] = r
	return nil
}

func (t *memoryTx) Intended(_ context.Context, after string, limit int) ([]Record, error) {
	all, err := t.find(func(r Record) bool { return r.State == Intended && r.Serial > after })
	return all[:min(limit, len(all))], err
}

func (t *memoryTx) Holders(_ context.Context, iin, bin string) ([]Record, error) {
	return t.find(func(r Record) bool {
		return r.State == Done && (iin == "" || r.IIN == iin) && (bin == "" || r.BIN == bin)
	})
}

func (t *memoryTx) Ending(_ context.Context, from, to time.Time, after string, limit int) ([]Record, error) {
	all, _ := t.find(func(r Record) bool {
		v, revoked := t.d.revoked[r.Serial]
		return r.State == Done && (!revoked || v.Reason == pki.RemoveFromCRL) && r.NotAfter.Before(to) &&
			(r.NotAfter.After(from) || r.NotAfter.Equal(from) && r.Serial > after)
	})
	slices.SortFunc(all, func(a, b Record) int {
		return cmp.Or(a.NotAfter.Compare(b.NotAfter), strings.Compare(a.Serial, b.Serial))
	})
	return all[:min(limit, len(all))], nil
}

func (t *memoryTx) Living(_ context.Context, iins []string, from time.Time) ([]Record, error) {
	return t.find(func(r Record) bool {
		return r.State == Done && slices.Contains(iins, r.IIN) && !r.NotAfter.Before(from)
	})
}

func (t *memoryTx) Companies(_ context.Context, from, to time.Time, after string, limit int) ([]string, error) {
	all, _ := t.find(func(r Record) bool {
		v, revoked := t.d.revoked[r.Serial]
		return r.State == Done && (!revoked || v.Reason == pki.RemoveFromCRL) && r.BIN > after && !r.NotAfter.Before(from) && r.NotAfter.Before(to)
	})
	var bins []string
	for _, r := range all {
		bins = append(bins, r.BIN)
	}
	slices.Sort(bins)
	bins = slices.Compact(bins)
	return bins[:min(limit, len(bins))], nil
}

// Search knows persons and profiles only: the cases of the real one are storetest's.
func (t *memoryTx) Search(_ context.Context, q Query) ([]Record, error) {
	return t.find(func(r Record) bool {
		return r.State == Done && (q.IIN == "" || r.IIN == q.IIN) && (len(q.Profiles) == 0 || slices.Contains(q.Profiles, r.Profile))
	})
}

func (t *memoryTx) AddRevocation(_ context.Context, ca, serial string, r Revocation) error {
	if v, ok := t.d.revoked[serial]; ok && v.Reason != pki.RemoveFromCRL {
		return ErrExists
	}
	t.d.epoch[ca]++
	kept := t.d.records[serial].NotAfter
	if kept.Before(r.Recorded) {
		kept = r.Recorded
	}
	t.d.revoked[serial] = revokedRow{ca, t.d.epoch[ca], kept, r.Recorded, r}
	return nil
}

func (t *memoryTx) ChangeRevocation(_ context.Context, ca, serial string, at time.Time, r Revocation) error {
	v, ok := t.d.revoked[serial]
	if !ok {
		return ErrNotFound
	}
	t.d.epoch[ca]++
	v.Reason, v.Invalidity, v.By, v.epoch = r.Reason, r.Invalidity, r.By, t.d.epoch[ca]
	v.changed = at
	if v.kept.Before(at) {
		v.kept = at
	}
	t.d.revoked[serial] = v
	return nil
}

func (t *memoryTx) EachRevoked(_ context.Context, ca, shard string, since int64, kept time.Time, f func(RevokedRecord) error) error {
	var all []RevokedRecord
	for serial, v := range t.d.revoked {
		if v.ca == ca && (shard == "" || v.Shard == shard) && v.epoch > since && !v.kept.Before(kept) {
			all = append(all, RevokedRecord{serial, v.epoch, v.Revocation})
		}
	}
	slices.SortFunc(all, func(a, b RevokedRecord) int { return cmp.Compare(a.Epoch, b.Epoch) })
	for _, r := range all {
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

func (t *memoryTx) RevokedShards(_ context.Context, ca string, since int64) (map[string]int64, error) {
	out := map[string]int64{}
	for _, v := range t.d.revoked {
		if v.ca == ca && v.Shard != "" && v.epoch > since {
			out[v.Shard] = max(out[v.Shard], v.epoch)
		}
	}
	return out, nil
}

func (t *memoryTx) Unlisted(_ context.Context, ca, shard string, since int64) (at time.Time, err error) {
	first := int64(-1)
	for _, v := range t.d.revoked {
		if v.ca == ca && (shard == "" || v.Shard == shard) && v.epoch > since && (first < 0 || v.epoch < first) {
			first, at = v.epoch, v.changed
		}
	}
	if first < 0 {
		return at, ErrNotFound
	}
	return at, nil
}

func (t *memoryTx) Epoch(_ context.Context, ca string) (int64, error) { return t.d.epoch[ca], nil }

func (t *memoryTx) NextListNumber(_ context.Context, ca string) (int64, int64, error) {
	t.d.number[ca]++
	return t.d.number[ca], t.d.epoch[ca], nil
}

func (t *memoryTx) AddList(_ context.Context, l ListRecord) error {
	for _, o := range t.d.lists {
		if o.CA == l.CA && o.Shard == l.Shard && o.Delta == l.Delta && (o.Number >= l.Number || o.Epoch > l.Epoch) {
			return ErrExists
		}
	}
	l.Raw = bytes.Clone(l.Raw)
	t.d.lists = append(t.d.lists, l)
	return nil
}

func (t *memoryTx) newest(f func(ListRecord) bool) (best ListRecord, err error) {
	err = ErrNotFound
	for _, l := range t.d.lists {
		if f(l) && l.Number > best.Number {
			best, err = l, nil
		}
	}
	return best, err
}

func (t *memoryTx) Head(_ context.Context, ca, shard string, delta bool) (ListRecord, error) {
	return t.newest(func(l ListRecord) bool { return l.CA == ca && l.Shard == shard && l.Delta == delta })
}

func (t *memoryTx) Heads(ctx context.Context, ca string) ([]ListRecord, error) {
	all := map[listKey]ListRecord{}
	for _, l := range t.d.lists {
		if key := (listKey{ca, l.Shard, l.Delta}); l.CA == ca && l.Number > all[key].Number {
			all[key] = l
		}
	}
	return slices.Collect(maps.Values(all)), nil
}

func (t *memoryTx) Base(_ context.Context, ca, shard string, below int64) (ListRecord, error) {
	return t.newest(func(l ListRecord) bool {
		return l.CA == ca && l.Shard == shard && !l.Delta && l.Scheduled && l.Number < below
	})
}

func (t *memoryTx) ListBytes(ctx context.Context, l ListRecord) ([]byte, error) {
	found, err := t.Head(ctx, l.CA, l.Shard, l.Delta)
	if err == nil && found.Number != l.Number {
		err = ErrNotFound
	}
	return found.Raw, err
}

func (t *memoryTx) Enqueue(_ context.Context, j job.Job) error {
	t.d.jobs = append(t.d.jobs, j)
	return nil
}

func (t *memoryTx) Audit(_ context.Context, e audit.Event) error {
	if err := e.Check(); err != nil {
		return err
	}
	t.d.audit = append(t.d.audit, e)
	return nil
}

// memoryKeys keeps keys in memory and tells watch, before each signature, what is to be signed.
type memoryKeys struct {
	mu    sync.Mutex
	keys  map[string]crypto.Signer
	watch func(name string, digest []byte)
	fails bool
}

func (k *memoryKeys) Keep(_ context.Context, name string, key crypto.Signer) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.keys[name]; ok {
		return fmt.Errorf("key %s: %w", name, ErrExists)
	}
	if k.keys == nil {
		k.keys = map[string]crypto.Signer{}
	}
	k.keys[name] = key
	return nil
}

func (k *memoryKeys) Key(_ context.Context, name string) (crypto.Signer, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[name]
	if !ok || k.fails {
		return nil, fmt.Errorf("key %s: %w", name, ErrNotFound)
	}
	return watched{key, name, k}, nil
}

type watched struct {
	crypto.Signer
	name string
	k    *memoryKeys
}

func (w watched) Sign(rand io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if w.k.watch != nil {
		w.k.watch(w.name, digest)
	}
	return w.Signer.Sign(rand, digest, o)
}
