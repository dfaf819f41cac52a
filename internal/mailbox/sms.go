package mailbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"senim/internal/notice"
)

// SMS is a short message taken.
type SMS struct {
	// ID counts from 1.
	ID   int       `json:"id"`
	To   string    `json:"to"`
	Text string    `json:"text"`
	Time time.Time `json:"time"` // when it was taken
}

// Send takes a short message, as the operator of a telephone network would.
func (b *Mailbox) Send(_ context.Context, m notice.Short) ([]string, notice.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := SMS{ID: 1, To: string(m.To), Text: m.Text, Time: b.now()}
	if n := len(b.texts); n > 0 {
		one.ID = b.texts[n-1].ID + 1
	}
	next := append(b.texts[max(0, len(b.texts)-maxBox+1):len(b.texts):len(b.texts)], one)
	if b.path != "" {
		if err := keepFile(besides(b.path), next); err != nil {
			return nil, notice.Outcome{State: notice.Throttled, After: time.Minute} // it is not in the list
		}
	}
	b.texts = next
	return nil, notice.Outcome{State: notice.Sent}
}

// Texts lists the short messages, newest first; of one phone when to is not empty.
func (b *Mailbox) Texts(to string) []SMS {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []SMS{}
	for i := len(b.texts) - 1; i >= 0; i-- {
		if to == "" || b.texts[i].To == to {
			all = append(all, b.texts[i])
		}
	}
	return all
}

// besides is the file of short messages beside that of letters.
func besides(path string) string { return filepath.Join(filepath.Dir(path), "sms.json") }

// openTexts reads the short messages of the starts before.
func (b *Mailbox) openTexts() error {
	data, err := os.ReadFile(besides(b.path))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, &b.texts)
	}
	if err != nil {
		return fmt.Errorf("open the mail box: %w", err)
	}
	return nil
}

func (b *Mailbox) listTexts(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	show(w, page{top: b.top(w, r), To: to, SMS: true, Texts: b.Texts(to)})
}

func (b *Mailbox) jsonTexts(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(b.Texts(r.URL.Query().Get("to"))) // a guest that left
}
