package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"senim/cms"
	"senim/internal/robot"
	"senim/pfx"
)

// key is an opened key file.
type key struct{ *pfx.File }

// person is somebody with a session.
type person struct {
	client *http.Client
	key    int // which of the cast's keys he signed in with
	pages  []string
}

// signIn gives a session to each of n people, who share the keys of the demo's cast.
func signIn(ctx context.Context, sys *robot.System, n int) ([]*person, error) {
	keys, err := cast(sys)
	if err != nil {
		return nil, err
	}
	all := make([]*person, n)
	for i := range all {
		all[i] = &person{key: i % len(keys)}
		if all[i].client, err = keys[all[i].key].signIn(ctx, sys.Cabinet); err != nil {
			return nil, fmt.Errorf("sign person %d in: %w", i+1, err)
		}
	}
	return all, nil
}

// cast opens the keys with which people of the demo may sign in.
func cast(sys *robot.System) ([]key, error) {
	var keys []key
	for _, p := range sys.People {
		for _, folder := range []string{"personal", "company-X", "company-Y"} {
			name, ok := p.Keys[folder]
			if !ok {
				continue
			}
			raw, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("open a key of the demo: %w", err)
			}
			f, err := pfx.Decode(raw, p.Password)
			if err != nil {
				return nil, fmt.Errorf("open a key of the demo: %w", err)
			}
			if now := time.Now(); now.After(f.Certificate.NotBefore) && now.Before(f.Certificate.NotAfter) {
				keys = append(keys, key{f})
			}
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the demo has no keys to sign in with")
	}
	return keys, nil
}

// signIn answers the page's challenge as the agent would.
func (k key) signIn(ctx context.Context, site string) (*http.Client, error) {
	b := robot.NewBrowser("ru")
	p, err := b.Open(ctx, site+"/signin")
	if err != nil {
		return nil, err
	}
	f, err := p.Form("signin")
	if err != nil {
		return nil, err
	}
	var call struct{ Args struct{ Data string } }
	if err := json.Unmarshal([]byte(f.Request()), &call); err != nil {
		return nil, fmt.Errorf("read what the agent is asked: %w", err)
	}
	challenge, err := base64.StdEncoding.DecodeString(call.Args.Data)
	if err != nil {
		return nil, fmt.Errorf("read the challenge: %w", err)
	}
	der, err := cms.Sign(rand.Reader, cms.Options{Key: k.Key, Certificate: k.Certificate, Content: challenge, Detached: true,
		SigningTime: time.Now().Truncate(time.Second)})
	if err != nil {
		return nil, err
	}
	answer, err := json.Marshal([]string{string(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: der}))})
	if err != nil {
		return nil, err
	}
	if p, err = f.Answer(string(answer)).Submit(ctx); err != nil {
		return nil, err
	}
	if p.Code() != "" || p.Status != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", p.URL.Path, p.Code())
	}
	return b.Client(), nil
}
