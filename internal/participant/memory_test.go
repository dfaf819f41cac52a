package participant

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"senim/internal/audit"
	"senim/internal/ident"
	"senim/internal/job"
	"senim/internal/notice"
	"senim/internal/registry"
	"senim/pki"
)

// memory is a Store in maps: a transaction works on a copy that replaces the original when it
// succeeds. fail, when set, makes the n-th write of a transaction fail.
type memory struct {
	*recovery
	mu   sync.Mutex
	data data
	fail int // 0: never
	step int // writes done in the present transaction
}

type data struct {
	accounts      map[ident.IIN]Account
	profiles      map[string]Profile
	changes       []Change
	enterprises   map[string]Enterprise
	registrations map[string]Registration
	links         map[string]string
	evidence      map[string]Evidence
	agreements    []Agreement
	signatures    map[string]AgreementSignature
	ended         []string // site iin tin
	jobs          []job.Job
	events        []audit.Event
	letters       []notice.Message
	registers     registers
	revoked       map[string]time.Time
}

func newMemory() *memory {
	return &memory{recovery: newRecovery(), data: data{accounts: map[ident.IIN]Account{}, profiles: map[string]Profile{}, enterprises: map[string]Enterprise{},
		registrations: map[string]Registration{}, links: map[string]string{}, evidence: map[string]Evidence{}, signatures: map[string]AgreementSignature{},
		revoked:   map[string]time.Time{},
		registers: registers{documents: map[ident.IIN]Document{}, admin: map[string]AdminAct{}}}}
}

func (d data) clone() data {
	d.accounts, d.profiles, d.enterprises = maps.Clone(d.accounts), maps.Clone(d.profiles), maps.Clone(d.enterprises)
	d.registrations, d.links, d.evidence, d.signatures = maps.Clone(d.registrations), maps.Clone(d.links), maps.Clone(d.evidence), maps.Clone(d.signatures)
	d.changes, d.agreements, d.ended = slices.Clone(d.changes), slices.Clone(d.agreements), slices.Clone(d.ended)
	d.registers, d.revoked = d.registers.clone(), maps.Clone(d.revoked)
	d.jobs, d.events, d.letters = slices.Clone(d.jobs), slices.Clone(d.events), slices.Clone(d.letters)
	return d
}

func (m *memory) Update(_ context.Context, f func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.step = 0
	tx := &memoryTx{memory: m, d: m.data.clone()}
	if err := f(tx); err != nil {
		return err
	}
	m.data = tx.d
	return nil
}

func (m *memory) View(_ context.Context, f func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return f(&memoryTx{memory: m, d: m.data.clone()})
}

type memoryTx struct {
	*memory
	d data
}

var errDisk = errors.New("disk is full")

// write is called by every write: it fails at the chosen one.
func (t *memoryTx) write() error {
	t.step++
	if t.fail > 0 && t.step == t.fail {
		return errDisk
	}
	return nil
}

func found[K comparable, V any](m map[K]V, k K) (V, error) {
	v, ok := m[k]
	if !ok {
		return v, ErrNotFound
	}
	return v, nil
}

