package ca

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
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
}

type data struct {
	authorities map[string]AuthorityRecord
	signers     []SignerRecord
	records     map[string]Record
	revoked     map[string]revokedRow
	epoch       map[string]int64
	number      map[string]int64
	lists       []ListRecord
	jobs        []job.Job
	audit       []audit.Event
}

type revokedRow struct {
	ca    string
	epoch int64
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
	d.signers, d.lists = slices.Clone(d.signers), slices.Clone(d.lists)
	d.jobs, d.audit = slices.Clone(d.jobs), slices.Clone(d.audit)
	return d
}

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
	d := m.d.clone()
	return f(&memoryTx{&d})
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
		all = append(all, t.d.authorities[name])
	}
	return all, nil
}

func (t *memoryTx) AddSigner(_ context.Context, r SignerRecord) error {
	t.d.signers = append(t.d.signers, r)
	return nil
}

func (t *memoryTx) Signer(_ context.Context, ca, kind string) (best SignerRecord, err error) {
	err = ErrNotFound
	for _, r := range t.d.signers {
		if r.CA == ca && r.Kind == kind && (err != nil || r.NotAfter.After(best.NotAfter)) {
			best, err = r, nil
		}
	}
	return best, err
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
	r.Order, r.Key, r.CA, r.Profile, r.Created = old.Order, old.Key, old.CA, old.Profile, old.Created
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

func (t *memoryTx) Ending(_ context.Context, from, to time.Time) ([]Record, error) {
	return t.find(func(r Record) bool {
		v, revoked := t.d.revoked[r.Serial]
		return r.State == Done && (!revoked || v.Reason == pki.RemoveFromCRL) && !r.NotAfter.Before(from) && r.NotAfter.Before(to)
	})
}

func (t *memoryTx) AddRevocation(_ context.Context, ca, serial string, r Revocation) error {
	if v, ok := t.d.revoked[serial]; ok && v.Reason != pki.RemoveFromCRL {
		return ErrExists
	}
	t.d.epoch[ca]++
	t.d.revoked[serial] = revokedRow{ca, t.d.epoch[ca], r}
	return nil
}

func (t *memoryTx) SetReason(_ context.Context, ca, serial string, reason Reason) error {
	v, ok := t.d.revoked[serial]
	if !ok {
		return ErrNotFound
	}
	t.d.epoch[ca]++
	v.Reason, v.epoch = reason, t.d.epoch[ca]
	t.d.revoked[serial] = v
	return nil
}

func (t *memoryTx) RevokedSince(_ context.Context, ca string, since int64, endAfter time.Time) (all []RevokedRecord, _ error) {
	for serial, v := range t.d.revoked {
		if v.ca == ca && v.epoch > since && t.d.records[serial].NotAfter.After(endAfter) {
			all = append(all, RevokedRecord{serial, v.Revocation})
		}
	}
	slices.SortFunc(all, func(a, b RevokedRecord) int { return int(t.d.revoked[a.Serial].epoch - t.d.revoked[b.Serial].epoch) })
	return all, nil
}

func (t *memoryTx) NextListNumber(_ context.Context, ca string) (int64, int64, error) {
	t.d.number[ca]++
	return t.d.number[ca], t.d.epoch[ca], nil
}

func (t *memoryTx) AddList(_ context.Context, l ListRecord) error {
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

func (t *memoryTx) List(_ context.Context, ca string, delta bool) (ListRecord, error) {
	return t.newest(func(l ListRecord) bool { return l.CA == ca && l.Delta == delta })
}

func (t *memoryTx) Base(_ context.Context, ca string, below int64) (ListRecord, error) {
	return t.newest(func(l ListRecord) bool {
		return l.CA == ca && !l.Delta && l.Scheduled && l.Number < below
	})
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
