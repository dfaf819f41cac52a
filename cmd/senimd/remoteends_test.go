package main

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"time"

	"senim/internal/ca"
	"senim/internal/caapi/client"
	"senim/internal/pkitest"
)

// ending is the API of an authority that knows certificates by their end, and counts what it is asked.
type ending struct {
	t     *testing.T
	list  []client.Certificate // in the order of issue
	asked int
}

func (e *ending) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.asked++
	q := r.URL.Query()
	from, err := time.Parse(time.RFC3339, q.Get("ends_from"))
	to, err2 := time.Parse(time.RFC3339, q.Get("ends_to"))
	limit, err3 := strconv.Atoi(q.Get("limit"))
	begin, _ := strconv.Atoi(q.Get("cursor"))
	if err = errors.Join(err, err2, err3); err != nil {
		e.t.Error(err)
	}
	var found []client.Certificate
	for _, c := range e.list {
		if !c.NotAfter.Before(from) && c.NotAfter.Before(to) {
			found = append(found, c)
		}
	}
	page := client.Page{Items: found[begin:min(begin+limit, len(found))]}
	if begin+limit < len(found) {
		page.Next = strconv.Itoa(begin + limit)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(page); err != nil {
		e.t.Error(err)
	}
}

// What ends at an authority on another machine comes by its end, however much it is, a part at a time; a digest that pages
// through the organisations asks once.
func TestWhatEndsElsewhereComesInParts(t *testing.T) {
	t.Parallel()
	cert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pkitest.New(t).Individual().Certificate.Raw}))
	now := time.Date(2026, 9, 1, 10, 0, 0, 500, time.UTC)
	api := &ending{t: t}
	const all = 1000
	for i := range all { // the last issued first, and ends all over the 30 days, most of them on one
		end := now.Add(time.Duration(i*7919%all) * 30 * 24 * time.Hour / all).Truncate(time.Second)
		if i%2 == 0 {
			end = now.AddDate(0, 0, 20).Add(time.Duration(i) * time.Minute).Truncate(time.Second)
		}
		api.list = append(api.list, client.Certificate{Serial: fmt.Sprint(i), Profile: "individual", BIN: fmt.Sprintf("%012d", i%250), NotAfter: end.Add(time.Second),
			State: client.StateValid, Certificate: cert})
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	r := &remote{api: c, profiles: map[string]bool{"individual": true}}
	to := now.AddDate(0, 0, 31)
	var last time.Time
	seen := map[string]bool{}
	if err := r.expiring(t.Context(), now, to, 100, func(i ca.Info) error {
		if i.NotAfter.Before(last) || seen[i.Serial] {
			t.Errorf("%s ends at %s, after one of %s; came before: %v", i.Serial, i.NotAfter, last, seen[i.Serial])
		}
		seen[i.Serial], last = true, i.NotAfter
		return nil
	}); err != nil || len(seen) != all {
		t.Errorf("%d certificates, %v", len(seen), err)
	}
	api.asked = 0
	enough := errors.New("enough")
	if err := r.Expiring(t.Context(), now, to, func(ca.Info) error { return enough }); !errors.Is(err, enough) || api.asked > 5 {
		t.Errorf("%v after %d questions", err, api.asked)
	}

	api.asked = 0
	var bins []string
	first := 0
	for after := ""; ; after = bins[len(bins)-1] {
		page, err := r.Companies(t.Context(), now, to, after, 30)
		if err != nil {
			t.Fatal(err)
		}
		if first == 0 {
			first = api.asked
		}
		if bins = append(bins, page...); len(page) < 30 {
			break
		}
	}
	if len(bins) != 250 || !slices.IsSorted(bins) || api.asked != first {
		t.Errorf("%d organisations after %d questions, %d of them for the first page", len(bins), api.asked, first)
	}
	api.list = nil
	if page, err := r.Companies(t.Context(), now, to, "", 30); err != nil || len(page) != 0 {
		t.Errorf("a new list: %d, %v", len(page), err)
	}

	for i := range 101 { // more at one moment than can be held
		api.list = append(api.list, client.Certificate{Serial: fmt.Sprint(i), Profile: "individual", NotAfter: now.AddDate(0, 0, 3), State: client.StateValid, Certificate: cert})
	}
	if err := r.expiring(t.Context(), now, to, 100, func(ca.Info) error { return nil }); !errors.Is(err, client.ErrMany) {
		t.Errorf("too many at one moment: %v", err)
	}
}