func (t *memoryTx) Account(_ context.Context, iin ident.IIN) (Account, error) {
	return found(t.d.accounts, iin)
}
func (t *memoryTx) PutAccount(_ context.Context, a Account) error {
	t.d.accounts[a.IIN] = a
	return t.write()
}
func (t *memoryTx) DeletePending(_ context.Context, iin ident.IIN) error {
	for _, r := range t.d.registrations {
		if r.IIN == iin && r.State == StateSigned {
			return nil
		}
	}
	if t.d.accounts[iin].State == AccountPending {
		delete(t.d.accounts, iin)
	}
	return t.write()
}
func (t *memoryTx) LettersSince(_ context.Context, iin ident.IIN, since time.Time) (int, error) {
	n := 0
	for _, r := range t.d.registrations {
		if r.IIN == iin && r.LastLetter.After(since) {
			n += r.Letters
		}
	}
	return n, nil
}
func (t *memoryTx) Profile(_ context.Context, id string) (Profile, error) {
	return found(t.d.profiles, id)
}
func (t *memoryTx) some(keep func(Profile) bool) ([]Profile, error) {
	var all []Profile
	for _, p := range t.d.profiles {
		if keep(p) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Profile) int { return strings.Compare(a.ID, b.ID) })
	return all, nil
}
func (t *memoryTx) Profiles(_ context.Context, iin ident.IIN) ([]Profile, error) {
	return t.some(func(p Profile) bool { return p.IIN == iin })
}
func (t *memoryTx) ProfilesOf(_ context.Context, tin string) ([]Profile, error) {
	return t.some(func(p Profile) bool { return p.TIN == tin })
}
func (t *memoryTx) PutProfile(_ context.Context, p Profile) error {
	for _, o := range t.d.profiles {
		if o.ID != p.ID && o.TIN == p.TIN && o.Type == TypeHead && p.Type == TypeHead && o.Status == Active && p.Status == Active {
			return ErrRace
		}
	}
	t.d.profiles[p.ID] = p
	return t.write()
}
func (t *memoryTx) AddChange(_ context.Context, c Change) error {
	t.d.changes = append(t.d.changes, c)
	return t.write()
}
func (t *memoryTx) Changes(_ context.Context, profile string) ([]Change, error) {
	var all []Change
	for _, c := range t.d.changes {
		if c.Profile == profile {
			all = append(all, c)
		}
	}
	return all, nil
}
func (t *memoryTx) Enterprise(_ context.Context, tin string) (Enterprise, error) {
	return found(t.d.enterprises, tin)
}
func (t *memoryTx) PutEnterprise(_ context.Context, e Enterprise) error {
	t.d.enterprises[e.TIN] = e
	return t.write()
}
func (t *memoryTx) Registration(_ context.Context, id string) (Registration, error) {
	return found(t.d.registrations, id)
}
func (t *memoryTx) RegistrationByLink(_ context.Context, hash string) (Registration, error) {
	return found(t.d.registrations, t.d.links[hash])
}
func (t *memoryTx) PutLink(_ context.Context, hash, registration string, _ time.Time) error {
	t.d.links[hash] = registration
	return t.write()
}
func (t *memoryTx) DropLinks(_ context.Context, registration string) error {
	maps.DeleteFunc(t.d.links, func(_, r string) bool { return r == registration })
	return t.write()
}
func (t *memoryTx) OpenRegistrations(_ context.Context, tin string) ([]Registration, error) {
	var all []Registration
	for _, r := range t.d.registrations {
		if r.TIN == tin && r.State.Open() {
			all = append(all, r)
		}
	}
	return all, nil
}
func (t *memoryTx) DueRegistrations(_ context.Context, at time.Time, limit int) ([]Registration, error) {
	var all []Registration
	for _, r := range t.d.registrations {
		if r.State.Open() && !at.Before(r.Expires) && len(all) < limit {
			all = append(all, r)
		}
	}
	return all, nil
}
func (t *memoryTx) PutRegistration(_ context.Context, r Registration) error {
	t.d.registrations[r.ID] = r
	return t.write()
}
func (t *memoryTx) Evidence(_ context.Context, id string) (Evidence, error) {
	return found(t.d.evidence, id)
}
func (t *memoryTx) PutEvidence(_ context.Context, e Evidence) error {
	t.d.evidence[e.ID] = e
	return t.write()
}
func (t *memoryTx) Agreement(_ context.Context, version string, at time.Time) (Agreement, error) {
	var best Agreement
	for _, a := range t.d.agreements {
		if version == a.Version || version == "" && !a.From.After(at) && !a.From.Before(best.From) {
			best = a
		}
	}
	if best.Version == "" {
		return best, ErrNotFound
	}
	return best, nil
}
func (t *memoryTx) PutAgreement(_ context.Context, a Agreement) error {
	t.d.agreements = append(t.d.agreements, a)
	return t.write()
}
func (t *memoryTx) Signature(_ context.Context, id string) (AgreementSignature, error) {
	return found(t.d.signatures, id)
}
func (t *memoryTx) PutSignature(_ context.Context, s AgreementSignature) error {
	t.d.signatures[s.ID] = s
	return t.write()
}
func (t *memoryTx) EndSessions(_ context.Context, site string, iin ident.IIN, p Profile, _ string) (int, error) {
	t.d.ended = append(t.d.ended, site+" "+string(iin)+" "+p.TIN)
	return 1, t.write()
}
func (t *memoryTx) Loads() registry.Tx { return nil } // the town's registry needs none
func (t *memoryTx) Revoked(_ context.Context, cert *pki.Certificate) (time.Time, bool, error) {
	at, yes := t.d.revoked[cert.SerialHex()]
	return at, yes, nil
}
func (t *memoryTx) Hash(s string) string { return "h:" + hashToken("key" + s)[:12] }
func (t *memoryTx) Enqueue(_ context.Context, j job.Job) error {
	t.d.jobs = append(t.d.jobs, j)
	return t.write()
}
func (t *memoryTx) Audit(_ context.Context, e audit.Event) error {
	if err := e.Check(); err != nil {
		return err
	}
	t.d.events = append(t.d.events, e)
	return t.write()
}
func (t *memoryTx) Notify(_ context.Context, m notice.Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	t.d.letters = append(t.d.letters, m)
	return t.write()
}
