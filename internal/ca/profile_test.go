package ca

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"senim/internal/audit"
	"senim/internal/profile"
	"senim/pki"
)

func (b *bench) reopen(t *testing.T, set profile.Set) {
	t.Helper()
	s, err := Open(t.Context(), Config{Store: b.store, Keys: b.keys, Now: b.clock.now, Profiles: set})
	if err != nil {
		t.Fatal(err)
	}
	b.Service = s
}

// Which profiles came, changed and went is on record and in the audit log; the same set again writes
// nothing.
func TestProfilesRecorded(t *testing.T) {
	b := newBench(t)
	events := func() (all []string) {
		for _, e := range b.store.snapshot().audit {
			if strings.HasPrefix(e.Action, "ca.profile") {
				all = append(all, e.Action+" "+e.Object)
			}
			if err := (audit.Event{Action: e.Action, Object: e.Object, Detail: e.Detail}).Check(); err != nil {
				t.Error(err)
			}
		}
		return all
	}
	if got := events(); len(got) != 1 || !strings.HasPrefix(got[0], "ca.profiles_set") {
		t.Fatalf("%v", got)
	}
	b.reopen(t, nil)
	b.clock.move(time.Hour)
	set, err := profile.Read([]byte("profiles: {individual: {file_days: 30}, auditor: {like: hr}}\nretired: [manager]"), profile.NCA())
	if err != nil {
		t.Fatal(err)
	}
	b.reopen(t, set)
	b.reopen(t, set)
	want := "ca.profile_added auditor,ca.profile_changed individual,ca.profile_retired manager"
	if got := strings.Join(events()[1:], ","); got != want {
		t.Errorf("%s", got)
	}
	for _, v := range b.store.snapshot().profiles {
		gone := v.Name == "manager" || v.Name == "individual" && v.Digest == profile.NCA()["individual"].Digest()
		if gone != !v.Went.IsZero() {
			t.Errorf("%s %s: went %v", v.Name, v.Digest, v.Went)
		}
	}
	_, c := mustIssue(t, b, order(t, "short"))
	if d := c.NotAfter.Sub(c.NotBefore); d != 30*24*time.Hour {
		t.Errorf("life %s", d)
	}
	o := order(t, "gone")
	o.Profile, o.Subject = "manager", head()
	refusedWith(t, b, o, CodeProfileUnknown)
	for _, name := range []string{"ocsp", "tsa", "authority", "sub-authority"} {
		o := order(t, name)
		o.Profile = name
		refusedWith(t, b, o, CodeProfileUnknown)
	}
}

// A random serial is that of the order for ever, also when an interruption lies between.
func TestRandomSerial(t *testing.T) {
	b := newBench(t)
	set, err := profile.Read([]byte("profiles: {individual: {serial: random}}"), profile.NCA())
	if err != nil {
		t.Fatal(err)
	}
	b.reopen(t, set)
	o := order(t, "random")
	b.store.fail(1, true) // the reservation is stored, and the asker is told it was not
	if _, err := b.Issue(t.Context(), o); err == nil {
		t.Fatal("the fault was not seen")
	}
	first, c := mustIssue(t, b, o)
	again, _ := mustIssue(t, b, o)
	if first.Serial != again.Serial || !bytes.Equal(first.Raw, again.Raw) || len(c.SerialHex()) != 40 {
		t.Errorf("%s, then %s", first.Serial, again.Serial)
	}
	if serial, err := keySerial(c.PublicKey); err != nil || serialHex(serial) == first.Serial {
		t.Errorf("the serial is the key's: %v", err)
	}
}

// A serial is one certificate's over all authorities.
func TestSerialTaken(t *testing.T) {
	b := newBench(t)
	o := order(t, "late")
	d, err := b.examine(o)
	if err != nil {
		t.Fatal(err)
	}
	other := d.record
	other.CA, other.Order, other.Key = "another", "early", "another key"
	if err := b.store.Update(t.Context(), func(tx Tx) error { return tx.Reserve(t.Context(), other) }); err != nil {
		t.Fatal(err)
	}
	refusedWith(t, b, o, CodeKeyUnsuitable)
}

// Systems: a registered one, and one of an individual.
func TestSystems(t *testing.T) {
	b := newBench(t)
	o := order(t, "registered")
	o.Profile = "info-system-registered"
	o.Subject = Subject{CommonName: "ИС ТЕСТ", Organization: `АО "ТЕСТ"`, BIN: "123456789021", UID: "1.2.398.6.10.1.1"}
	refusedWith(t, b, o, CodeSubjectInvalid)
	o.Subject.System = 17
	_, c := mustIssue(t, b, o)
	if last := c.ExtKeyUsage[len(c.ExtKeyUsage)-1]; last.String() != "1.2.398.3.3.4.1.2.6.17" || !c.Holder().Has(pki.RoleInfoSystem) {
		t.Errorf("usages %v", c.ExtKeyUsage)
	}
	o = order(t, "own")
	o.Profile, o.Subject = "individual-system", Subject{CommonName: "ИС ТЕСТ", IIN: "123456789011", UID: "1.2.398.6.10.1.1"}
	_, c = mustIssue(t, b, o)
	if h := c.Holder(); !h.Has(pki.RoleIndividualSystem) || h.IIN != "123456789011" || h.Surname != "" {
		t.Errorf("%+v", h)
	}
}
