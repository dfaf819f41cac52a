package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"senim/algid"
	"senim/gost"
	"senim/internal/ca"
	"senim/internal/ident"
	"senim/internal/lang"
	"senim/internal/participant"
	"senim/internal/ra"
	"senim/internal/registry"
	"senim/pfx"
	"senim/pki"
)

// running is what running.json in the data folder tells programs about a started server.
type running struct {
	Cabinet   string `json:"cabinet"`
	Portal    string `json:"portal"`
	Responder string `json:"responder"`
	Mailbox   string `json:"mailbox,omitempty"`
	// OCSP maps key identifiers of our issuing authorities to where their status is asked.
	OCSP   map[string]string `json:"ocsp"`
	People []person          `json:"people,omitempty"`
}

// person is one of the demo's people with his key files.
type person struct {
	Who            string `json:"who"`
	Name           string `json:"name"`
	IIN            string `json:"iin"`
	Email          string `json:"email"`
	Phone          string `json:"phone,omitempty"`
	Folder         string `json:"folder"`
	Password       string `json:"password"`
	PortalPassword string `json:"portal_password,omitempty"`
	// Keys are key files by the folder they lie in, as "personal".
	Keys map[string]string `json:"keys"`
}

const (
	runningFile = "running.json"
	keysFolder  = "keys"
	peopleFile  = "people.json"
)

// seed fills an empty installation with the people of the demo: the registry, their certificates
// and key files, their accounts. It is done once: people.json is written last and says that it was.
func (s *server) seed(ctx context.Context) error {
	path := filepath.Join(s.c.data, peopleFile)
	if b, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(b, &s.people); err != nil {
			return fmt.Errorf("read %s: %w", peopleFile, err)
		}
		return s.refresh(ctx)
	}
	now := s.now()
	for _, b := range []registry.Batch{batch(now), persons(now), contacts(now), taxpayers(now)} {
		if _, bad, err := s.book.Load(ctx, b); err != nil || len(bad) > 0 {
			return fmt.Errorf("seed the registry: %d rows refused: %w", len(bad), err)
		}
	}
	for _, m := range cast() {
		p, err := s.seedMember(ctx, m, now)
		if err != nil {
			return fmt.Errorf("seed %s: %w", m.who, err)
		}
		s.people = append(s.people, p)
	}
	return writeJSON(path, s.people)
}

// refresh loads the demo's registry again when its last load grew old, so that a demo started next
// month does not answer «could not check». Heads are as they are now: the stories stay walked.
func (s *server) refresh(ctx context.Context) error {
	now := s.now()
	loads, err := s.book.Loads(ctx, 1)
	if err != nil || len(loads) > 0 && now.Sub(loads[0].Received) < 24*time.Hour {
		return err
	}
	b := batch(now)
	for i, l := range b.Leaders {
		if a := s.book.Head(ctx, l.BIN, now); a.Value.Leader.IIN != "" && a.Value.Leader.IIN != l.IIN {
			b.Leaders = append(b.Leaders, a.Value.Leader)
			b.Leaders[i].DismissedOn = a.Value.Leader.AppointedOn
		}
	}
	for _, b := range []registry.Batch{b, persons(now), contacts(now), taxpayers(now)} {
		if _, _, err := s.book.Load(ctx, b); err != nil {
			return fmt.Errorf("load the demo's registry again: %w", err)
		}
	}
	return nil
}

func (s *server) seedMember(ctx context.Context, m member, now time.Time) (person, error) {
	p := person{Who: m.who, Name: m.fullName(), IIN: m.iin, Email: m.email(), Phone: string(m.phone), Password: keyPassword, Keys: map[string]string{},
		Folder: filepath.Join(s.c.data, keysFolder, m.who)}
	for i, k := range m.keys {
		file, err := s.seedKey(ctx, m, k, fmt.Sprintf("demo-%s-%d-k0", m.who, i), filepath.Join(p.Folder, k.folder), now)
		if err != nil {
			return p, err
		}
		p.Keys[k.folder] = file
	}
	if m.cabinet {
		err := s.store.RA().Update(ctx, func(tx ra.Tx) error {
			return tx.PutAccount(ctx, ra.Account{IIN: m.iin, City: cmp.Or(m.city, "Астана"), Lang: cmp.Or(m.lang, lang.RU), Email: m.email(), ConfirmedAt: now.Add(-2 * ra.FactorAge), ConsentAt: now,
				Created: now, Changed: now})
		})
		if err != nil {
			return p, err
		}
	}
	if len(m.portal) == 0 {
		return p, nil
	}
	p.PortalPassword = portalPassword
	return p, s.participants.Seed(ctx, participant.Seeded{IIN: ident.IIN(m.iin), Name: m.fullName(), Email: m.email(), Password: portalPassword,
		Lang: lang.RU, Profiles: m.portal})
}

// seedKey makes a key pair, has the authority certify it as everybody's, and writes the key file.
func (s *server) seedKey(ctx context.Context, m member, k seedKey, order, folder string, now time.Time) (string, error) {
	key, err := gost.GenerateKey(gost.TC26_512A(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	csr, err := pki.CreateRequest(rand.Reader, key, pki.RequestTemplate{Subject: pki.SubjectName(pki.Holder{CommonName: m.commonName()}), Emails: []string{m.email()}})
	if err != nil {
		return "", err
	}
	day := now.UTC().Truncate(time.Second)
	made, err := s.seeder.Issue(ctx, ca.Order{ID: order, Profile: k.profile, CSR: csr, Subject: m.subject(k), By: "seed",
		NotBefore: day.AddDate(0, 0, k.from), NotAfter: day.AddDate(0, 0, k.to)})
	if err != nil {
		return "", err
	}
	if k.revoked {
		if _, err := s.ca.Revoke(ctx, made.Serial, ca.KeyCompromise, "seed", time.Time{}); err != nil {
			return "", err
		}
	}
	cert, err := pki.ParseCertificate(made.Raw)
	if err != nil {
		return "", err
	}
	file, err := pfx.Encode(rand.Reader, pfx.File{Key: key, Certificate: cert}, keyPassword, pfx.NCA)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("write a key file: %w", err)
	}
	name := filepath.Join(folder, "GOST512_"+hex.EncodeToString(algid.KeyID(key.Public()))+".p12")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		return "", fmt.Errorf("write a key file: %w", err)
	}
	return filepath.Abs(name)
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
